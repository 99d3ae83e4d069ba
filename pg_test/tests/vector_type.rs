//! The dense types: text form, modifiers, casts, storage, comparison, sorting.

use pg_test::{DENSE_TYPES, TestDb, text};

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
fn halves_are_rounded_to_even() {
    let mut db = TestDb::new();
    for (literal, printed) in [
        ("[1,-2.5,0.1,-0]", "[1,-2.5,0.099975586,-0]"),
        ("[0x1p-1, .5e1 ,+3]", "[0.5,5,3]"),
        // Halfway between two halves: to the even one.
        ("[2049,2051,1.00048828125,1.0005]", "[2048,2052,1,1.0009766]"),
        ("[65504,65519.99,-65519.99]", "[65504,65504,-65504]"),
        // The smallest one, half of it, and a hair above.
        ("[5.9604645e-8,2.9802322e-8,3e-8,-1e-9]", "[5.9604645e-08,0,5.9604645e-08,-0]"),
    ] {
        check(&mut db, &format!("'{literal}'::halfvec"), printed);
    }
}

#[test]
fn bfloats_are_rounded_to_even() {
    let mut db = TestDb::new();
    for (literal, printed) in [
        ("[1,-2.5,0.1,-0]", "[1,-2.5,0.100097656,-0]"),
        ("[257,259,1.00390625,1.003907]", "[256,260,1,1.0078125]"),
        ("[3.3895314e38,-3.3961e38]", "[3.3895314e+38,-3.3895314e+38]"),
        ("[1e-40,4.6e-41,-1e-45]", "[9.1835e-41,9.1835e-41,-0]"),
    ] {
        check(&mut db, &format!("'{literal}'::bf16vec"), printed);
    }
}

#[test]
fn integers_are_read_as_such() {
    let mut db = TestDb::new();
    for (literal, printed) in [
        ("[1,2,3]", "[1,2,3]"),
        ("[127,-128,0,-0,+5,007]", "[127,-128,0,0,5,7]"),
        (" \t\n[ 1 ,\r2\u{b} ]\u{c}", "[1,2]"),
    ] {
        check(&mut db, &format!("'{literal}'::i8vec"), printed);
    }
}

#[test]
fn modifiers_show_and_hold() {
    let mut db = TestDb::new();
    for t in DENSE_TYPES {
        check(&mut db, &format!("format_type('{t}'::regtype, 3)"), &format!("{t}(3)"));
        let of_array = format!("{t}(16000)[]");
        check(&mut db, &format!("format_type('{t}[]'::regtype, 16000)"), &of_array);
        check(&mut db, &format!("'[1,2,3]'::{t}(3)"), "[1,2,3]");
        let table = format!("CREATE TABLE of_{t} (v {t}(3), w {t}, a {t}(2)[])");
        db.batch_execute(&table).unwrap();
        let types = format!(
            "SELECT string_agg(format_type(atttypid, atttypmod), ' ' ORDER BY attnum)
             FROM pg_attribute WHERE attrelid = 'of_{t}'::regclass AND attnum > 0"
        );
        let expected = format!("{t}(3) {t} {t}(2)[]");
        assert_eq!(text(&mut db, &types).as_deref(), Some(expected.as_str()));
        db.batch_execute(&format!(
            "INSERT INTO of_{t} VALUES ('[1,2,3]', '[1]', ARRAY['[1,2]', '[3,4]']::{t}[])"
        ))
        .unwrap();
        let array = text(&mut db, &format!("SELECT a FROM of_{t}"));
        assert_eq!(array.as_deref(), Some(r#"{"[1,2]","[3,4]"}"#));
        assert!(db.batch_execute(&format!("UPDATE of_{t} SET a = ARRAY['[1]']::{t}[]")).is_err());
        db.batch_execute(&format!("ALTER TABLE of_{t} ALTER w TYPE {t}(1)")).unwrap();
        assert!(db.batch_execute(&format!("ALTER TABLE of_{t} ALTER w TYPE {t}(2)")).is_err());
    }
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
    for t in DENSE_TYPES {
        check(&mut db, &format!("ARRAY[1,-2,100]::{t}"), "[1,-2,100]");
        let printed = if t == "i8vec" { "[2,-2,100]" } else { "[1.5,-2.5,100]" };
        for array in ["real[]", "float8[]", "numeric[]"] {
            check(&mut db, &format!("'{{1.5,-2.5,100}}'::{array}::{t}"), printed);
        }
        check(&mut db, &format!("'[1,2]'::{t}::real[]"), "{1,2}");
        db.batch_execute(&format!("CREATE TABLE of_{t} (v {t}(3))")).unwrap();
        db.batch_execute(&format!("INSERT INTO of_{t} VALUES (ARRAY[1,2,3])")).unwrap();
        let compared = db.simple_query(&format!("SELECT 1 FROM of_{t} WHERE v = ARRAY[1,2,3]"));
        assert!(compared.is_err(), "arrays become vectors by assignment only");
    }
    // What may round to integers must be asked for.
    assert!(db.batch_execute("INSERT INTO of_i8vec VALUES ('{1,2,3}'::real[])").is_err());
}

#[test]
fn casts_among_dense_types() {
    let mut db = TestDb::new();
    for from in DENSE_TYPES {
        for to in DENSE_TYPES {
            check(&mut db, &format!("'[1,-2,100]'::{from}::{to}"), "[1,-2,100]");
            check(&mut db, &format!("'[1,-2,100]'::{from}::{to}(3)"), "[1,-2,100]");
            let short = db.simple_query(&format!("SELECT '[1,-2,100]'::{from}::{to}(2)"));
            let error = short.unwrap_err();
            assert_eq!(pg_test::message(&error), "expected 2 dimensions, not 3");
        }
    }
    for (expression, printed) in [
        ("'[0.1,2049,1e-9]'::vector::halfvec", "[0.099975586,2048,0]"),
        ("'[0.1,257,1e-9]'::vector::bf16vec", "[0.100097656,256,9.968062e-10]"),
        ("'[0.1,257]'::halfvec::bf16vec", "[0.100097656,256]"),
        ("'[0.1,1e-9]'::bf16vec::halfvec", "[0.100097656,0]"),
        ("'[0.5,1.5,2.5,-0.5,-1.5,0.51]'::vector::i8vec", "[0,2,2,0,-2,1]"),
        ("'[127.49,-128.5]'::vector::i8vec", "[127,-128]"),
        ("'[0.5,1.5,2.5]'::halfvec::i8vec", "[0,2,2]"),
        ("'[0.5,1.5,2.5]'::bf16vec::i8vec", "[0,2,2]"),
    ] {
        check(&mut db, expression, printed);
    }
    // vector to halfvec is implicit, as in pgvector; else integers are the only ones to be
    // asked for.
    let query = "SELECT string_agg(castsource::regtype || '>' || casttarget::regtype, ' '
                     ORDER BY castsource::regtype::text, casttarget::regtype::text)
         FROM pg_cast WHERE castsource <> casttarget AND castcontext = $1
             AND castsource = ANY ($2::text[]::regtype[]) AND casttarget = ANY ($2::text[]::regtype[])";
    let mut of_context = |context: i8| -> String {
        db.query_one(query, &[&context, &DENSE_TYPES.as_slice()]).unwrap().get(0)
    };
    assert_eq!(of_context(b'i' as i8), "vector>halfvec");
    assert_eq!(of_context(b'e' as i8), "bf16vec>i8vec halfvec>i8vec vector>i8vec");
}

#[test]
fn every_storage_and_size_reads_the_same() {
    let mut db = TestDb::new();
    for t in DENSE_TYPES {
        db.batch_execute(&format!(
            "DROP TABLE IF EXISTS plain, external, extended, main;
             CREATE TABLE plain (id int, v {t});
             ALTER TABLE plain ALTER v SET STORAGE plain;
             CREATE TABLE external (LIKE plain);
             ALTER TABLE external ALTER v SET STORAGE external;
             CREATE TABLE extended (LIKE plain);
             ALTER TABLE extended ALTER v SET STORAGE extended;
             CREATE TABLE main (LIKE plain);
             ALTER TABLE main ALTER v SET STORAGE main"
        ))
        .unwrap();
        for n in [1, 2, 25, 26, 29, 30, 31, 100, 490, 510, 1_000, 1_900] {
            for table in ["plain", "external", "extended", "main"] {
                // Repeated numbers, so that what may be compressed is.
                let insert = format!(
                    "INSERT INTO {table} SELECT {n}, array_agg(i % 4)::{t}
                     FROM generate_series(1, {n}) AS i"
                );
                db.batch_execute(&insert).unwrap();
            }
        }
        for table in ["external", "extended", "main"] {
            let query = format!(
                "SELECT count(*) || ' ' || max(a.v <-> b.v) || ' ' || bool_and(a.v = b.v) || ' '
                     || bool_and({t}_send(a.v) = {t}_send(b.v)) || ' '
                     || bool_and(a.v::text = b.v::text) || ' ' || bool_and(vector_dims(b.v) = id)
                 FROM plain AS a JOIN {table} AS b USING (id)"
            );
            let same = text(&mut db, &query);
            assert_eq!(same.as_deref(), Some("12 0 true true true true"), "{t} {table}");
        }
    }
}

#[test]
fn plain_storage_has_an_end() {
    let mut db = TestDb::new();
    for t in DENSE_TYPES {
        let create = format!("DROP TABLE IF EXISTS t; CREATE TABLE t (v {t})");
        db.batch_execute(&create).unwrap();
        let insert = format!("INSERT INTO t SELECT array_fill(1, ARRAY[9000])::{t}");
        db.batch_execute(&insert).unwrap();
        db.batch_execute("ALTER TABLE t ALTER v SET STORAGE plain").unwrap();
        let error = db.batch_execute(&insert).expect_err(t);
        assert!(pg_test::message(&error).starts_with("row is too big: size "), "{error}");
    }
}

#[test]
fn order_is_by_element_then_length() {
    let mut db = TestDb::new();
    for t in DENSE_TYPES {
        let (lowest, least) = match t {
            "vector" | "bf16vec" => ("[-3e38,9]", "[1e-39]"),
            "halfvec" => ("[-65504,9]", "[6e-8]"),
            _ => ("[-128,9]", "[1,-127]"),
        };
        let ascending =
            [lowest, "[-1]", "[-1,-5]", "[0]", "[0,0]", least, "[1,-9,9]", "[1,2]", "[2]"];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                let query = format!(
                    "concat_ws(' ', a < b, a <= b, a = b, a <> b, a >= b, a > b, {t}_cmp(a, b))
                     FROM (SELECT '{a}'::{t} AS a, '{b}'::{t} AS b) AS t"
                );
                let expected = match i.cmp(&j) {
                    std::cmp::Ordering::Less => "t t f t f f -1",
                    std::cmp::Ordering::Equal => "f t t f t f 0",
                    std::cmp::Ordering::Greater => "f f f t t t 1",
                };
                check(&mut db, &query, expected);
            }
        }
        check(&mut db, &format!("'[0,-0]'::{t} = '[-0,0]'"), "t");
    }
}

#[test]
fn btree_sorts_groups_and_keeps_unique() {
    let mut db = TestDb::new();
    for t in DENSE_TYPES {
        db.batch_execute(&format!(
            "DROP TABLE IF EXISTS t;
             CREATE TABLE t (v {t} PRIMARY KEY);
             INSERT INTO t SELECT ARRAY[i % 10, i / 10]::{t} FROM generate_series(0, 99) AS i;
             SET enable_seqscan = off"
        ))
        .unwrap();
        let query =
            "SELECT string_agg(v::text, ' ' ORDER BY v) FROM t WHERE v > '[9,6]' OR v <= '[0,1]'";
        let expected = "[0,0] [0,1] [9,7] [9,8] [9,9]";
        assert_eq!(text(&mut db, query).as_deref(), Some(expected));
        let plan = pg_test::explain_plan(&mut db, "SELECT * FROM t WHERE v = '[3,4]'").unwrap();
        assert!(plan.contains(&format!("Index Cond: (v = '[3,4]'::{t})")), "{plan}");
        assert_eq!(text(&mut db, "SELECT v FROM t WHERE v = '[3,4]'").as_deref(), Some("[3,4]"));
        let error = db.batch_execute("INSERT INTO t VALUES ('[3,4]')").unwrap_err();
        assert_eq!(pg_test::sqlstate(&error), "23505");
        let distinct = "SELECT count(*) FROM (SELECT DISTINCT subvector(v, 1, 1) FROM t) AS d";
        assert_eq!(text(&mut db, distinct).as_deref(), Some("10"));
    }
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
