//! Distances, arithmetic and aggregates of the dense types, and the distances of `bit`.

use pg_test::{DENSE_TYPES, TestDb, Vector};

fn float(db: &mut TestDb, expression: &str) -> f64 {
    db.query_one(&format!("SELECT ({expression})::float8"), &[]).unwrap().get(0)
}

fn string(db: &mut TestDb, expression: &str) -> Option<String> {
    db.query_one(&format!("SELECT ({expression})::text"), &[]).unwrap().get(0)
}

#[track_caller]
fn check(db: &mut TestDb, expression: &str, expected: &str) {
    assert_eq!(string(db, expression).as_deref(), Some(expected), "{expression}");
}

/// A template of an expression for a type: `T` stands for its name.
fn of(sql_type: &str, template: &str) -> String {
    template.replace('T', sql_type)
}

#[test]
fn distances_of_small_vectors() {
    let mut db = TestDb::new();
    let common = [
        ("'[0,0]'::T <-> '[3,4]'", 5.0),
        ("l2_distance('[0,0]'::T, '[3,4]')", 5.0),
        ("T_l2_squared_distance('[0,0]', '[3,4]')", 25.0),
        ("'[1,2,3]'::T <#> '[4,5,6]'", -32.0),
        ("inner_product('[1,2,3]'::T, '[4,5,6]')", 32.0),
        ("T_negative_inner_product('[1,2,3]', '[4,5,6]')", -32.0),
        ("'[1,2,3]'::T <+> '[3,-2,4]'", 7.0),
        ("l1_distance('[1,2,3]'::T, '[3,-2,4]')", 7.0),
        ("'[1,0]'::T <=> '[0,2]'", 1.0),
        ("'[1,0]'::T <=> '[-3,0]'", 2.0),
        ("'[2,2]'::T <=> '[7,7]'", 0.0),
        ("cosine_distance('[1,1]'::T, '[1,0]')", 1.0 - 0.5f64.sqrt()),
        ("T_spherical_distance('[1,0]', '[0,1]')", 0.5),
        ("T_spherical_distance('[1,0]', '[-1,0]')", 1.0),
        ("T_spherical_distance('[2,0]', '[2,0]')", 0.0),
        ("vector_dims('[1,2,3]'::T)", 3.0),
    ];
    let common = DENSE_TYPES
        .iter()
        .flat_map(|t| common.map(|(template, expected)| (of(t, template), expected)));
    let others = [
        ("vector_norm('[3,4]')", 5.0),
        ("vector_norm('[3e37,4e37]')", 5e37),
        ("l2_norm('[3,4]'::halfvec)", 5.0),
        ("l2_norm('[60000,0,60000]'::halfvec)", 60_000.0 * 2f64.sqrt()),
        ("l2_norm('[3,4]'::bf16vec)", 5.0),
        ("l2_norm('[-128,96]'::i8vec)", 160.0),
        ("'[3e38]'::vector <-> '[-3e38]'", f64::INFINITY),
        ("'[65504]'::halfvec <-> '[-65504]'", 131_008.0),
        ("'[60000]'::halfvec <#> '[60000]'", -3.6e9),
        ("'[127]'::i8vec <+> '[-128]'", 255.0),
        // As pgvector has it, a vector becomes a halfvec where it meets one.
        ("'[3,4]'::vector <-> '[0,0]'::halfvec", 5.0),
    ];
    let others = others.map(|(expression, expected)| (expression.to_owned(), expected));
    for (expression, expected) in common.chain(others) {
        let value = float(&mut db, &expression);
        let close = value == expected || (value - expected).abs() <= 1e-6 * expected.abs();
        assert!(close, "{expression} is {value}");
    }
    for t in DENSE_TYPES {
        for zero in ["'[0,0]'::T <=> '[1,1]'", "'[0,0]'::T <=> '[0,0]'"] {
            assert!(float(&mut db, &of(t, zero)).is_nan(), "{t} {zero}");
        }
    }
}

/// All distances of vectors of many lengths against the formulas in double precision.
#[test]
fn distances_agree_with_the_formulas() {
    let mut db = TestDb::new();
    let mut seed = 7u32;
    let mut random = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((seed >> 8) as f32 / (1u32 << 23) as f32 - 1.0) * 127.0
    };
    for t in DENSE_TYPES {
        // What the numbers were rounded to comes back too.
        let query = format!(
            "SELECT a <-> b, a <#> b, a <=> b, a <+> b, a::vector, b::vector
             FROM (SELECT $1::vector::{t} AS a, $2::vector::{t} AS b) AS t"
        );
        let query = db.prepare(&query).unwrap();
        for n in (1..70).chain([127, 128, 129, 383, 768, 1_536, 16_000]) {
            let mut operand = || Vector((0..n).map(|_| random()).collect());
            let row = db.query_one(&query, &[&operand(), &operand()]).unwrap();
            let (Vector(a), Vector(b)) = (row.get(4), row.get(5));
            let sum = |term: fn(f64, f64) -> f64| -> f64 {
                a.iter().zip(&b).map(|(&a, &b)| term(a.into(), b.into())).sum()
            };
            let dot = sum(|a, b| a * b);
            let norms = (sum(|a, _| a * a) * sum(|_, b| b * b)).sqrt();
            let expected = [
                sum(|a, b| (a - b) * (a - b)).sqrt(),
                -dot,
                1.0 - dot / norms,
                sum(|a, b| (a - b).abs()),
            ];
            let magnitude = [expected[0], norms, 1.0, expected[3]];
            // Distances of integers are exact.
            let precision = if t == "i8vec" { 1e-15 } else { 2e-6 };
            for (i, expected) in expected.into_iter().enumerate() {
                let error = (row.get::<_, f64>(i) - expected).abs();
                assert!(error <= precision * magnitude[i], "{t}, {n} dims, {i}: {error}");
            }
        }
    }
}

#[test]
fn arithmetic() {
    let mut db = TestDb::new();
    for t in DENSE_TYPES {
        for (template, expected) in [
            ("'[1,2,3]'::T + '[4,5,-6]'", "[5,7,-3]"),
            ("'[1,2,3]'::T - '[4,5,-6]'", "[-3,-3,9]"),
            ("'[1,2,3]'::T * '[4,5,-6]'", "[4,10,-18]"),
            ("'[0,1]'::T * '[1,0]'", "[0,0]"),
            ("'[1,2]'::T || '[3]'", "[1,2,3]"),
            ("subvector('[1,2,3,4,5]'::T, 2, 3)", "[2,3,4]"),
            ("subvector('[1,2,3,4,5]'::T, 4, 9)", "[4,5]"),
            ("subvector('[1,2,3,4,5]'::T, -1, 4)", "[1,2]"),
            ("subvector('[1,2,3,4,5]'::T, 3, 2147483647)", "[3,4,5]"),
            ("binary_quantize('[1,0,-1,2,-0,1,7,-7,1]'::T)", "100101101"),
            ("T('[1,2]'::T, -1, true)", "[1,2]"),
        ] {
            check(&mut db, &of(t, template), expected);
        }
        let none = of(t, "subvector('[1,2,3,4,5]'::T, -2147483647, 2147483647)");
        assert!(db.simple_query(&format!("SELECT {none}")).is_err(), "{none}");
    }
    for (expression, expected) in [
        ("'[0,1e-30]'::vector * '[1e-30,0]'", "[0,0]"),
        ("l2_normalize('[3,4]'::vector)", "[0.6,0.8]"),
        ("l2_normalize('[0,0]'::vector)", "[0,0]"),
        ("l2_normalize('[3e38,0]'::vector)", "[1,0]"),
        ("l2_normalize('[1e-45,0]'::vector)", "[1,0]"),
        ("binary_quantize('[1e-45,-1e-45]'::vector)", "10"),
        // Rounded once, to even.
        ("'[2048,2048]'::halfvec + '[1,3]'", "[2048,2052]"),
        ("'[0.1]'::halfvec * '[0.1]'", "[0.009994507]"),
        ("'[65504]'::halfvec + '[15]'", "[65504]"),
        ("l2_normalize('[3,4]'::halfvec)", "[0.60009766,0.7998047]"),
        ("l2_normalize('[65504,0]'::halfvec)", "[1,0]"),
        ("'[256,256]'::bf16vec + '[1,3]'", "[256,260]"),
        ("l2_normalize('[3,4]'::bf16vec)", "[0.6015625,0.80078125]"),
        ("'[-100,64]'::i8vec + '[-28,63]'", "[-128,127]"),
        ("'[-16,127]'::i8vec * '[8,-1]'", "[-128,-127]"),
    ] {
        check(&mut db, expression, expected);
    }
}

#[test]
fn bit_distances() {
    let mut db = TestDb::new();
    for (expression, expected) in [
        ("B'1010' <~> B'0110'", "2"),
        ("B'1111111111'::varbit(20) <~> B'0000000000'::varbit", "10"),
        ("repeat('1', 1000)::varbit <~> repeat('10', 500)::varbit", "500"),
        ("hamming_distance(''::varbit, ''::varbit)", "0"),
        ("B'1100' <%> B'0110'", "0.6666666666666667"),
        ("B'1111' <%> B'1111'", "0"),
        ("B'1100' <%> B'0011'", "1"),
        ("B'0000' <%> B'0000'", "1"),
        ("repeat('1', 999)::varbit <%> repeat('100', 333)::varbit", "0.6666666666666667"),
        ("binary_quantize('[1,-1]'::vector) <~> B'01'", "2"),
    ] {
        check(&mut db, expression, expected);
    }
}

#[test]
fn sum_and_avg() {
    let mut db = TestDb::new();
    for t in DENSE_TYPES {
        db.batch_execute(&format!("DROP TABLE IF EXISTS t; CREATE TABLE t (g int, v {t})"))
            .unwrap();
        for empty in ["avg", "sum"] {
            assert_eq!(string(&mut db, &format!("SELECT {empty}(v) FROM t")), None);
        }
        db.batch_execute("INSERT INTO t VALUES (0, NULL)").unwrap();
        assert_eq!(string(&mut db, "SELECT avg(v) FROM t"), None);
        db.batch_execute("INSERT INTO t VALUES (1, '[1,2]'), (1, '[2,8]'), (2, '[100,0]')")
            .unwrap();
        let total = if t == "i8vec" { "vector" } else { t };
        check(
            &mut db,
            "SELECT pg_typeof(sum(v)) || ' ' || pg_typeof(avg(v)) FROM t",
            &format!("{total} {total}"),
        );
        check(&mut db, "SELECT avg(v) FROM t WHERE g < 2", "[1.5,5]");
        check(&mut db, "SELECT sum(v) FROM t WHERE g < 2", "[3,10]");
        let groups = "SELECT string_agg(concat(a, ' ', s), ' ') FROM
            (SELECT avg(v) AS a, sum(v) AS s FROM t WHERE g > 0 GROUP BY g ORDER BY g) AS t";
        check(&mut db, groups, "[1.5,5] [3,10] [100,0] [100,0]");
        // A window sees the state between its rows, which the aggregate changes in place.
        let window = "SELECT string_agg(concat(a, ' ', s), ' ') FROM
            (SELECT avg(v) OVER (ORDER BY v) AS a, sum(v) OVER (ORDER BY v) AS s
             FROM t WHERE g = 1) AS s";
        check(&mut db, window, "[1,2] [1,2] [1.5,5] [3,10]");
        for (template, expected) in [
            ("T_accum('{1,2,3}', '[1,1]')", "{2,3,4}"),
            ("T_accum('{0}', '[1,-1]')", "{1,1,-1}"),
            ("T_combine('{1,2,3}', '{2,3,4}')", "{3,5,7}"),
            ("T_combine('{0}', '{2,3,4}')", "{2,3,4}"),
            ("T_combine('{2,3,4}', '{0}')", "{2,3,4}"),
            ("T_combine('{0}', '{0}')", "{0}"),
            ("T_avg('{2,3,4}')", "[1.5,2]"),
            ("T_sum('{2,3,4}')", "[3,4]"),
        ] {
            check(&mut db, &of(t, template), expected);
        }
        assert_eq!(string(&mut db, &of(t, "T_avg('{0}')")), None);
        assert_eq!(string(&mut db, &of(t, "T_sum('{0}')")), None);
    }
    // Sums are kept in double precision: what does not fit an element may pass.
    for (numbers, t, avg) in [
        ("('[3e38]'::vector), ('[3e38]')", "vector", "[3e+38]"),
        ("('[65504]'::halfvec), ('[65504]')", "halfvec", "[65504]"),
    ] {
        check(&mut db, &format!("SELECT avg(v) FROM (VALUES {numbers}) AS t (v)"), avg);
        let error = db.simple_query(&format!("SELECT sum(v) FROM (VALUES {numbers}) AS t (v)"));
        let error = pg_test::message(&error.unwrap_err());
        assert_eq!(error, "value out of range: overflow", "{t}");
    }
    let back =
        "SELECT sum(v) FROM (VALUES ('[65504]'::halfvec), ('[65504]'), ('[-65504]')) AS t (v)";
    check(&mut db, back, "[65504]");
}

/// Where the sum were kept in the type itself, adding would soon change nothing.
#[test]
fn a_million_rows_lose_nothing() {
    let mut db = TestDb::new();
    for (t, element, sum, avg) in [
        ("vector", "0.1", "[100000]", "[0.1]"),
        ("halfvec", "0.0625", "[62496]", "[0.0625]"),
        ("bf16vec", "1", "[999424]", "[1]"),
        ("i8vec", "127", "[1.27e+08]", "[127]"),
    ] {
        let query = format!(
            "SELECT concat(sum(v), ' ', avg(v))
             FROM (SELECT '[{element}]'::{t} AS v FROM generate_series(1, 1000000)) AS t"
        );
        check(&mut db, &query, &format!("{sum} {avg}"));
    }
}

#[test]
fn a_state_that_is_a_column_is_not_changed() {
    let mut db = TestDb::new();
    db.batch_execute("CREATE TABLE t (s float8[]); INSERT INTO t VALUES ('{1,2,3}')").unwrap();
    check(&mut db, "SELECT vector_accum(s, '[1,1]')::text || s::text FROM t", "{2,3,4}{1,2,3}");
}

#[test]
fn parallel_aggregates_agree_with_serial_ones() {
    let mut db = TestDb::new();
    db.batch_execute(
        "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0",
    )
    .unwrap();
    // The second sum is 2857 times 0 + ... + 6, and 1: as the type holds it.
    for (t, avg, sum) in [
        ("vector", "[49.5,2.9999]", "[59998]"),
        ("halfvec", "[49.5,3]", "[60000]"),
        ("bf16vec", "[49.5,3]", "[59904]"),
        ("i8vec", "[49.5,2.9999]", "[59998]"),
    ] {
        db.batch_execute(&format!(
            "DROP TABLE IF EXISTS t;
             CREATE TABLE t AS SELECT ARRAY[i % 100, i % 7]::{t} AS v FROM generate_series(1, 20000) AS i;
             ALTER TABLE t SET (parallel_workers = 2);
             ANALYZE t"
        ))
        .unwrap();
        let query = "SELECT avg(v), sum(v) FROM t";
        let plan = pg_test::explain_plan(&mut db, query).unwrap();
        assert!(plan.contains("Partial Aggregate"), "{t}: {plan}");
        check(&mut db, "SELECT avg(v) FROM t", avg);
        check(&mut db, "SELECT sum(subvector(v, 2, 1)) FROM t", sum);
    }
}

#[test]
fn info_names_version_and_instruction_set() {
    let mut db = TestDb::new();
    let row = db.query_one("SELECT version, cpu, gpu FROM vector_ext_info()", &[]).unwrap();
    let (version, cpu): (String, String) = (row.get(0), row.get(1));
    check(&mut db, "SELECT extversion FROM pg_extension WHERE extname = 'vector_ext'", &version);
    assert!(["scalar", "avx2", "avx512", "neon"].contains(&cpu.as_str()), "{cpu}");
    assert!(!row.get::<_, String>(2).is_empty());
}
