//! Which plan a query gets, where an hnsw index is one way among others.

use pg_test::{TestDb, copy_vectors, explain_plan, random_vector};

const DIMS: usize = 16;
/// A node that sorts.
const SORT: &str = "->  Sort";

/// A database with a table `t (id, v)` of random vectors, an hnsw index `i` on it, and statistics.
fn table(rows: u64) -> TestDb {
    let mut db = TestDb::new();
    db.batch_execute(&format!("CREATE TABLE t (id int, v vector({DIMS}))")).unwrap();
    fill(&mut db, "t", rows);
    db.batch_execute("CREATE INDEX i ON t USING hnsw (v vector_l2_ops)").unwrap();
    db.batch_execute("VACUUM ANALYZE t").unwrap();
    db
}

fn fill(db: &mut TestDb, table: &str, rows: u64) {
    let vectors: Vec<_> = (0..rows).map(|seed| random_vector(seed, DIMS)).collect();
    copy_vectors(db, table, 0, vectors.iter().map(Vec::as_slice)).unwrap();
}

/// The query of these tests, with a condition.
fn nearest(condition: &str, limit: usize) -> String {
    let query = random_vector(7, DIMS);
    format!("SELECT id FROM t WHERE {condition} ORDER BY v <-> '{query:?}' LIMIT {limit}")
}

#[track_caller]
fn check_plan(db: &mut TestDb, query: &str, wanted: &[&str], unwanted: &str) {
    let plan = explain_plan(db, query).unwrap();
    for part in wanted {
        assert!(plan.contains(part), "no {part}:\n{plan}");
    }
    assert!(!plan.contains(unwanted), "{plan}");
}

#[test]
fn the_index_serves_a_large_table_and_a_sort_a_small_one() {
    let mut large = table(20_000);
    check_plan(&mut large, &nearest("true", 10), &["Index Name: i"], SORT);
    // All rows: each costs the index a page.
    check_plan(&mut large, &nearest("true", 20_000), &[SORT, "Seq Scan"], "Vector Index Scan");
    let mut small = table(50);
    check_plan(&mut small, &nearest("true", 10), &[SORT, "Seq Scan"], "Vector Index Scan");
}

#[test]
fn a_filter_that_lets_few_rows_pass_goes_first() {
    let mut db = table(20_000);
    db.batch_execute("CREATE INDEX ids ON t (id); ANALYZE t").unwrap();
    check_plan(&mut db, &nearest("id < 20", 10), &[SORT, " ids"], "Index Name: i");
    check_plan(&mut db, &nearest("id < 10000", 10), &["Index Name: i", "Filter"], SORT);
}

#[test]
fn a_limit_decides_whether_rows_that_pass_are_sorted() {
    let mut db = table(20_000);
    db.batch_execute("CREATE INDEX ids ON t (id); ANALYZE t").unwrap();
    check_plan(&mut db, &nearest("id < 2000", 10), &["Index Name: i", "Filter"], SORT);
    // The walk would go past 10,000 rows.
    check_plan(&mut db, &nearest("id < 2000", 1_000), &[SORT, " ids"], "Index Name: i");
    // No index serves this condition, and PostgreSQL expects 100 rows: a walk past 20,000.
    let none = nearest("id % 7 = 3", 100);
    check_plan(&mut db, &none, &[SORT, "Seq Scan"], "Index Name: i");
}

#[test]
fn partitions_are_merged_in_order() {
    let mut db = TestDb::new();
    db.batch_execute(&format!(
        "CREATE TABLE t (id int, v vector({DIMS})) PARTITION BY HASH (id);
         CREATE TABLE t0 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0);
         CREATE TABLE t1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1);
         CREATE INDEX ON t USING hnsw (v vector_l2_ops)"
    ))
    .unwrap();
    fill(&mut db, "t", 20_000);
    db.batch_execute("ANALYZE t").unwrap();
    let scans = ["Merge Append", "Index Name: t0_v_idx", "Index Name: t1_v_idx"];
    check_plan(&mut db, &nearest("true", 10), &scans, SORT);
    let ids = |db: &mut TestDb| -> Vec<i32> {
        let rows = db.query(&nearest("true", 10), &[]).unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    };
    db.batch_execute("SET hnsw.ef_search = 400; SET enable_sort = off").unwrap();
    let by_index = ids(&mut db);
    db.batch_execute("SET enable_indexscan = off").unwrap();
    assert_eq!(by_index, ids(&mut db));
}

#[test]
fn lateral_joins_search_the_index_for_each_row() {
    let mut db = table(20_000);
    let query = "SELECT a.id, b.id FROM (SELECT * FROM t WHERE id < 5) AS a, LATERAL
        (SELECT id FROM t WHERE t.id <> a.id ORDER BY t.v <-> a.v LIMIT 3) AS b";
    check_plan(&mut db, query, &["Nested Loop", "Index Name: i"], SORT);
    assert_eq!(db.query(query, &[]).unwrap().len(), 15);
}

#[test]
fn a_generic_plan_uses_the_index() {
    let mut db = table(20_000);
    let query = random_vector(7, DIMS);
    db.batch_execute(
        "SET plan_cache_mode = force_generic_plan;
         PREPARE q(vector, int) AS SELECT id FROM t WHERE id <> $2 ORDER BY v <-> $1 LIMIT 10",
    )
    .unwrap();
    let execute = format!("EXECUTE q('{query:?}', 3)");
    check_plan(&mut db, &execute, &["Index Name: i", "(v <-> $1)"], SORT);
}

#[test]
fn a_distance_of_long_vectors_costs_more() {
    let mut db = TestDb::new();
    db.batch_execute("CREATE TABLE t (short vector(3), long vector(1536))").unwrap();
    let mut cost = |column: &str| -> f64 {
        let query = format!("EXPLAIN SELECT {column} <-> {column} FROM t");
        let plan: String = db.query_one(&query, &[]).unwrap().get(0);
        let (_, total) = plan.split_once("..").unwrap();
        total.split_once(' ').unwrap().0.parse().unwrap()
    };
    let (long, short) = (cost("long"), cost("short"));
    assert!(long > 10.0 * short, "{long} {short}");
}
