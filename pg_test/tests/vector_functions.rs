//! Distances, arithmetic and aggregates of `vector`, and the distances of `bit`.

use pg_test::{TestDb, Vector};

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

#[test]
fn distances_of_small_vectors() {
    let mut db = TestDb::new();
    for (expression, expected) in [
        ("'[0,0]'::vector <-> '[3,4]'", 5.0),
        ("l2_distance('[0,0]'::vector, '[3,4]')", 5.0),
        ("vector_l2_squared_distance('[0,0]', '[3,4]')", 25.0),
        ("'[1,2,3]'::vector <#> '[4,5,6]'", -32.0),
        ("inner_product('[1,2,3]'::vector, '[4,5,6]')", 32.0),
        ("vector_negative_inner_product('[1,2,3]', '[4,5,6]')", -32.0),
        ("'[1,2,3]'::vector <+> '[3,-2,4]'", 7.0),
        ("l1_distance('[1,2,3]'::vector, '[3,-2,4]')", 7.0),
        ("'[1,0]'::vector <=> '[0,2]'", 1.0),
        ("'[1,0]'::vector <=> '[-3,0]'", 2.0),
        ("'[2,2]'::vector <=> '[7,7]'", 0.0),
        ("cosine_distance('[1,1]'::vector, '[1,0]')", 1.0 - 0.5f64.sqrt()),
        ("vector_spherical_distance('[1,0]', '[0,1]')", 0.5),
        ("vector_spherical_distance('[1,0]', '[-1,0]')", 1.0),
        ("vector_spherical_distance('[2,0]', '[2,0]')", 0.0),
        ("vector_norm('[3,4]')", 5.0),
        ("vector_norm('[3e37,4e37]')", 5e37),
        ("vector_dims('[1,2,3]'::vector)", 3.0),
        ("'[3e38]'::vector <-> '[-3e38]'", f64::INFINITY),
    ] {
        let value = float(&mut db, expression);
        let close = value == expected || (value - expected).abs() <= 1e-6 * expected.abs();
        assert!(close, "{expression} is {value}");
    }
    for zero in ["'[0,0]'::vector <=> '[1,1]'", "'[0,0]'::vector <=> '[0,0]'"] {
        assert!(float(&mut db, zero).is_nan(), "{zero}");
    }
}

/// All distances of vectors of many lengths against the formulas in double precision.
#[test]
fn distances_agree_with_the_formulas() {
    let mut db = TestDb::new();
    let mut seed = 7u32;
    let mut random = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as f32 / (1u32 << 23) as f32 - 1.0
    };
    let query = db.prepare("SELECT $1 <-> $2::vector, $1 <#> $2, $1 <=> $2, $1 <+> $2").unwrap();
    for n in (1..70).chain([127, 128, 129, 383, 768, 1_536, 16_000]) {
        let a: Vec<f32> = (0..n).map(|_| random()).collect();
        let b: Vec<f32> = (0..n).map(|_| random()).collect();
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
        let row = db.query_one(&query, &[&Vector(a.clone()), &Vector(b.clone())]).unwrap();
        for (i, expected) in expected.into_iter().enumerate() {
            let error = (row.get::<_, f64>(i) - expected).abs();
            assert!(error <= 2e-6 * (1.0 + expected.abs() + norms), "{n} dims, {i}: {error}");
        }
    }
}

#[test]
fn arithmetic() {
    let mut db = TestDb::new();
    for (expression, expected) in [
        ("'[1,2,3]'::vector + '[4,5,-6]'", "[5,7,-3]"),
        ("'[1,2,3]'::vector - '[4,5,-6]'", "[-3,-3,9]"),
        ("'[1,2,3]'::vector * '[4,5,-6]'", "[4,10,-18]"),
        ("'[0,1e-30]'::vector * '[1e-30,0]'", "[0,0]"),
        ("'[1,2]'::vector || '[3]'", "[1,2,3]"),
        ("l2_normalize('[3,4]'::vector)", "[0.6,0.8]"),
        ("l2_normalize('[0,0]'::vector)", "[0,0]"),
        ("l2_normalize('[3e38,0]'::vector)", "[1,0]"),
        ("l2_normalize('[1e-45,0]'::vector)", "[1,0]"),
        ("subvector('[1,2,3,4,5]'::vector, 2, 3)", "[2,3,4]"),
        ("subvector('[1,2,3,4,5]'::vector, 4, 9)", "[4,5]"),
        ("subvector('[1,2,3,4,5]'::vector, -1, 4)", "[1,2]"),
        ("subvector('[1,2,3,4,5]'::vector, 3, 2147483647)", "[3,4,5]"),
        ("subvector('[1,2,3,4,5]'::vector, -2147483647, 2147483647)", ""),
        ("binary_quantize('[1,0,-1,2,-0,1e-45,7,-7,1]'::vector)", "100101101"),
        ("vector('[1,2]', -1, true)", "[1,2]"),
    ] {
        if expected.is_empty() {
            assert!(db.simple_query(&format!("SELECT {expression}")).is_err(), "{expression}");
        } else {
            check(&mut db, expression, expected);
        }
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
    db.batch_execute("CREATE TABLE t (g int, v vector)").unwrap();
    assert_eq!(string(&mut db, "SELECT avg(v) FROM t"), None);
    assert_eq!(string(&mut db, "SELECT sum(v) FROM t"), None);
    db.batch_execute("INSERT INTO t VALUES (0, NULL)").unwrap();
    assert_eq!(string(&mut db, "SELECT avg(v) FROM t"), None);
    db.batch_execute(
        "INSERT INTO t VALUES (1, '[1,2]'), (1, '[2,8]'), (2, '[3e38,0]'), (2, '[3e38,0]')",
    )
    .unwrap();
    check(&mut db, "SELECT avg(v) FROM t WHERE g < 2", "[1.5,5]");
    check(&mut db, "SELECT sum(v) FROM t WHERE g < 2", "[3,10]");
    // The sum of `avg` is kept in double precision: it does not overflow.
    check(&mut db, "SELECT avg(v) FROM t WHERE g = 2", "[3e+38,0]");
    check(
        &mut db,
        "SELECT string_agg(a::text, ' ') FROM (SELECT avg(v) AS a FROM t GROUP BY g ORDER BY g) s",
        "[1.5,5] [3e+38,0]",
    );
    // A window sees the state between its rows, which the aggregate changes in place.
    let window = "SELECT string_agg(a::text, ' ') FROM
        (SELECT avg(v) OVER (ORDER BY v) AS a FROM t WHERE g = 1) AS s";
    check(&mut db, window, "[1,2] [1.5,5]");
    check(&mut db, "vector_accum('{1,2,3}', '[1,1]')", "{2,3,4}");
    check(&mut db, "vector_accum('{0}', '[1,-1]')", "{1,1,-1}");
    check(&mut db, "vector_combine('{1,2,3}', '{2,3,4}')", "{3,5,7}");
    check(&mut db, "vector_combine('{0}', '{2,3,4}')", "{2,3,4}");
    check(&mut db, "vector_combine('{2,3,4}', '{0}')", "{2,3,4}");
    check(&mut db, "vector_combine('{0}', '{0}')", "{0}");
    check(&mut db, "vector_avg('{2,3,4}')", "[1.5,2]");
    assert_eq!(string(&mut db, "vector_avg('{0}')"), None);
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
        "CREATE TABLE t AS SELECT ARRAY[i, i % 7]::vector AS v FROM generate_series(1, 20000) AS i;
         ALTER TABLE t SET (parallel_workers = 2);
         ANALYZE t;
         SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0",
    )
    .unwrap();
    let query = "SELECT avg(v), sum(v) FROM t";
    let plan = pg_test::explain_plan(&mut db, query).unwrap();
    assert!(plan.contains("Partial Aggregate"), "{plan}");
    // 2857 times 0 + ... + 6, and 1.
    check(&mut db, "SELECT avg(v) FROM t", "[10000.5,2.9999]");
    check(&mut db, "SELECT sum(subvector(v, 2, 1)) FROM t", "[59998]");
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
