//! Distances, arithmetic and aggregates of `sparsevec`.

use pg_test::TestDb;

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
        ("'{}/2'::sparsevec <-> '{1:3,2:4}/2'", 5.0),
        ("'{1:3}/2'::sparsevec <-> '{2:4}/2'", 5.0),
        ("l2_distance('{2:4}/2'::sparsevec, '{1:3}/2')", 5.0),
        ("sparsevec_l2_squared_distance('{1:3,5:1}/9', '{2:4,5:1}/9')", 25.0),
        ("'{1:1,3:3,5:5}/5'::sparsevec <#> '{2:4,3:6,4:8}/5'", -18.0),
        ("inner_product('{1:1,3:3}/4'::sparsevec, '{2:2,4:4}/4')", 0.0),
        ("sparsevec_negative_inner_product('{1:2}/1', '{1:3}/1')", -6.0),
        ("'{1:1,3:3,5:5,7:7}/9'::sparsevec <+> '{2:2,3:1,8:8,9:9}/9'", 34.0),
        ("l1_distance('{}/9'::sparsevec, '{}/9')", 0.0),
        ("'{1:2}/2'::sparsevec <=> '{2:2}/2'", 1.0),
        ("cosine_distance('{1:1,2:1}/9'::sparsevec, '{1:-2,2:-2}/9')", 2.0),
        ("'{5:3}/9'::sparsevec <=> '{5:1}/9'", 0.0),
        ("l2_norm('{1:3e37,9:4e37}/9'::sparsevec)", 5e37),
        ("vector_dims('{1:1}/1000000000'::sparsevec)", 1e9),
        ("'{1:3e38}/1'::sparsevec <-> '{1:-3e38}/1'", f64::INFINITY),
    ] {
        let value = float(&mut db, expression);
        let close = value == expected || (value - expected).abs() <= 1e-6 * expected.abs();
        assert!(close, "{expression} is {value}");
    }
    // Of nothing in common the distance is 0, not -0.
    check(&mut db, "'{}/1'::sparsevec <-> '{}/1'", "0");
    check(&mut db, "l2_norm('{}/1'::sparsevec)", "0");
    for zero in ["'{}/2'::sparsevec <=> '{1:1}/2'", "'{}/2'::sparsevec <=> '{}/2'"] {
        assert!(float(&mut db, zero).is_nan(), "{zero}");
    }
}

/// Distances of vectors that have many or few elements in common are those of the dense ones.
#[test]
fn distances_are_those_of_the_dense_vectors() {
    let mut db = TestDb::new();
    // Every `a`-th dimension of one, every `b`-th of the other: subsets, disjoint, empty, full.
    db.batch_execute(
        "CREATE TABLE t AS
         SELECT n, every,
             array_agg(CASE WHEN every > 0 AND i % every = n % every THEN sin(i * every + n) ELSE 0 END
                       ORDER BY i)::vector AS v
         FROM unnest(ARRAY[1, 2, 7, 8, 9, 63, 64, 65, 257, 3000]) AS n,
             unnest(ARRAY[0, 1, 2, 3, 8, 50]) AS every, generate_series(1, n) AS i
         GROUP BY n, every",
    )
    .unwrap();
    let query = "SELECT a.n, a.every, b.every,
            ARRAY[a.v <-> b.v, a.v <#> b.v, a.v <=> b.v, a.v <+> b.v, vector_norm(a.v)],
            ARRAY[a.s <-> b.s, a.s <#> b.s, a.s <=> b.s, a.s <+> b.s, l2_norm(a.s)]
        FROM (SELECT *, v::sparsevec AS s FROM t) AS a
        JOIN (SELECT *, v::sparsevec AS s FROM t) AS b USING (n)";
    let rows = db.query(query, &[]).unwrap();
    assert_eq!(rows.len(), 360);
    for row in rows {
        let (n, a, b): (i32, i32, i32) = (row.get(0), row.get(1), row.get(2));
        let (dense, sparse): (Vec<f64>, Vec<f64>) = (row.get(3), row.get(4));
        for (i, (d, s)) in dense.into_iter().zip(sparse).enumerate() {
            let same = (d.is_nan() && s.is_nan()) || (d - s).abs() <= 1e-5 * (1.0 + d.abs());
            assert!(same, "{n} dims, {a} and {b}, {i}: {d} and {s}");
        }
    }
}

#[test]
fn arithmetic() {
    let mut db = TestDb::new();
    for (expression, expected) in [
        ("'{1:1,3:2}/4'::sparsevec + '{1:4,2:5,4:6}/4'", "{1:5,2:5,3:2,4:6}/4"),
        ("'{1:1,3:2}/4'::sparsevec - '{1:1,2:5}/4'", "{2:-5,3:2}/4"),
        ("'{1:2,3:2}/4'::sparsevec * '{1:4,2:5}/4'", "{1:8}/4"),
        ("'{1:1}/2'::sparsevec + '{1:-1}/2'", "{}/2"),
        ("'{1:1}/2'::sparsevec * '{2:1}/2'", "{}/2"),
        ("'[1,0]'::vector + '{2:1}/2'::sparsevec", "{1:1,2:1}/2"),
        ("l2_normalize('{2:3,9:4}/9'::sparsevec)", "{2:0.6,9:0.8}/9"),
        ("l2_normalize('{}/9'::sparsevec)", "{}/9"),
        ("l2_normalize('{1:3e38,2:1e-37}/2'::sparsevec)", "{1:1}/2"),
        ("l2_normalize('{1:1e-45}/2'::sparsevec)", "{1:1}/2"),
        ("subvector('{1:1,3:3,5:5}/5'::sparsevec, 2, 3)", "{2:3}/3"),
        ("subvector('{1:1,3:3,5:5}/5'::sparsevec, 4, 9)", "{2:5}/2"),
        ("subvector('{1:1,3:3,5:5}/5'::sparsevec, -1, 4)", "{1:1}/2"),
        ("subvector('{1:1,3:3,5:5}/5'::sparsevec, 3, 2147483647)", "{1:3,3:5}/3"),
        // pgvector's own: a sparse vector and a literal are put together as text.
        ("'{1:1}/2'::sparsevec || ' of two'", "{1:1}/2 of two"),
    ] {
        check(&mut db, expression, expected);
    }
}

#[test]
fn sum_and_avg() {
    let mut db = TestDb::new();
    db.batch_execute("CREATE TABLE t (g int, v sparsevec)").unwrap();
    for aggregate in ["sum", "avg"] {
        assert_eq!(string(&mut db, &format!("SELECT {aggregate}(v) FROM t")), None);
    }
    db.batch_execute("INSERT INTO t VALUES (0, NULL)").unwrap();
    assert_eq!(string(&mut db, "SELECT avg(v) FROM t"), None);
    db.batch_execute(
        "INSERT INTO t VALUES (1, '{2:2}/9'), (1, '{1:2,9:8}/9'), (1, '{}/9'), (1, '{2:4,3:1}/9'),
             (2, '{3:3e38}/9'), (2, '{3:3e38}/9'), (3, '{4:1,5:1}/9'), (3, '{4:-1}/9')",
    )
    .unwrap();
    check(&mut db, "SELECT sum(v) FROM t WHERE g = 1", "{1:2,2:6,3:1,9:8}/9");
    check(&mut db, "SELECT avg(v) FROM t WHERE g = 1", "{1:0.5,2:1.5,3:0.25,9:2}/9");
    check(&mut db, "SELECT avg(v) FROM t WHERE g = 2", "{3:3e+38}/9");
    check(&mut db, "SELECT sum(v) FROM t WHERE g = 3", "{5:1}/9");
    check(
        &mut db,
        "SELECT string_agg(s::text, ' ')
         FROM (SELECT sum(v) AS s FROM t WHERE g IN (1, 3) GROUP BY g ORDER BY g) AS s",
        "{1:2,2:6,3:1,9:8}/9 {5:1}/9",
    );
    // A window sees the state between its rows, which the aggregate changes in place.
    let window = "SELECT string_agg(a::text, ' ') FROM
        (SELECT sum(v) OVER (ORDER BY v) AS a FROM t WHERE g = 1) AS s";
    check(&mut db, window, "{}/9 {2:2}/9 {2:6,3:1}/9 {1:2,2:6,3:1,9:8}/9");
    check(&mut db, "sparsevec_accum('{1,9,3,2}', '{4:1,5:7}/9')", "{2,9,3,3,4,7}");
    check(&mut db, "sparsevec_combine('{1,9,3,2}', '{2,9,0,1,3,3}')", "{3,9,0,1,3,5}");
    check(&mut db, "sparsevec_combine('{0,0}', '{2,9,0,1}')", "{2,9,0,1}");
    check(&mut db, "sparsevec_combine('{2,9,0,1}', '{0,0}')", "{2,9,0,1}");
    check(&mut db, "sparsevec_combine('{0,0}', '{0,0}')", "{0,0}");
    assert_eq!(string(&mut db, "sparsevec_sum('{0,0}')"), None);
}

#[test]
fn a_state_that_is_a_column_is_not_changed() {
    let mut db = TestDb::new();
    db.batch_execute("CREATE TABLE t (s float8[]); INSERT INTO t VALUES ('{1,9,0,2}')").unwrap();
    let query = "SELECT sparsevec_accum(s, '{1:1}/9')::text || s::text FROM t";
    check(&mut db, query, "{2,9,0,3}{1,9,0,2}");
}

/// Added one after the other in single precision, these would stop growing at 2^24.
#[test]
fn a_long_sum_loses_nothing() {
    let mut db = TestDb::new();
    let query = "SELECT sum(v)::text || avg(v)::text FROM (
            SELECT '{1:16777216}/3'::sparsevec AS v UNION ALL
            SELECT CASE i % 2 WHEN 0 THEN '{1:1,2:0.1}/3' ELSE '{1:1,2:0.3}/3' END::sparsevec
            FROM generate_series(1, 100000) AS i
        ) AS t";
    check(&mut db, query, "{1:1.6877216e+07,2:20000}/3{1:168.77048,2:0.199998}/3");
}

#[test]
fn parallel_aggregates_agree_with_serial_ones() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE t AS
             SELECT format('{%s:%s,%s:1}/1000', 1 + i % 500, 1 + i % 3, 501 + i % 7)::sparsevec AS v
             FROM generate_series(1, 21000) AS i;
         ALTER TABLE t SET (parallel_workers = 2);
         ANALYZE t;
         SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0",
    )
    .unwrap();
    let query = "SELECT sum(v) FROM t";
    let plan = pg_test::explain_plan(&mut db, query).unwrap();
    assert!(plan.contains("Partial Aggregate"), "{plan}");
    let parallel = string(&mut db, query).unwrap();
    db.batch_execute("SET max_parallel_workers_per_gather = 0").unwrap();
    check(&mut db, query, &parallel);
    check(
        &mut db,
        "SELECT subvector(sum(v), 499, 9) FROM t",
        "{1:84,2:84,3:3000,4:3000,5:3000,6:3000,7:3000,8:3000,9:3000}/9",
    );
}
