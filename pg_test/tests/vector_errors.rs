//! Bad input to the dense types: SQLSTATE, message and detail of every refusal.

use pg_test::{DENSE_TYPES, TestDb, refusal};

#[track_caller]
fn check(db: &mut TestDb, query: &str, code: &str, text: &str) {
    check_detail(db, query, code, text, "");
}

#[track_caller]
fn check_detail(db: &mut TestDb, query: &str, code: &str, text: &str, detail: &str) {
    assert_eq!(refusal(db, query), (code.into(), text.into(), detail.into()), "{query}");
}

const INTEGERS: &str = "Elements must be integers from -128 to 127.";

fn no_dims(sql_type: &str) -> String {
    format!("{sql_type} must have at least 1 dimension")
}

fn too_many(sql_type: &str) -> String {
    format!("{sql_type} cannot have more than 16000 dimensions")
}

fn out_of_range(number: &str, sql_type: &str) -> String {
    format!("\"{number}\" is out of range for type {sql_type}")
}

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
        for t in DENSE_TYPES {
            let text = format!("invalid input syntax for type {t}: \"{literal}\"");
            let detail = if detail.is_empty() && t == "i8vec" { INTEGERS } else { detail };
            check_detail(&mut db, &format!("SELECT '{literal}'::{t}"), "22P02", &text, detail);
        }
    }
}

#[test]
fn elements_that_are_no_integer() {
    let mut db = TestDb::new();
    for token in ["1.5", "1.0", "1.", ".5", "1e1", "0x10", "nan", "inf", "-Infinity", "1_0", "+"] {
        let query = format!("SELECT '[1,{token}]'::i8vec");
        let text = format!("invalid input syntax for type i8vec: \"[1,{token}]\"");
        check_detail(&mut db, &query, "22P02", &text, INTEGERS);
    }
    for token in ["128", "-129", "+1000", "99999999999999999999", "-4294967295"] {
        let query = format!("SELECT '[1,{token},x]'::i8vec");
        let text = format!("\"{token}\" is out of range for type i8vec");
        check(&mut db, &query, "22003", &text);
    }
}

#[test]
fn elements_that_are_no_finite_real() {
    let mut db = TestDb::new();
    for t in ["vector", "halfvec", "bf16vec"] {
        for literal in ["[nan]", "[NaN]", "[-nan]", "[1,NAN(1)]", "[nan,inf]", "[nan,", "[nan x]"] {
            let query = format!("SELECT '{literal}'::{t}");
            check(&mut db, &query, "22000", &format!("NaN not allowed in {t}"));
        }
        for literal in ["[inf]", "[-Inf]", "[+infinity]", "[1, INFINITY ]", "[inf,nan]"] {
            let query = format!("SELECT '{literal}'::{t}");
            check(&mut db, &query, "22000", &format!("infinite value not allowed in {t}"));
        }
    }
}

#[test]
fn elements_that_are_too_large() {
    let mut db = TestDb::new();
    let vector = ["4e38", "-4e38", "1e400", "3.4028236e38", "0x1p128", "-0x1p999", "9e99999999999"];
    for (t, tokens) in [
        ("vector", vector.as_slice()),
        ("halfvec", &["65520", "-65520", "1e5", "0x1p16", "4e38", "-1e400"]),
        ("bf16vec", &["3.3961776e38", "-3.4e38", "0x1p128", "4e38", "1e400"]),
    ] {
        for token in tokens {
            let query = format!("SELECT '[1,{token},nan]'::{t}");
            let text = format!("\"{token}\" is out of range for type {t}");
            check(&mut db, &query, "22003", &text);
        }
    }
    // The number that overflows is named even when the literal is broken behind it.
    check(&mut db, "SELECT '[1e39x'::vector", "22003", "\"1e39\" is out of range for type vector");
}

#[test]
fn dimensions_of_literals() {
    let mut db = TestDb::new();
    let literal = |n: usize| format!("[{}]", vec!["1"; n].join(","));
    for t in DENSE_TYPES {
        for literal in ["[]", " [ ] ", "[\t]junk"] {
            check(&mut db, &format!("SELECT '{literal}'::{t}"), "22000", &no_dims(t));
        }
        db.simple_query(&format!("SELECT '{}'::{t}", literal(16_000))).unwrap();
        check(&mut db, &format!("SELECT '{}'::{t}", literal(16_001)), "54000", &too_many(t));
        // The limit is met before the number behind it is looked at.
        let endless = literal(16_000).replace(']', ",x");
        check(&mut db, &format!("SELECT '{endless}'::{t}"), "54000", &too_many(t));

        check(&mut db, &format!("SELECT '[1,2]'::{t}(3)"), "22000", "expected 3 dimensions, not 2");
        db.batch_execute(&format!("DROP TABLE IF EXISTS t; CREATE TABLE t (v {t}(3))")).unwrap();
        let insert = "INSERT INTO t VALUES ('[1,2,3,4]')";
        check(&mut db, insert, "22000", "expected 3 dimensions, not 4");
        let insert = format!("INSERT INTO t SELECT subvector('[1,2,3]'::{t}, 1, 2)");
        check(&mut db, &insert, "22000", "expected 3 dimensions, not 2");
    }
}

#[test]
fn type_modifiers() {
    let mut db = TestDb::new();
    for t in DENSE_TYPES {
        let too_few = format!("dimensions for type {t} must be at least 1");
        let too_many = format!("dimensions for type {t} cannot exceed 16000");
        for (modifier, code, text) in [
            ("0", "22023", too_few.as_str()),
            ("-1", "22023", &too_few),
            ("-2147483648", "22023", &too_few),
            ("16001", "22023", &too_many),
            ("2147483647", "22023", &too_many),
            ("3,4", "22023", "invalid type modifier"),
            ("'a'", "22P02", "invalid input syntax for type integer: \"a\""),
            ("1.5", "22P02", "invalid input syntax for type integer: \"1.5\""),
        ] {
            check(&mut db, &format!("CREATE TABLE t (v {t}({modifier}))"), code, text);
        }
        db.batch_execute(&format!("CREATE TABLE of_{t} (v {t}(16000))")).unwrap();
    }
}

#[test]
fn arrays() {
    let mut db = TestDb::new();
    for t in DENSE_TYPES {
        let nan = format!("NaN not allowed in {t}");
        let infinite = format!("infinite value not allowed in {t}");
        for (array, code, text) in [
            ("'{}'::real[]", "22000", no_dims(t).as_str()),
            ("'{{1,2},{3,4}}'::real[]", "22000", "array must be 1-D"),
            ("'{1,NULL}'::int[]", "22004", "array must not contain nulls"),
            ("'{NULL}'::numeric[]", "22004", "array must not contain nulls"),
            ("array_fill(0, ARRAY[16001])", "54000", &too_many(t)),
            ("'{NaN}'::real[]", "22000", &nan),
            ("'{NaN}'::numeric[]", "22000", &nan),
            ("'{-Infinity}'::float8[]", "22000", &infinite),
            ("'{1e39}'::float8[]", "22000", &infinite),
            ("'{Infinity}'::numeric[]", "22000", &infinite),
        ] {
            check(&mut db, &format!("SELECT ({array})::{t}"), code, text);
        }
        let query = format!("SELECT '{{1,2}}'::float8[]::{t}(3)");
        check(&mut db, &query, "22000", "expected 3 dimensions, not 2");
        // What `real` itself refuses, it refuses in its own words.
        let (code, text, _) = refusal(&mut db, &format!("SELECT '{{1e50}}'::numeric[]::{t}"));
        let of_real = text.ends_with("is out of range for type real");
        assert_eq!((code.as_str(), of_real), ("22003", true));
    }
}

#[test]
fn casts_that_do_not_fit() {
    let mut db = TestDb::new();
    for (expression, number, t) in [
        ("'[1,65520]'::vector", "65520", "halfvec"),
        ("'[-1e20]'::vector", "-1e+20", "halfvec"),
        ("ARRAY[65520]", "65520", "halfvec"),
        ("'{-65520}'::float8[]", "-65520", "halfvec"),
        ("'{1e5}'::numeric[]", "100000", "halfvec"),
        ("'[1e5]'::bf16vec", "99840", "halfvec"),
        ("'[3.4e38]'::vector", "3.4e+38", "bf16vec"),
        ("'[1,127.5]'::vector", "127.5", "i8vec"),
        ("'[-128.6]'::vector", "-128.6", "i8vec"),
        ("'[128]'::halfvec", "128", "i8vec"),
        ("'[3e38]'::bf16vec", "3.0040553e+38", "i8vec"),
        ("ARRAY[128]", "128", "i8vec"),
        ("'{127.5}'::real[]", "127.5", "i8vec"),
    ] {
        let query = format!("SELECT ({expression})::{t}");
        check(&mut db, &query, "22003", &out_of_range(number, t));
    }
}

#[test]
fn operands_that_do_not_fit() {
    let mut db = TestDb::new();
    for t in DENSE_TYPES {
        let different = format!("different {t} dimensions 2 and 1");
        for operator in ["<->", "<#>", "<=>", "<+>", "+", "-", "*"] {
            let query = format!("SELECT '[1,2]'::{t} {operator} '[3]'::{t}");
            check(&mut db, &query, "22000", &different);
        }
        for function in [
            "l2_distance",
            "inner_product",
            "cosine_distance",
            "l1_distance",
            &format!("{t}_l2_squared_distance"),
            &format!("{t}_negative_inner_product"),
            &format!("{t}_spherical_distance"),
        ] {
            let query = format!("SELECT {function}('[1,2]'::{t}, '[3]'::{t})");
            check(&mut db, &query, "22000", &different);
        }
        let rows = format!("(VALUES ('[1]'::{t}), ('[1,2]')) AS t (v)");
        let different = format!("different {t} dimensions 1 and 2");
        check(&mut db, &format!("SELECT sum(v) FROM {rows}"), "22000", &different);
        let query = format!("SELECT avg(v) FROM {rows}");
        check(&mut db, &query, "22000", "expected 1 dimensions, not 2");
    }
    let query = "SELECT hamming_distance(B'101', B'10')";
    check(&mut db, query, "22000", "different bit lengths 3 and 2");
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
        ("'[65504]'::halfvec + '[16]'", overflow),
        ("'[-65504]'::halfvec - '[16]'", overflow),
        ("'[256]'::halfvec * '[256]'", overflow),
        ("'[1e-4]'::halfvec * '[1e-4]'", underflow),
        ("'[3e38]'::bf16vec + '[3e38]'", overflow),
        ("'[1e20]'::bf16vec * '[1e20]'", overflow),
        ("'[1e-20]'::bf16vec * '[1e-30]'", underflow),
        ("'[127]'::i8vec + '[1]'", overflow),
        ("'[-128]'::i8vec - '[1]'", overflow),
        ("'[1,16]'::i8vec * '[1,8]'", overflow),
        ("vector_combine('{1,1.7e308}', '{1,1.7e308}')", overflow),
        ("vector_sum('{2,4e38}')", overflow),
        ("halfvec_sum('{2,65520}')", overflow),
        ("bf16vec_sum('{2,3.4e38}')", overflow),
        ("i8vec_sum('{2,1e39}')", overflow),
    ] {
        check(&mut db, &format!("SELECT {expression}"), "22003", text);
    }
    db.simple_query("SELECT vector_accum('{1,1.7e308}', '[3e38]')").unwrap();
    for t in DENSE_TYPES {
        let wide = format!("array_fill(1, ARRAY[9000])::{t}");
        check(&mut db, &format!("SELECT {wide} || {wide}"), "54000", &too_many(t));
        for part in ["1, 0", "1, -1", "4, 1", "0, 1", "-5, 3", "2147483647, 1", "1, -2147483648"] {
            let query = format!("SELECT subvector('[1,2,3]'::{t}, {part})");
            check(&mut db, &query, "22000", &no_dims(t));
        }
    }
}

#[test]
fn states_that_no_aggregate_made() {
    let mut db = TestDb::new();
    for t in DENSE_TYPES {
        for state in ["{}", "{{1,2}}", "{1,NULL}", "{NULL}"] {
            for (function, rest) in [
                ("accum", ", '[1]'"),
                ("sum_accum", ", '[1]'"),
                ("avg", ""),
                ("sum", ""),
                ("combine", ", '{0}'"),
            ] {
                let query = format!("SELECT {t}_{function}('{state}'::float8[]{rest})");
                let text = format!("{t}_{function}: expected state array");
                check(&mut db, &query, "XX000", &text);
            }
        }
        let query = format!("SELECT {t}_combine('{{1,2}}', '{{1,2,3}}')");
        check(&mut db, &query, "22000", "expected 1 dimensions, not 2");
        let query = format!("SELECT {t}_combine('{{0}}', array_fill(1::float8, ARRAY[16002]))");
        check(&mut db, &query, "54000", &too_many(t));
        // What the results of aggregates are.
        let total = if t == "i8vec" { "vector" } else { t };
        let query = format!("SELECT {t}_avg('{{1}}')");
        check(&mut db, &query, "22000", &no_dims(total));
        let query = format!("SELECT {t}_avg('{{1,1e300}}')");
        check(&mut db, &query, "22000", &format!("infinite value not allowed in {total}"));
        let query = format!("SELECT {t}_avg('{{1,NaN}}')");
        check(&mut db, &query, "22000", &format!("NaN not allowed in {total}"));
        let query = format!("SELECT {t}_avg(array_fill(1::float8, ARRAY[16002]))");
        check(&mut db, &query, "54000", &too_many(total));
    }
    let query = "SELECT halfvec_avg('{1,65520}')";
    check(&mut db, query, "22003", &out_of_range("65520", "halfvec"));
}
