//! Bad input to type `vector`: SQLSTATE, message and detail of every refusal.

use pg_test::{TestDb, message, sqlstate};

/// The refusal of `query`: SQLSTATE, message, detail.
fn refusal(db: &mut TestDb, query: &str) -> (String, String, String) {
    match db.simple_query(query) {
        Ok(_) => panic!("{query} was accepted"),
        Err(error) => {
            let detail = error.as_db_error().and_then(|error| error.detail()).unwrap_or_default();
            (sqlstate(&error).into(), message(&error), detail.into())
        }
    }
}

#[track_caller]
fn check(db: &mut TestDb, query: &str, code: &str, text: &str) {
    check_detail(db, query, code, text, "");
}

#[track_caller]
fn check_detail(db: &mut TestDb, query: &str, code: &str, text: &str, detail: &str) {
    assert_eq!(refusal(db, query), (code.into(), text.into(), detail.into()), "{query}");
}

const NO_DIMS: &str = "vector must have at least 1 dimension";
const TOO_MANY: &str = "vector cannot have more than 16000 dimensions";

#[test]
fn malformed_literals() {
    let mut db = TestDb::new();
    let start = "Vector contents must start with \"[\".";
    let junk = "Junk after closing right brace.";
    for (literal, detail) in [
        ("", start),
        ("   ", start),
        ("1,2,3", start),
        ("{1,2,3}", start),
        ("(1)", start),
        ("\u{feff}[1]", start),
        ("[", ""),
        ("[ ", ""),
        ("[1", ""),
        ("[1,", ""),
        ("[1,]", ""),
        ("[,1]", ""),
        ("[,]", ""),
        ("[1,,2]", ""),
        ("[1 2]", ""),
        ("[1;2]", ""),
        ("[a]", ""),
        ("[1a]", ""),
        ("[1e]", ""),
        ("[1e+]", ""),
        ("[.]", ""),
        ("[-]", ""),
        ("[+-1]", ""),
        ("[- 1]", ""),
        ("[e5]", ""),
        ("[0x]", ""),
        ("[0xg]", ""),
        ("[0x1pz]", ""),
        ("[1_000]", ""),
        ("[1.2.3]", ""),
        ("[\"1\"]", ""),
        ("[null]", ""),
        ("[[1]]", ""),
        ("[1[", ""),
        ("[é]", ""),
        ("[１]", ""),
        ("[1\u{a0}]", ""),
        ("[1]]", junk),
        ("[1],", junk),
        ("[1] x", junk),
        ("[1][2]", junk),
        ("[1]é", junk),
    ] {
        let text = format!("invalid input syntax for type vector: \"{literal}\"");
        check_detail(&mut db, &format!("SELECT '{literal}'::vector"), "22P02", &text, detail);
    }
}

#[test]
fn elements_that_are_no_finite_real() {
    let mut db = TestDb::new();
    for literal in ["[nan]", "[NaN]", "[-nan]", "[1,NAN(1)]", "[nan,inf]", "[nan,", "[nan x]"] {
        let query = format!("SELECT '{literal}'::vector");
        check(&mut db, &query, "22000", "NaN not allowed in vector");
    }
    for literal in ["[inf]", "[-Inf]", "[+infinity]", "[1, INFINITY ]", "[inf,nan]", "[inf,1e99]"] {
        let query = format!("SELECT '{literal}'::vector");
        check(&mut db, &query, "22000", "infinite value not allowed in vector");
    }
    for token in ["4e38", "-4e38", "1e400", "3.4028236e38", "0x1p128", "-0x1p999", "9e99999999999"]
    {
        let query = format!("SELECT '[1,{token},nan]'::vector");
        let text = format!("\"{token}\" is out of range for type vector");
        check(&mut db, &query, "22003", &text);
    }
    // The number that overflows is named even when the literal is broken behind it.
    check(&mut db, "SELECT '[1e39x'::vector", "22003", "\"1e39\" is out of range for type vector");
}

#[test]
fn dimensions_of_literals() {
    let mut db = TestDb::new();
    for literal in ["[]", " [ ] ", "[\t]junk"] {
        check(&mut db, &format!("SELECT '{literal}'::vector"), "22000", NO_DIMS);
    }
    let literal = |n: usize| format!("[{}]", vec!["1"; n].join(","));
    db.simple_query(&format!("SELECT '{}'::vector", literal(16_000))).unwrap();
    check(&mut db, &format!("SELECT '{}'::vector", literal(16_001)), "54000", TOO_MANY);
    // The limit is met before the number behind it is looked at.
    let endless = literal(16_000).replace(']', ",x");
    check(&mut db, &format!("SELECT '{endless}'::vector"), "54000", TOO_MANY);

    check(&mut db, "SELECT '[1,2]'::vector(3)", "22000", "expected 3 dimensions, not 2");
    db.batch_execute("CREATE TABLE t (v vector(3))").unwrap();
    let insert = "INSERT INTO t VALUES ('[1,2,3,4]')";
    check(&mut db, insert, "22000", "expected 3 dimensions, not 4");
    let update = "INSERT INTO t SELECT l2_normalize('[1,2]'::vector)";
    check(&mut db, update, "22000", "expected 3 dimensions, not 2");
}

#[test]
fn type_modifiers() {
    let mut db = TestDb::new();
    for (modifier, code, text) in [
        ("0", "22023", "dimensions for type vector must be at least 1"),
        ("-1", "22023", "dimensions for type vector must be at least 1"),
        ("-2147483648", "22023", "dimensions for type vector must be at least 1"),
        ("16001", "22023", "dimensions for type vector cannot exceed 16000"),
        ("2147483647", "22023", "dimensions for type vector cannot exceed 16000"),
        ("3,4", "22023", "invalid type modifier"),
        ("'a'", "22P02", "invalid input syntax for type integer: \"a\""),
        ("1.5", "22P02", "invalid input syntax for type integer: \"1.5\""),
    ] {
        check(&mut db, &format!("CREATE TABLE t (v vector({modifier}))"), code, text);
    }
    db.batch_execute("CREATE TABLE t (v vector(16000))").unwrap();
}

#[test]
fn arrays() {
    let mut db = TestDb::new();
    for (array, code, text) in [
        ("'{}'::real[]", "22000", NO_DIMS),
        ("'{{1,2},{3,4}}'::real[]", "22000", "array must be 1-D"),
        ("'{1,NULL}'::int[]", "22004", "array must not contain nulls"),
        ("'{NULL}'::numeric[]", "22004", "array must not contain nulls"),
        ("array_fill(0, ARRAY[16001])", "54000", TOO_MANY),
        ("'{NaN}'::real[]", "22000", "NaN not allowed in vector"),
        ("'{NaN}'::numeric[]", "22000", "NaN not allowed in vector"),
        ("'{-Infinity}'::float8[]", "22000", "infinite value not allowed in vector"),
        ("'{1e39}'::float8[]", "22000", "infinite value not allowed in vector"),
        ("'{Infinity}'::numeric[]", "22000", "infinite value not allowed in vector"),
    ] {
        check(&mut db, &format!("SELECT ({array})::vector"), code, text);
    }
    let query = "SELECT '{1,2}'::float8[]::vector(3)";
    check(&mut db, query, "22000", "expected 3 dimensions, not 2");
    // What `real` itself refuses, it refuses in its own words.
    let (code, text, _) = refusal(&mut db, "SELECT '{1e50}'::numeric[]::vector");
    assert_eq!((code.as_str(), text.ends_with("is out of range for type real")), ("22003", true));
}

#[test]
fn operands_that_do_not_fit() {
    let mut db = TestDb::new();
    let different = "different vector dimensions 2 and 1";
    for operator in ["<->", "<#>", "<=>", "<+>", "+", "-", "*"] {
        let query = format!("SELECT '[1,2]'::vector {operator} '[3]'::vector");
        check(&mut db, &query, "22000", different);
    }
    for function in [
        "l2_distance",
        "inner_product",
        "cosine_distance",
        "l1_distance",
        "vector_l2_squared_distance",
        "vector_negative_inner_product",
        "vector_spherical_distance",
    ] {
        let query = format!("SELECT {function}('[1,2]'::vector, '[3]'::vector)");
        check(&mut db, &query, "22000", different);
    }
    let query = "SELECT hamming_distance(B'101', B'10')";
    check(&mut db, query, "22000", "different bit lengths 3 and 2");
    let query = "SELECT sum(v) FROM (VALUES ('[1]'::vector), ('[1,2]')) AS t (v)";
    check(&mut db, query, "22000", "different vector dimensions 1 and 2");
    let query = "SELECT avg(v) FROM (VALUES ('[1]'::vector), ('[1,2]')) AS t (v)";
    check(&mut db, query, "22000", "expected 1 dimensions, not 2");
}

#[test]
fn results_that_do_not_fit() {
    let mut db = TestDb::new();
    let (overflow, underflow) = ("value out of range: overflow", "value out of range: underflow");
    for (expression, text) in [
        ("'[3e38]'::vector + '[3e38]'", overflow),
        ("'[-3e38]'::vector - '[3e38]'", overflow),
        ("'[1,1e20]'::vector * '[1,1e20]'", overflow),
        ("'[1,1e-30]'::vector * '[1,-1e-30]'", underflow),
        ("vector_accum('{1,1.7e308}', '[3e38]')", ""),
        ("vector_combine('{1,1.7e308}', '{1,1.7e308}')", overflow),
    ] {
        let query = format!("SELECT {expression}");
        if text.is_empty() {
            db.simple_query(&query).unwrap();
        } else {
            check(&mut db, &query, "22003", text);
        }
    }
    let wide = "array_fill(1, ARRAY[9000])::vector";
    check(&mut db, &format!("SELECT {wide} || {wide}"), "54000", TOO_MANY);
    for part in ["1, 0", "1, -1", "4, 1", "0, 1", "-5, 3", "2147483647, 1", "1, -2147483648"] {
        let query = format!("SELECT subvector('[1,2,3]'::vector, {part})");
        check(&mut db, &query, "22000", NO_DIMS);
    }
}

#[test]
fn states_that_no_aggregate_made() {
    let mut db = TestDb::new();
    for state in ["{}", "{{1,2}}", "{1,NULL}", "{NULL}"] {
        for (function, rest) in
            [("vector_accum", ", '[1]'"), ("vector_avg", ""), ("vector_combine", ", '{0}'")]
        {
            let query = format!("SELECT {function}('{state}'::float8[]{rest})");
            check(&mut db, &query, "XX000", &format!("{function}: expected state array"));
        }
    }
    let query = "SELECT vector_combine('{1,2}', '{1,2,3}')";
    check(&mut db, query, "22000", "expected 1 dimensions, not 2");
    check(&mut db, "SELECT vector_avg('{1}')", "22000", NO_DIMS);
    check(
        &mut db,
        "SELECT vector_avg('{1,1e300}')",
        "22000",
        "infinite value not allowed in vector",
    );
    check(&mut db, "SELECT vector_avg('{1,NaN}')", "22000", "NaN not allowed in vector");
    let query = "SELECT vector_avg(array_fill(1::float8, ARRAY[16002]))";
    check(&mut db, query, "54000", TOO_MANY);
    let query = "SELECT vector_combine('{0}', array_fill(1::float8, ARRAY[16002]))";
    check(&mut db, query, "54000", TOO_MANY);
}
