//! Type `sparsevec`: text form, modifiers, casts, storage, comparison, sorting.

use pg_test::{TestDb, text};

#[track_caller]
fn check(db: &mut TestDb, expression: &str, expected: &str) {
    let value = text(db, &format!("SELECT {expression}"));
    assert_eq!(value.as_deref(), Some(expected), "{expression}");
}

#[test]
fn text_is_sorted_and_without_zeros() {
    let mut db = TestDb::new();
    for (literal, printed) in [
        ("{1:1.5,3:3.5}/5", "{1:1.5,3:3.5}/5"),
        ("{}/1", "{}/1"),
        (" \t{\n}\u{b}/\u{c}\r7 ", "{}/7"),
        (" { 1 : 1.5 ,\t3  :\n 3.5  } / 5 ", "{1:1.5,3:3.5}/5"),
        ("{3:1,1:2,2:3}/3", "{1:2,2:3,3:1}/3"),
        ("{1:0,2:-0,3:1,4:0e99}/4", "{3:1}/4"),
        // A zero is not stored, so its index does not count.
        ("{9:0,1:0,1:0,1:1}/2", "{1:1}/2"),
        ("{+1:+2.,002:.5}/+0005", "{1:2,2:0.5}/5"),
        ("{1:0x1p-3,2:1e-45,3:-3.4028235e38}/3", "{1:0.125,2:1e-45,3:-3.4028235e+38}/3"),
        ("{1000000000:1}/1000000000", "{1000000000:1}/1000000000"),
    ] {
        check(&mut db, &format!("'{literal}'::sparsevec"), printed);
    }
    db.batch_execute("SET extra_float_digits = -3").unwrap();
    check(&mut db, "'{1:0.30000001}/1'::sparsevec", "{1:0.3}/1");
}

#[test]
fn as_many_elements_as_the_limit_allows() {
    let mut db = TestDb::new();
    let elements: Vec<String> = (1..=16_000).map(|i| format!("{}:{i}", i * 62_500)).collect();
    let literal = format!("{{{}}}/1000000000", elements.join(","));
    check(&mut db, &format!("'{literal}'::sparsevec"), &literal);
    db.batch_execute(&format!("CREATE TABLE t AS SELECT '{literal}'::sparsevec AS v")).unwrap();
    check(&mut db, "v <-> v FROM t", "0");
    check(&mut db, "inner_product(v, subvector(v, 1, 2147483647)) > 1e12 FROM t", "t");
}

#[test]
fn modifiers_show_and_hold() {
    let mut db = TestDb::new();
    check(&mut db, "format_type('sparsevec'::regtype, 3)", "sparsevec(3)");
    check(&mut db, "format_type('sparsevec[]'::regtype, 1000000000)", "sparsevec(1000000000)[]");
    db.batch_execute(
        "CREATE TABLE t (v sparsevec(3), w sparsevec, a sparsevec(2)[]);
         INSERT INTO t VALUES ('{1:1}/3', '{}/1', ARRAY['{1:1}/2', '{}/2']::sparsevec[])",
    )
    .unwrap();
    check(&mut db, "a FROM t", r#"{"{1:1}/2","{}/2"}"#);
    for refused in [
        "INSERT INTO t (v) VALUES ('{}/4')",
        "UPDATE t SET a = ARRAY['{}/1']::sparsevec[]",
        "ALTER TABLE t ALTER w TYPE sparsevec(2)",
    ] {
        assert!(db.batch_execute(refused).is_err(), "{refused}");
    }
    db.batch_execute("ALTER TABLE t ALTER w TYPE sparsevec(1)").unwrap();
}

#[test]
fn casts_from_and_to_vectors_and_arrays() {
    let mut db = TestDb::new();
    for (expression, printed) in [
        ("'[0,1.5,-0,3.5,0]'::vector::sparsevec", "{2:1.5,4:3.5}/5"),
        ("'[0,0]'::vector::sparsevec(2)", "{}/2"),
        ("'{2:1.5,4:3.5}/5'::sparsevec::vector(5)", "[0,1.5,0,3.5,0]"),
        ("'{}/16000'::sparsevec::vector <-> '{}/16000'::sparsevec::vector", "0"),
        ("ARRAY[0,-2,2147483647]::sparsevec", "{2:-2,3:2.1474836e+09}/3"),
        ("'{1.5,-0}'::real[]::sparsevec(2)", "{1:1.5}/2"),
        ("'{0.1,1e-300}'::float8[]::sparsevec", "{1:0.1}/2"),
        ("'{0.1,0,1e-40}'::numeric[]::sparsevec", "{1:0.1,3:1e-40}/3"),
        ("'[5:6]={0,2}'::int[]::sparsevec", "{2:2}/2"),
        ("(ARRAY[1,NULL,3])[3:3]::sparsevec", "{1:3}/1"),
        // More dimensions than a vector may have.
        ("(array_fill(0, ARRAY[99999]) || 7)::sparsevec", "{100000:7}/100000"),
        ("sparsevec('{1:1}/2', -1, true)", "{1:1}/2"),
        ("'[0,1.5,-0]'::halfvec::sparsevec(3)", "{2:1.5}/3"),
        ("'[0,1.5,-0]'::bf16vec::sparsevec(3)", "{2:1.5}/3"),
        ("'[0,-128,0]'::i8vec::sparsevec(3)", "{2:-128}/3"),
        ("'{2:1.0001,3:65519}/3'::sparsevec::halfvec(3)", "[0,1,65504]"),
        ("'{2:1.001,3:-3e38}/3'::sparsevec::bf16vec(3)", "[0,1,-3.0040553e+38]"),
        ("'{2:1.5,3:2.5}/3'::sparsevec::i8vec(3)", "[0,2,2]"),
        // A vector becomes sparse by itself where the other side is.
        ("'[3,4]'::vector <-> '{}/2'::sparsevec", "5"),
        ("'[3,4]'::halfvec <-> '{}/2'::sparsevec", "5"),
        ("'[3,4]'::vector = '{1:3,2:4}/2'::sparsevec", "t"),
    ] {
        check(&mut db, expression, printed);
    }
    db.batch_execute(
        "CREATE TABLE t (v sparsevec(3), d vector(3));
         INSERT INTO t VALUES (ARRAY[1,0,3], '{2:5}/3'::sparsevec), ('[0,0,7]'::vector, NULL)",
    )
    .unwrap();
    check(
        &mut db,
        "string_agg(v::text, ' ' ORDER BY v) || max(d::text) FROM t",
        "{3:7}/3 {1:1,3:3}/3[0,5,0]",
    );
    let array = db.simple_query("SELECT 1 FROM t WHERE v = ARRAY[1,2,3]");
    assert!(array.is_err(), "arrays become sparse vectors by assignment only");
}

#[test]
fn every_storage_and_size_reads_the_same() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE plain (id int, v sparsevec);
         ALTER TABLE plain ALTER v SET STORAGE plain;
         CREATE TABLE external (LIKE plain);
         ALTER TABLE external ALTER v SET STORAGE external;
         CREATE TABLE extended (LIKE plain);
         ALTER TABLE extended ALTER v SET STORAGE extended",
    )
    .unwrap();
    for n in [1, 2, 13, 14, 15, 30, 100, 245, 255, 500, 990] {
        for table in ["plain", "external", "extended"] {
            let insert = format!(
                "INSERT INTO {table} SELECT {n}, array_agg(1 + i % 4)::sparsevec
                 FROM generate_series(1, {n}) AS i"
            );
            db.batch_execute(&insert).unwrap();
        }
    }
    for table in ["external", "extended"] {
        let query = format!(
            "SELECT count(*) || ' ' || max(a.v <-> b.v) || ' ' || bool_and(a.v = b.v) || ' '
                 || bool_and(sparsevec_send(a.v) = sparsevec_send(b.v)) || ' '
                 || bool_and(a.v::text = b.v::text) || ' ' || bool_and(vector_dims(b.v) = id)
             FROM plain AS a JOIN {table} AS b USING (id)"
        );
        assert_eq!(text(&mut db, &query).as_deref(), Some("11 0 true true true true"), "{table}");
    }
}

#[test]
fn order_is_that_of_the_dense_vectors() {
    let mut db = TestDb::new();
    let dense = [
        "[0]",
        "[0,0]",
        "[0,0,0]",
        "[0,0,1]",
        "[0,0,-1]",
        "[0,1]",
        "[0,-1]",
        "[0,1,0]",
        "[0,-1,0]",
        "[0,-1,5]",
        "[1]",
        "[-1]",
        "[1,0]",
        "[-1,0]",
        "[1,0,2]",
        "[1,0,-2]",
        "[1,2,3]",
        "[1,2]",
        "[-1,2]",
        "[2]",
        "[1e-45]",
        "[-1e-45,0,0]",
    ];
    let rows: Vec<String> = dense.iter().map(|v| format!("('{v}'::vector)")).collect();
    let rows = format!("(VALUES {}) AS", rows.join(","));
    let pairs = format!(
        "count(*) || ' ' || count(*) FILTER (WHERE
             (a < b, a <= b, a = b, a <> b, a >= b, a > b, vector_cmp(a, b))
           = (c < d, c <= d, c = d, c <> d, c >= d, c > d, sparsevec_cmp(c, d)))
         FROM (SELECT a, b, a::sparsevec AS c, b::sparsevec AS d
               FROM {rows} a (a), {rows} b (b)) AS t"
    );
    check(&mut db, &pairs, "484 484");
}

#[test]
fn btree_sorts_groups_and_keeps_unique() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE t (v sparsevec PRIMARY KEY);
         INSERT INTO t SELECT ARRAY[i % 10, i / 10]::sparsevec FROM generate_series(0, 99) AS i;
         SET enable_seqscan = off",
    )
    .unwrap();
    let range =
        "string_agg(v::text, ' ' ORDER BY v) FROM t WHERE v > '{1:9,2:7}/2' OR v <= '{2:1}/2'";
    check(&mut db, range, "{}/2 {2:1}/2 {1:9,2:8}/2 {1:9,2:9}/2");
    let plan = pg_test::explain_plan(&mut db, "SELECT * FROM t WHERE v = '{1:3,2:4}/2'").unwrap();
    assert!(plan.contains("Index Cond: (v = '{1:3,2:4}/2'::sparsevec)"), "{plan}");
    check(&mut db, "v FROM t WHERE v = '{1:3,2:4}/2'", "{1:3,2:4}/2");
    let error = db.batch_execute("INSERT INTO t VALUES ('{2:4,1:3}/2')").unwrap_err();
    assert_eq!(pg_test::sqlstate(&error), "23505");
    check(&mut db, "count(*) FROM (SELECT DISTINCT subvector(v, 1, 1) FROM t) AS d", "10");
}
