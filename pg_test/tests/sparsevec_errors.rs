//! Bad input to type `sparsevec`: SQLSTATE, message and detail of every refusal.

use pg_test::{TestDb, refusal};

#[track_caller]
fn check(db: &mut TestDb, query: &str, code: &str, text: &str) {
    assert_eq!(refusal(db, query), (code.into(), text.into(), String::new()), "{query}");
}

const NO_DIMS: &str = "sparsevec must have at least 1 dimension";
const TOO_MANY: &str = "sparsevec cannot have more than 1000000000 dimensions";
const NON_ZEROS: &str = "sparsevec cannot have more than 16000 non-zero elements";

#[test]
fn malformed_literals() {
    let mut db = TestDb::new();
    let start = "Vector contents must start with \"{\".";
    let end = "Unexpected end of input.";
    let junk = "Junk after closing.";
    for (literal, detail) in [
        ("", start),
        ("   ", start),
        ("[1:1]/1", start),
        ("1:1/1", start),
        ("\u{feff}{}/1", start),
        ("{", ""),
        ("{ ", ""),
        ("{:", ""),
        ("{,", ""),
        ("{1", ""),
        ("{1:", ""),
        ("{1:1", ""),
        ("{1:1,", ""),
        ("{1:1,}/1", ""),
        ("{,1:1}/1", ""),
        ("{1:1,,2:1}/2", ""),
        ("{1:1 2:1}/2", ""),
        ("{1:1;2:1}/2", ""),
        ("{1}/1", ""),
        ("{1=1}/1", ""),
        ("{a:1}/1", ""),
        ("{1a:1}/1", ""),
        ("{1.5:1}/1", ""),
        ("{- 1:1}/1", ""),
        ("{+-1:1}/1", ""),
        ("{0x1:1}/1", ""),
        ("{1::1}/1", ""),
        ("{1:a}/1", ""),
        ("{1:1a}/1", ""),
        ("{1:}/1", ""),
        ("{{}}/1", ""),
        ("{é:1}/1", ""),
        ("{1:é}/1", ""),
        ("{1:1]/1", ""),
        ("{}", end),
        ("{} 1", end),
        ("{1:1}", end),
        ("{}}/1", end),
        ("{}/", ""),
        ("{}/ ", ""),
        ("{}/a", ""),
        ("{}/-", ""),
        ("{}//1", ""),
        ("{}/1a", junk),
        ("{}/1.5", junk),
        ("{}/1e3", junk),
        ("{}/1 2", junk),
        ("{}/1}", junk),
    ] {
        let text = format!("invalid input syntax for type sparsevec: \"{literal}\"");
        let query = format!("SELECT '{literal}'::sparsevec");
        assert_eq!(refusal(&mut db, &query), ("22P02".into(), text, detail.into()), "{literal}");
    }
}

#[test]
fn values_that_are_no_finite_real() {
    let mut db = TestDb::new();
    for literal in ["{1:nan}/1", "{1:-NaN,", "{9:NAN(1)}/1"] {
        let query = format!("SELECT '{literal}'::sparsevec");
        check(&mut db, &query, "22000", "NaN not allowed in sparsevec");
    }
    for literal in ["{1:inf}/1", "{1:-Infinity x", "{9:+inf}/1"] {
        let query = format!("SELECT '{literal}'::sparsevec");
        check(&mut db, &query, "22000", "infinite value not allowed in sparsevec");
    }
    // Unlike a vector, it does not take what is too small, as no zero is kept.
    for token in [
        "4e38",
        "-4e38",
        "1e400",
        "0x1p128",
        "1e-46",
        "-1e-46",
        "1e-400",
        "0x1p-200",
        "0x0.1p-999",
        "0.0000000000000000000000000000000000000000000000001",
    ] {
        let text = format!("\"{token}\" is out of range for type sparsevec");
        check(&mut db, &format!("SELECT '{{1:{token}x'::sparsevec"), "22003", &text);
    }
}

#[test]
fn dimensions_and_indices_of_literals() {
    let mut db = TestDb::new();
    for (literal, code, text) in [
        ("{}/0", "22000", NO_DIMS),
        ("{9:1}/-1", "22000", NO_DIMS),
        ("{}/-9223372036854775809", "22000", NO_DIMS),
        ("{}/1000000001", "54000", TOO_MANY),
        ("{}/99999999999999999999", "54000", TOO_MANY),
        ("{0:1}/1", "22000", "sparsevec index out of bounds"),
        ("{2:1}/1", "22000", "sparsevec index out of bounds"),
        ("{-5:1}/9", "22000", "sparsevec index out of bounds"),
        ("{4294967297:1}/9", "22000", "sparsevec index out of bounds"),
        ("{-99999999999999999999:1}/9", "22000", "sparsevec index out of bounds"),
        ("{99999999999999999999:1}/9", "22000", "sparsevec index out of bounds"),
        ("{2:1,1:1,2:5}/9", "22000", "sparsevec indices must not contain duplicates"),
        ("{1:1,2:1,1:1}/2", "22000", "sparsevec indices must not contain duplicates"),
    ] {
        check(&mut db, &format!("SELECT '{literal}'::sparsevec"), code, text);
    }
    check(&mut db, "SELECT '{}/2'::sparsevec(3)", "22000", "expected 3 dimensions, not 2");
    db.batch_execute("CREATE TABLE t (v sparsevec(3))").unwrap();
    let insert = "INSERT INTO t VALUES ('{1:1}/4')";
    check(&mut db, insert, "22000", "expected 3 dimensions, not 4");
    // Commas are counted before anything else is looked at.
    let commas = ",".repeat(16_000);
    check(&mut db, &format!("SELECT '{commas}'::sparsevec"), "54000", NON_ZEROS);
}

#[test]
fn type_modifiers() {
    let mut db = TestDb::new();
    for (modifier, code, text) in [
        ("0", "22023", "dimensions for type sparsevec must be at least 1"),
        ("-1", "22023", "dimensions for type sparsevec must be at least 1"),
        ("1000000001", "22023", "dimensions for type sparsevec cannot exceed 1000000000"),
        ("2147483647", "22023", "dimensions for type sparsevec cannot exceed 1000000000"),
        ("3,4", "22023", "invalid type modifier"),
        ("'a'", "22P02", "invalid input syntax for type integer: \"a\""),
    ] {
        check(&mut db, &format!("CREATE TABLE t (v sparsevec({modifier}))"), code, text);
    }
    db.batch_execute("CREATE TABLE t (v sparsevec(1000000000))").unwrap();
}

#[test]
fn casts() {
    let mut db = TestDb::new();
    for (expression, code, text) in [
        ("'{}'::real[]::sparsevec", "22000", NO_DIMS),
        ("'{{1,2},{3,4}}'::real[]::sparsevec", "22000", "array must be 1-D"),
        ("'{1,NULL}'::int[]::sparsevec", "22004", "array must not contain nulls"),
        ("array_fill(1, ARRAY[16001])::sparsevec", "54000", NON_ZEROS),
        ("array_fill('NaN'::real, ARRAY[16001])::sparsevec", "54000", NON_ZEROS),
        ("'{0,NaN}'::real[]::sparsevec", "22000", "NaN not allowed in sparsevec"),
        ("'{-Infinity}'::float8[]::sparsevec", "22000", "infinite value not allowed in sparsevec"),
        ("'{1e39}'::float8[]::sparsevec", "22000", "infinite value not allowed in sparsevec"),
        ("'{1,2}'::float8[]::sparsevec(3)", "22000", "expected 3 dimensions, not 2"),
        ("'[1,2]'::vector::sparsevec(3)", "22000", "expected 3 dimensions, not 2"),
        ("'{}/2'::sparsevec::vector(3)", "22000", "expected 3 dimensions, not 2"),
        ("'{}/16001'::sparsevec::vector", "54000", "vector cannot have more than 16000 dimensions"),
        ("'[1,2]'::halfvec::sparsevec(3)", "22000", "expected 3 dimensions, not 2"),
        (
            "'{1:65520}/1'::sparsevec::halfvec",
            "22003",
            "\"65520\" is out of range for type halfvec",
        ),
        ("'{1:127.6}/1'::sparsevec::i8vec", "22003", "\"127.6\" is out of range for type i8vec"),
        ("'{}/2'::sparsevec::sparsevec(3)", "22000", "expected 3 dimensions, not 2"),
    ] {
        check(&mut db, &format!("SELECT {expression}"), code, text);
    }
}

#[test]
fn operands_that_do_not_fit() {
    let mut db = TestDb::new();
    let different = "different sparsevec dimensions 2 and 1";
    for operator in ["<->", "<#>", "<=>", "<+>", "+", "-", "*"] {
        let query = format!("SELECT '{{}}/2'::sparsevec {operator} '{{}}/1'::sparsevec");
        check(&mut db, &query, "22000", different);
    }
    for function in ["inner_product", "sparsevec_l2_squared_distance", "vector_score"] {
        let query = format!("SELECT {function}('{{}}/2'::sparsevec, '{{}}/1'::sparsevec)");
        check(&mut db, &query, "22000", different);
    }
    for aggregate in ["sum", "avg"] {
        let query = format!(
            "SELECT {aggregate}(v) FROM (VALUES ('{{}}/1'::sparsevec), ('{{1:1}}/2')) AS t (v)"
        );
        check(&mut db, &query, "22000", "expected 1 dimensions, not 2");
    }
}

#[test]
fn results_that_do_not_fit() {
    let mut db = TestDb::new();
    let (overflow, underflow) = ("value out of range: overflow", "value out of range: underflow");
    for (expression, text) in [
        ("'{1:3e38}/1'::sparsevec + '{1:3e38}/1'", overflow),
        ("'{1:-3e38}/1'::sparsevec - '{1:3e38}/1'", overflow),
        ("'{1:1,2:1e20}/2'::sparsevec * '{1:1,2:1e20}/2'", overflow),
        ("'{1:1,2:1e-30}/2'::sparsevec * '{1:1,2:-1e-30}/2'", underflow),
        ("sum(v) FROM (VALUES ('{1:3e38}/1'::sparsevec), ('{1:3e38}/1')) AS t (v)", overflow),
    ] {
        check(&mut db, &format!("SELECT {expression}"), "22003", text);
    }
    for part in ["1, 0", "1, -1", "4, 1", "0, 1", "2147483647, 1", "1, -2147483648"] {
        let query = format!("SELECT subvector('{{1:1}}/3'::sparsevec, {part})");
        check(&mut db, &query, "22000", NO_DIMS);
    }
    db.batch_execute(
        "CREATE TABLE halves AS
             SELECT (array_fill(0, ARRAY[n]) || array_fill(1, ARRAY[9000])
                     || array_fill(0, ARRAY[9000 - n]))::sparsevec AS v
             FROM unnest(ARRAY[0, 9000]) AS n",
    )
    .unwrap();
    let query = "SELECT a.v + b.v FROM halves AS a, halves AS b";
    check(&mut db, query, "54000", NON_ZEROS);
    check(&mut db, "SELECT sum(v) FROM halves", "54000", NON_ZEROS);
}

#[test]
fn states_that_no_aggregate_made() {
    let mut db = TestDb::new();
    for state in ["{}", "{0}", "{1,2,3}", "{{1,2}}", "{1,NULL}"] {
        for (function, rest) in [
            ("sparsevec_accum", ", '{}/1'"),
            ("sparsevec_combine", ", '{0,0}'"),
            ("sparsevec_sum", ""),
            ("sparsevec_avg", ""),
        ] {
            let query = format!("SELECT {function}('{state}'::float8[]{rest})");
            check(&mut db, &query, "XX000", &format!("{function}: expected state array"));
        }
    }
    for (state, code, text) in [
        ("{1,0}", "22000", NO_DIMS),
        ("{1,NaN}", "22000", NO_DIMS),
        ("{1,1e300}", "54000", TOO_MANY),
        ("{1,2,2,1}", "22000", "sparsevec index out of bounds"),
        ("{1,2,-1,1}", "22000", "sparsevec index out of bounds"),
        ("{1,2,1,1,0,1}", "22000", "sparsevec indices must be in ascending order"),
        ("{1,2,1,1,1,1}", "22000", "sparsevec indices must not contain duplicates"),
        ("{1,2,0,NaN}", "22000", "NaN not allowed in sparsevec"),
        ("{1,2,0,1e39}", "22003", "value out of range: overflow"),
    ] {
        check(&mut db, &format!("SELECT sparsevec_avg('{state}')"), code, text);
    }
}

/// Bytes where SQL has promised a sparse vector: refused before they are read, or before an index
/// leads out of what it is used on.
#[test]
fn damaged_values() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE FUNCTION norm(bytea) RETURNS float8
             AS '$libdir/vector_ext', 'sparsevec_l2_norm' LANGUAGE C STRICT;
         CREATE FUNCTION dense(bytea, int, bool) RETURNS vector
             AS '$libdir/vector_ext', 'sparsevec_to_vector' LANGUAGE C STRICT",
    )
    .unwrap();
    let word =
        |n: i32| n.to_le_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let bytes = |words: &[i32]| words.iter().map(|&n| word(n)).collect::<String>();
    for damaged in [
        bytes(&[]),
        "0100".into(),
        bytes(&[1]),
        bytes(&[1, 0]),
        bytes(&[1, 1, 0]),
        bytes(&[1, 1, 0, 0]),
        bytes(&[9, 2, 0, 0, 1, 0]),
        bytes(&[9, -1, 0, 0, 1]),
        bytes(&[9, i32::MAX, 0, 0, 1]),
    ] {
        for call in [format!("norm('\\x{damaged}')"), format!("dense('\\x{damaged}', -1, true)")] {
            let (code, text) = ("XX001", "invalid value of type sparsevec");
            check(&mut db, &format!("SELECT {call}"), code, text);
        }
    }
    let beyond = bytes(&[2, 1, 0, 2, 0x3f80_0000]);
    let query = format!("SELECT dense('\\x{beyond}', -1, true)");
    check(&mut db, &query, "XX001", "invalid value of type sparsevec");
    db.simple_query(&format!("SELECT norm('\\x{beyond}')")).unwrap();
}
