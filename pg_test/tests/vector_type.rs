//! Type `vector`: text form, modifiers, casts, storage, comparison, sorting.

use pg_test::TestDb;

/// The only value of the only row, as text.
#[track_caller]
fn text(db: &mut TestDb, query: &str) -> Option<String> {
    for message in db.simple_query(query).unwrap() {
        if let postgres::SimpleQueryMessage::Row(row) = message {
            return row.get(0).map(str::to_owned);
        }
    }
    panic!("no row: {query}");
}

#[track_caller]
fn check(db: &mut TestDb, expression: &str, expected: &str) {
    assert_eq!(
        text(db, &format!("SELECT {expression}")).as_deref(),
        Some(expected),
        "{expression}"
    );
}

#[test]
fn text_is_read_as_strtof_reads_and_printed_shortest() {
    let mut db = TestDb::new();
    for (literal, printed) in [
        ("[1,2,3]", "[1,2,3]"),
        (" \t\n\r\u{b}\u{c}[ \t\n1 \u{b}\u{c}, 2\r ]\n ", "[1,2]"),
        ("[+1,-1,-0,0,+.5,5.,-.25]", "[1,-1,-0,0,0.5,5,-0.25]"),
        ("[1.23456789012345678901234567890]", "[1.2345679]"),
        ("[1e0,1E1,1e+2,1e-3,1e-05,0e99999]", "[1,10,100,0.001,1e-05,0]"),
        ("[123456,1234567,12345678,1e10,1e21]", "[123456,1.234567e+06,1.2345678e+07,1e+10,1e+21]"),
        ("[0x10,-0X1p-3,0x.8,0x1.8p1]", "[16,-0.125,0.5,3]"),
        (
            "[3.4028235e38,-3.4028235e38,3.4028235677e38]",
            "[3.4028235e+38,-3.4028235e+38,3.4028235e+38]",
        ),
        ("[1.17549435e-38,1e-45,1e-46,-1e-400]", "[1.1754944e-38,1e-45,0,-0]"),
        ("[0.1,0.2,0.30000001192092896]", "[0.1,0.2,0.3]"),
        // Halfway between two floats, and a hair above: one rounding, to even and up.
        ("[16777217,16777217.0000000000000000000000001]", "[1.6777216e+07,1.6777218e+07]"),
        (
            "[00012,1e0000000001,0.000000000000000000000000000000000000000000000000001e51]",
            "[12,10,1]",
        ),
    ] {
        check(&mut db, &format!("'{literal}'::vector"), printed);
    }
    // The server's settings for floats do not matter.
    db.batch_execute("SET extra_float_digits = -3").unwrap();
    check(&mut db, "'[0.30000001]'::vector", "[0.3]");
}

#[test]
fn modifiers_show_and_hold() {
    let mut db = TestDb::new();
    check(&mut db, "format_type('vector'::regtype, 3)", "vector(3)");
    check(&mut db, "format_type('vector[]'::regtype, 16000)", "vector(16000)[]");
    check(&mut db, "'[1,2,3]'::vector(3)", "[1,2,3]");
    db.batch_execute("CREATE TABLE t (v vector(3), w vector, a vector(2)[])").unwrap();
    let types = "SELECT string_agg(format_type(atttypid, atttypmod), ' ' ORDER BY attnum)
                 FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0";
    assert_eq!(text(&mut db, types).as_deref(), Some("vector(3) vector vector(2)[]"));
    db.batch_execute("INSERT INTO t VALUES ('[1,2,3]', '[1]', ARRAY['[1,2]', '[3,4]']::vector[])")
        .unwrap();
    assert_eq!(text(&mut db, "SELECT a FROM t").as_deref(), Some(r#"{"[1,2]","[3,4]"}"#));
    assert!(db.batch_execute("UPDATE t SET a = ARRAY['[1]']::vector[]").is_err());
    db.batch_execute("ALTER TABLE t ALTER w TYPE vector(1)").unwrap();
    assert!(db.batch_execute("ALTER TABLE t ALTER w TYPE vector(2)").is_err());
}

#[test]
fn casts_from_and_to_arrays() {
    let mut db = TestDb::new();
    for (expression, printed) in [
        ("ARRAY[1,-2,2147483647]::vector", "[1,-2,2.1474836e+09]"),
        ("'{1.5,NULL}'::real[] IS NULL", "f"),
        ("'{1.5,-0}'::real[]::vector(2)", "[1.5,-0]"),
        ("'{0.1,1e-300}'::float8[]::vector", "[0.1,0]"),
        ("'{0.1,1e-40,123456789}'::numeric[]::vector", "[0.1,1e-40,1.2345679e+08]"),
        ("'[5:6]={1,2}'::int[]::vector", "[1,2]"),
        // A null bitmap without a null in it.
        ("(ARRAY[1,NULL,3])[3:3]::vector", "[3]"),
        ("array_remove(ARRAY[1,NULL,3]::float8[], NULL)::vector", "[1,3]"),
        ("'[1,2.5]'::vector::real[]", "{1,2.5}"),
        ("('[1,2.5]'::vector::real[])[2]", "2.5"),
        ("array_dims('[1,2.5]'::vector::real[])", "[1:2]"),
        ("'[1,2.5]'::vector::real[]::vector = '[1,2.5]'", "t"),
    ] {
        check(&mut db, expression, printed);
    }
    db.batch_execute("CREATE TABLE t (v vector(3)); INSERT INTO t VALUES (ARRAY[1,2,3])").unwrap();
    let text_cast = db.simple_query("SELECT 1 FROM t WHERE v = ARRAY[1,2,3]");
    assert!(text_cast.is_err(), "arrays become vectors by assignment only");
}

#[test]
fn every_storage_and_size_reads_the_same() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE plain (id int, v vector);
         ALTER TABLE plain ALTER v SET STORAGE plain;
         CREATE TABLE external (LIKE plain);
         ALTER TABLE external ALTER v SET STORAGE external;
         CREATE TABLE extended (LIKE plain);
         ALTER TABLE extended ALTER v SET STORAGE extended;
         CREATE TABLE main (LIKE plain);
         ALTER TABLE main ALTER v SET STORAGE main",
    )
    .unwrap();
    for n in [1, 2, 25, 26, 29, 30, 31, 100, 490, 510, 1_000, 1_900] {
        for table in ["plain", "external", "extended", "main"] {
            // Repeated numbers, so that what may be compressed is.
            let insert = format!(
                "INSERT INTO {table} SELECT {n}, array_agg(i % 4)::vector
                 FROM generate_series(1, {n}) AS i"
            );
            db.batch_execute(&insert).unwrap();
        }
    }
    for table in ["external", "extended", "main"] {
        let query = format!(
            "SELECT count(*) || ' ' || max(a.v <-> b.v) || ' ' || bool_and(a.v = b.v) || ' '
                 || bool_and(vector_send(a.v) = vector_send(b.v)) || ' '
                 || bool_and(a.v::text = b.v::text) || ' ' || bool_and(vector_dims(b.v) = id)
             FROM plain AS a JOIN {table} AS b USING (id)"
        );
        assert_eq!(text(&mut db, &query).as_deref(), Some("12 0 true true true true"), "{table}");
    }
}

#[test]
fn order_is_by_element_then_length() {
    let mut db = TestDb::new();
    let ascending = [
        "[-3e38,9]",
        "[-1]",
        "[-1,-5]",
        "[0]",
        "[0,0]",
        "[1e-45]",
        "[1]",
        "[1,-9,9]",
        "[1,2]",
        "[2]",
    ];
    for (i, a) in ascending.iter().enumerate() {
        for (j, b) in ascending.iter().enumerate() {
            let query = format!(
                "concat_ws(' ', a < b, a <= b, a = b, a <> b, a >= b, a > b, vector_cmp(a, b))
                 FROM (SELECT '{a}'::vector AS a, '{b}'::vector AS b) AS t"
            );
            let expected = match i.cmp(&j) {
                std::cmp::Ordering::Less => "t t f t f f -1",
                std::cmp::Ordering::Equal => "f t t f t f 0",
                std::cmp::Ordering::Greater => "f f f t t t 1",
            };
            check(&mut db, &query, expected);
        }
    }
    check(&mut db, "'[0,-0]'::vector = '[-0,0]'", "t");
}

#[test]
fn btree_sorts_groups_and_keeps_unique() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE t (v vector PRIMARY KEY);
         INSERT INTO t SELECT ARRAY[i % 10, i / 10]::vector FROM generate_series(0, 99) AS i;
         SET enable_seqscan = off",
    )
    .unwrap();
    let query =
        "SELECT string_agg(v::text, ' ' ORDER BY v) FROM t WHERE v > '[9,6]' OR v <= '[0,1]'";
    let expected = "[0,0] [0,1] [9,7] [9,8] [9,9]";
    assert_eq!(text(&mut db, query).as_deref(), Some(expected));
    let plan = pg_test::explain_plan(&mut db, "SELECT * FROM t WHERE v = '[3,4]'").unwrap();
    assert!(plan.contains("Index Cond: (v = '[3,4]'::vector)"), "{plan}");
    assert_eq!(text(&mut db, "SELECT v FROM t WHERE v = '[3,4]'").as_deref(), Some("[3,4]"));
    let error = db.batch_execute("INSERT INTO t VALUES ('[3,4]')").unwrap_err();
    assert_eq!(pg_test::sqlstate(&error), "23505");
    let distinct = "SELECT count(*) FROM (SELECT DISTINCT subvector(v, 1, 1) FROM t) AS d";
    assert_eq!(text(&mut db, distinct).as_deref(), Some("10"));
}

#[test]
fn a_long_sort_of_toasted_vectors_keeps_its_memory() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE t AS
             SELECT (array_fill(0, ARRAY[1999]) || i)::vector AS v
             FROM generate_series(1, 3000) AS i ORDER BY random();
         SET work_mem = '64MB'",
    )
    .unwrap();
    let sorted =
        "SELECT count(*) FROM (SELECT v > lag(v) OVER (ORDER BY v) AS up FROM t) AS t WHERE up";
    assert_eq!(text(&mut db, sorted).as_deref(), Some("2999"));
    // 30,000 comparisons of two times 8 kB, which unfreed are near half a gigabyte.
    let status = "SELECT substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\\s+(\\d+)')";
    let peak_kb: u64 = text(&mut db, status).unwrap().parse().unwrap();
    assert!(peak_kb < 400_000, "peak {peak_kb} kB");
}
