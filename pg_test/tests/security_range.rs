//! Distances of rows that a policy hides are neither computed nor told by where a scan ends.

use pg_test::{TestDb, explain_analyze, text};
use postgres::Client;

/// 500 rows near the origin, of which user `reader` sees the odd ones, and far ones.
fn tables(method: &str, user: &str) -> TestDb {
    let mut db = TestDb::new();
    db.batch_execute(&format!(
        "CREATE TABLE secret AS SELECT id, id % 2 = 1 AS shown, ARRAY[id, 0]::vector(2) v
             FROM generate_series(1, 1000) id;
         CREATE INDEX i ON secret USING {method} (v vector_l2_ops);
         ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
         CREATE POLICY odd ON secret FOR SELECT USING (shown);
         CREATE ROLE {user};
         GRANT SELECT ON secret TO {user};
         ANALYZE secret;
         SET ROLE {user}; SET enable_seqscan = off; SET enable_sort = off; SET ivf.probes = 30;
         SET hnsw.ef_search = 1000"
    ))
    .unwrap();
    db
}

/// Ends a test: roles outlive databases.
fn forget(mut db: TestDb, user: &str) {
    db.batch_execute(&format!("RESET ROLE; DROP OWNED BY {user}; DROP ROLE {user}")).unwrap();
}

/// Rows that the scan of the index has given.
fn tuples(db: &mut Client) -> i64 {
    text(db, "SELECT tuples FROM vector_scan_stats()").unwrap().parse().unwrap()
}

#[test]
fn a_radius_does_not_count_rows_that_a_policy_hides() {
    for (method, user) in [("hnsw", "range_hnsw"), ("ivf", "range_ivf")] {
        let mut db = tables(method, user);
        // Else the table is measured as a whole.
        db.batch_execute("SET vector_ext.filtered_scan = look").unwrap();
        for near in [
            "v <-> '[0,0]' < 100.5 ORDER BY v <-> '[0,0]'",
            "within(v, '[0,0]', 10100) ORDER BY v <-> '[0,0]'",
            "v <<->> sphere('[0,0]'::vector, 100.5) ORDER BY v <-> '[0,0]'",
        ] {
            let query = format!("SELECT id FROM secret WHERE {near}");
            let plan = explain_analyze(&mut db, &query).unwrap();
            assert!(!plan.contains("Index Cond"), "{plan}");
            assert!(plan.contains("Index Name: i"), "{plan}");
            let found = db.query(&query, &[]).unwrap();
            let ids: Vec<i32> = found.iter().map(|row| row.get(0)).collect();
            assert_eq!(ids, (1..=100).step_by(2).collect::<Vec<_>>(), "{query}");
            // The scan went on past the radius, as it would without a condition.
            assert_eq!(tuples(&mut db), 1000, "{query}");
            // Without an order no index serves it.
            let unordered = query.split(" ORDER").next().unwrap();
            let plan = explain_analyze(&mut db, unordered).unwrap();
            assert!(plan.contains("Seq Scan"), "{plan}");
        }
        // The owner, whom no policy binds, gets the bound.
        db.batch_execute("RESET ROLE").unwrap();
        let near = "SELECT id FROM secret WHERE v <-> '[0,0]' < 100.5 ORDER BY v <-> '[0,0]'";
        let plan = explain_analyze(&mut db, near).unwrap();
        assert!(plan.contains("Index Cond: ((v <-> "), "{plan}");
        assert_eq!(db.query(near, &[]).unwrap().len(), 100);
        assert!(tuples(&mut db) < 300, "{}", tuples(&mut db));
        forget(db, user);
    }
}

#[test]
fn a_condition_of_the_policy_itself_may_bound_the_scan() {
    let user = "range_policy";
    let mut db = tables("hnsw", user);
    db.batch_execute(
        "RESET ROLE; DROP POLICY odd ON secret;
         CREATE POLICY near ON secret FOR SELECT USING (v <-> '[0,0]' < 50.5)",
    )
    .unwrap();
    db.batch_execute(&format!("SET ROLE {user}")).unwrap();
    let query = "SELECT id FROM secret WHERE id % 2 = 0 ORDER BY v <-> '[0,0]'";
    let plan = explain_analyze(&mut db, query).unwrap();
    assert!(plan.contains("Index Cond: ((v <-> "), "{plan}");
    assert_eq!(db.query(query, &[]).unwrap().len(), 25);
    forget(db, user);
}

#[test]
fn distances_of_hidden_rows_are_not_computed() {
    let mut db = TestDb::new();
    let user = "range_mixed";
    // Vectors of two dimensions are refused by the index's expression alone if they are looked at.
    db.batch_execute(&format!(
        "CREATE TABLE mixed (id int, shown bool, v vector(2));
         INSERT INTO mixed SELECT id, id % 2 = 1, ARRAY[id / 3.0, 0.1] FROM generate_series(1, 100) id;
         CREATE FUNCTION watch(vector) RETURNS bool LANGUAGE plpgsql COST 0.0001 AS
             $$BEGIN IF $1 <-> '[0,0.1]' < 0.5 THEN RAISE 'seen %', $1; END IF; RETURN true; END$$;
         CREATE INDEX i ON mixed USING hnsw (v vector_l2_ops);
         ALTER TABLE mixed ENABLE ROW LEVEL SECURITY;
         CREATE POLICY shown ON mixed FOR SELECT USING (shown AND id > 3);
         CREATE ROLE {user}; GRANT SELECT ON mixed TO {user}; ANALYZE mixed;
         SET ROLE {user}; SET enable_seqscan = off; SET enable_sort = off"
    ))
    .unwrap();
    let query = "SELECT id FROM mixed WHERE watch(v) ORDER BY v <-> '[0,0]' LIMIT 3";
    let ids: Vec<i32> = db.query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(ids, [5, 7, 9]);
    forget(db, user);
}
