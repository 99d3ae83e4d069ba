//! Scores and the order of rows agree, and both are Milvus's: with an index and without one, in all
//! kinds of searches.

use pg_test::{TestDb, explain_plan};
use postgres::Client;

fn found(db: &mut Client, search: &str) -> Vec<(i32, f32)> {
    let query = format!("SELECT (hit).id, score FROM {search}");
    let rows = db.query(&query, &[]).unwrap_or_else(|error| panic!("{search}: {error:?}"));
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

fn ids(db: &mut Client, search: &str) -> Vec<i32> {
    found(db, search).into_iter().map(|(id, _)| id).collect()
}

/// Vectors along [1,0], along the other axis, against it, and two that are zero.
fn directions(of: &str, sparse: bool) -> TestDb {
    let mut db = TestDb::new();
    let vectors = match sparse {
        false => ["[0,0]", "[1,0]", "[-1,0]", "[0,1]", "[0,0]", "[2,0]"],
        true => ["{}/2", "{1:1}/2", "{1:-1}/2", "{2:1}/2", "{}/2", "{1:2}/2"],
    };
    db.batch_execute(&format!("CREATE TABLE items (id int PRIMARY KEY, e {of}(2))")).unwrap();
    for (id, vector) in vectors.iter().enumerate().rev() {
        db.batch_execute(&format!("INSERT INTO items VALUES ({}, '{vector}')", id + 1)).unwrap();
    }
    db
}

#[test]
fn a_vector_without_direction_stands_at_a_right_angle() {
    for of in ["vector", "halfvec", "bf16vec", "i8vec", "sparsevec"] {
        let sparse = of == "sparsevec";
        let mut db = directions(of, sparse);
        let query = if sparse { "{1:1}/2" } else { "[1,0]" };
        let near = format!(
            "NULL::items, ann('e', '{query}', params => '{{\"metric_type\": \"COSINE\"}}')"
        );
        let request = near.split_once(", ").unwrap().1;
        let mut indexes =
            vec![String::new(), format!("CREATE INDEX ON items USING hnsw (e {of}_cosine_ops)")];
        if !sparse {
            indexes.push(format!(
                "DROP INDEX items_e_idx; CREATE INDEX ON items USING ivf (e {of}_cosine_ops) WITH (lists = 1)"
            ));
        }
        for index in indexes {
            db.batch_execute(&index).unwrap();
            db.batch_execute("SET enable_seqscan = off").unwrap();
            let all = [(2, 1.0), (6, 1.0), (1, 0.0), (4, 0.0), (5, 0.0), (3, -1.0)];
            let context = format!("{of} {index}");
            assert_eq!(found(&mut db, &format!("vector_search({near})")), all, "{context}");
            for k in 1..=all.len() {
                let search = format!("vector_search({near}, k => {k})");
                assert_eq!(found(&mut db, &search), all[..k], "{context} {k}");
                let search = format!("vector_search({near}, k => 1, skip => {})", k - 1);
                assert_eq!(found(&mut db, &search), all[k - 1..k], "{context} {k}");
            }
            let filtered = format!("vector_search({near}, k => 2, filter => 'id in [1, 3, 5]')");
            assert_eq!(found(&mut db, &filtered), [(1, 0.0), (5, 0.0)], "{context}");
            for (range, wanted) in [
                ("-0.5", &all[..5]),
                ("0", &all[..2]),
                ("-2, 0", &all[2..]),
                ("-2, 0, k => 2", &all[2..4]),
            ] {
                let search = format!("range_search({near}, {range})");
                assert_eq!(found(&mut db, &search), wanted, "{context} {range}");
            }
            let groups = format!("grouped_search({near}, 'id', k => 4)");
            assert_eq!(found(&mut db, &groups), all[..4], "{context}");
            let hybrid = format!("hybrid_search(NULL::items, ARRAY[{request}])");
            assert_eq!(ids(&mut db, &hybrid), all.map(|(id, _)| id), "{context}");
            let weighted = format!(
                "hybrid_search(NULL::items, ARRAY[{request}], weighted_ranker('{{1}}', norm_score => false), k => 4)"
            );
            assert_eq!(found(&mut db, &weighted), all[..4], "{context}");
            // A query without direction is at a right angle to all.
            let zero = search_for_zero(&near, sparse);
            let all: Vec<(i32, f32)> = (1..=6).map(|id| (id, 0.0)).collect();
            assert_eq!(found(&mut db, &zero), all, "{context}");
        }
    }
}

fn search_for_zero(near: &str, sparse: bool) -> String {
    let zero = if sparse { near.replace("{1:1}", "{}") } else { near.replace("[1,0]", "[0,0]") };
    format!("vector_search({zero})")
}

#[test]
fn a_search_that_ends_before_a_right_angle_does_not_look_for_zeros() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE items (id int PRIMARY KEY, e vector(2));
        INSERT INTO items SELECT i, ARRAY[100, i]::vector FROM generate_series(1, 5000) AS i;
        CREATE INDEX ON items USING hnsw (e vector_cosine_ops);
        ANALYZE items",
    )
    .unwrap();
    let statement = "SELECT vector_search_sql(NULL::items, ann('e', '[1,0]'))";
    let statement: String = db.query_one(statement, &[]).unwrap().get(0);
    let rows =
        db.query(&format!("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {statement}"), &[]).unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let of_zeros = plan.iter().find(|line| line.contains("on items t ")).unwrap();
    assert!(of_zeros.contains("never executed"), "{plan:#?}");
    assert!(plan.iter().any(|line| line.contains("items_e_idx")), "{plan:#?}");
}

#[test]
fn sparse_rows_share_an_index_with_the_query() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE items (id int PRIMARY KEY, e sparsevec(9), g int);
        INSERT INTO items VALUES (1, '{1:2}/9', 1), (2, '{2:5}/9', 2), (3, '{1:1,2:1}/9', 1), (4, '{}/9', 1),
            (5, '{1:-1,3:4}/9', 2), (6, '{3:1,4:2}/9', 3), (7, NULL, 3)",
    )
    .unwrap();
    let ip = r#"params => '{"metric_type": "IP"}'"#;
    let near = format!("ann('e', '{{1:3,3:1}}/9', {ip})");
    // Row 5 shares an index, and has a lower score than rows that share none.
    let all = [(1, 6.0), (3, 3.0), (5, 1.0), (6, 1.0)];
    for index in ["SELECT", "CREATE INDEX ON items USING hnsw (e sparsevec_ip_ops)"] {
        db.batch_execute(index).unwrap();
        db.batch_execute("SET enable_seqscan = off").unwrap();
        assert_eq!(found(&mut db, &format!("vector_search(NULL::items, {near})")), all);
        assert_eq!(
            found(&mut db, &format!("vector_search(NULL::items, {near}, k => 3)")),
            all[..3]
        );
        assert_eq!(found(&mut db, &format!("range_search(NULL::items, {near}, -9)")), all);
        let groups = format!("grouped_search(NULL::items, {near}, 'g', 5, 5, true)");
        assert_eq!(ids(&mut db, &groups), [1, 3, 5, 6]);
        let hybrid = format!("hybrid_search(NULL::items, ARRAY[{near}])");
        assert_eq!(ids(&mut db, &hybrid), [1, 3, 5, 6]);
        // A score of 0, or below, does not mean that nothing is shared.
        let negative = format!("ann('e', '{{1:1,2:-1}}/9', {ip})");
        let wanted = [(1, 2.0), (3, 0.0), (5, -1.0), (2, -5.0)];
        assert_eq!(found(&mut db, &format!("vector_search(NULL::items, {negative})")), wanted);
        let none = format!("ann('e', '{{9:1}}/9', {ip})");
        assert_eq!(found(&mut db, &format!("vector_search(NULL::items, {none})")), []);
        // Other metrics find all rows.
        let l2 = r#"ann('e', '{}/9', 1, params => '{"metric_type": "L2"}')"#;
        assert_eq!(found(&mut db, &format!("vector_search(NULL::items, {l2})")), [(4, 0.0)]);
    }
}

#[test]
fn sparse_searches_use_the_index() {
    let mut db = TestDb::new();
    // With the width that its index needs, reading this small table is cheaper.
    db.batch_execute(
        "SET hnsw.ef_search = 40;
        CREATE TABLE items (id int PRIMARY KEY, e sparsevec(1000));
        INSERT INTO items SELECT i, format('{%s:1,%s:2}/1000', 1 + i % 400, 500 + i % 300)::sparsevec
            FROM generate_series(1, 9000) AS i;
        CREATE INDEX ON items USING hnsw (e sparsevec_ip_ops);
        ANALYZE items",
    )
    .unwrap();
    let statement = "SELECT vector_search_sql(NULL::items, ann('e', '{7:1,510:1}/1000'))";
    let statement: String = db.query_one(statement, &[]).unwrap().get(0);
    let plan = explain_plan(&mut db, &statement).unwrap();
    assert!(plan.contains("items_e_idx") && !plan.contains("Seq Scan"), "{plan}");
}
