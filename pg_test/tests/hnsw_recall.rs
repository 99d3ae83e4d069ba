//! How good and how cheap searches over real sentences are, with default options.

use std::ops::Range;
use std::sync::LazyLock;

use pg_test::data::{DIMENSIONS, documents, queries};
use pg_test::{
    TestDb, Vector, buffers, copy_vectors, explain_analyze, index_problems, scans_index,
};
use postgres::Client;

const K: usize = 10;
const ROWS: usize = 12_000;
const QUERIES: usize = 150;
/// Operator class, operator, and the distance's order from |row|² and the inner product.
type Metric = (&'static str, &'static str, fn(f32, f32) -> f32);
const METRICS: [Metric; 3] = [
    ("vector_l2_ops", "<->", |square, product| square - 2.0 * product),
    ("vector_ip_ops", "<#>", |_, product| -product),
    ("vector_cosine_ops", "<=>", |square, product| -product / square.sqrt()),
];

static SENTENCES: LazyLock<Sentences> = LazyLock::new(Sentences::read);

struct Sentences {
    rows: Vec<Vec<f32>>,
    squares: Vec<f32>,
    queries: Vec<Vec<f32>>,
    /// Of each query with each row.
    products: Vec<Vec<f32>>,
}

impl Sentences {
    fn read() -> Self {
        let rows: Vec<_> = documents().unwrap().into_iter().map(|row| row.embedding).collect();
        let queries = queries().unwrap().into_iter().map(|query| query.embedding);
        let queries: Vec<_> = queries.take(QUERIES).collect();
        let squares = rows.iter().map(|row| dot(row, row)).collect();
        let all = |query: &Vec<f32>| rows.iter().map(|row| dot(query, row)).collect();
        Self { squares, products: queries.iter().map(all).collect(), rows, queries }
    }

    /// Share of the exact `K` nearest that searches find among the rows that are `there`. A row
    /// counts where it is no farther than the exact `K`th, but for the rounding of sums.
    fn recall(&self, client: &mut Client, metric: Metric, there: impl Fn(usize) -> bool) -> f64 {
        let (_, operator, distance) = metric;
        let search = format!("SELECT id FROM t ORDER BY v {operator} $1 LIMIT {K}");
        let search = client.prepare(&search).unwrap();
        let mut found = 0;
        for (query, products) in self.queries.iter().zip(&self.products) {
            let distance = |id: usize| distance(self.squares[id], products[id]);
            let mut exact: Vec<f32> = (0..ROWS).filter(|&id| there(id)).map(distance).collect();
            let farthest = *exact.select_nth_unstable_by(K - 1, f32::total_cmp).1 + 1e-5;
            let rows = client.query(&search, &[&Vector(query.clone())]).unwrap();
            let ids = rows.iter().map(|row| row.get::<_, i32>(0) as usize);
            found += ids.filter(|&id| there(id) && distance(id) <= farthest).count();
        }
        found as f64 / (K * QUERIES) as f64
    }

    /// Copies rows into table `t`; a row's id is its place.
    fn copy(&self, client: &mut Client, ids: Range<usize>) {
        let rows = self.rows[ids.clone()].iter().map(Vec::as_slice);
        copy_vectors(client, "t", ids.start as i32, rows).unwrap();
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A database with a table `t` of the first `rows` sentences, which is never read in sequence.
fn table(rows: usize) -> TestDb {
    let mut db = TestDb::new();
    let create = format!("CREATE TABLE t (id int, v vector({DIMENSIONS}))");
    db.batch_execute(&create).unwrap();
    SENTENCES.copy(&mut db, 0..rows);
    db.batch_execute("SET enable_seqscan = off").unwrap();
    db
}

fn create_index(db: &mut TestDb, (opclass, ..): Metric) {
    db.batch_execute(&format!("CREATE INDEX i ON t USING hnsw (v {opclass})")).unwrap();
}

/// Recall at the default `ef_search` and at 200.
#[track_caller]
fn check_recall(db: &mut TestDb, metric: Metric, there: impl Fn(usize) -> bool + Copy) {
    for (ef_search, floor) in [(40, 0.95), (200, 0.99)] {
        db.batch_execute(&format!("SET hnsw.ef_search = {ef_search}")).unwrap();
        let recall = SENTENCES.recall(db, metric, there);
        println!("{} ef_search {ef_search}: recall {recall:.4}", metric.0);
        assert!(recall >= floor, "{} ef_search {ef_search}: recall {recall}", metric.0);
    }
    db.batch_execute("RESET hnsw.ef_search").unwrap();
}

/// Width of the last search.
fn width(db: &mut TestDb) -> i64 {
    let query = SENTENCES.queries[0].clone();
    db.query("SELECT id FROM t ORDER BY v <=> $1 LIMIT 10", &[&Vector(query)]).unwrap();
    db.query_one("SELECT ef FROM vector_scan_stats()", &[]).unwrap().get(0)
}

/// Pages a query touches on average, heap included, at the default `ef_search`.
fn pages_per_query(db: &mut TestDb, (_, operator, _): Metric) -> f64 {
    let mut pages = 0;
    for query in SENTENCES.queries.iter().take(30) {
        let query = format!("SELECT id FROM t ORDER BY v {operator} '{query:?}' LIMIT {K}");
        let plan = explain_analyze(db, &query).unwrap();
        assert!(scans_index(&plan, "i"), "{plan}");
        pages += buffers(&plan);
    }
    pages as f64 / 30.0
}

#[test]
fn an_index_built_at_once_is_good_cheap_and_small() {
    let mut db = table(ROWS);
    for metric in METRICS {
        create_index(&mut db, metric);
        check_recall(&mut db, metric, |_| true);
        let pages = pages_per_query(&mut db, metric);
        println!("{}: {pages} pages a query", metric.0);
        assert!(pages <= 130.0, "{}: {pages} pages a query", metric.0);
        let size: i64 = db.query_one("SELECT pg_relation_size('i')", &[]).unwrap().get(0);
        let bytes = size as f64 / ROWS as f64;
        println!("{}: {bytes} bytes a row", metric.0);
        assert!(bytes <= 2900.0, "{}: {bytes} bytes a row", metric.0);
        db.batch_execute("DROP INDEX i").unwrap();
    }
}

#[test]
fn rows_inserted_later_are_found_as_well() {
    for metric in METRICS {
        let mut db = table(ROWS - 2000);
        create_index(&mut db, metric);
        SENTENCES.copy(&mut db, ROWS - 2000..ROWS);
        check_recall(&mut db, metric, |_| true);
        let pages = pages_per_query(&mut db, metric);
        println!("{}: {pages} pages a query", metric.0);
        assert!(pages <= 130.0, "{}: {pages} pages a query", metric.0);
    }
}

#[test]
fn recall_survives_delete_vacuum_and_insert() {
    let mut db = table(ROWS);
    let cosine = METRICS[2];
    create_index(&mut db, cosine);
    let size = "SELECT pg_relation_size('i')";
    let size_before: i64 = db.query_one(size, &[]).unwrap().get(0);
    let deleted = |id: usize| id % 5 == 2;
    db.batch_execute("DELETE FROM t WHERE id % 5 = 2").unwrap();
    check_recall(&mut db, cosine, |id| !deleted(id));
    db.batch_execute("VACUUM t").unwrap();
    assert_eq!(index_problems(&mut db, "i").unwrap(), [""; 0]);
    check_recall(&mut db, cosine, |id| !deleted(id));
    for id in (0..ROWS).filter(|&id| deleted(id)) {
        SENTENCES.copy(&mut db, id..id + 1);
    }
    assert_eq!(index_problems(&mut db, "i").unwrap(), [""; 0]);
    check_recall(&mut db, cosine, |_| true);
    let size_after: i64 = db.query_one(size, &[]).unwrap().get(0);
    assert!(size_after <= size_before * 102 / 100, "{size_before} to {size_after} bytes");
}

#[test]
fn a_target_recall_is_met_without_waste() {
    let mut db = table(ROWS);
    for metric in METRICS {
        create_index(&mut db, metric);
        let recalls = [0.9, 0.95, 0.99].map(|target| {
            db.batch_execute(&format!("SET vector_ext.target_recall = {target}")).unwrap();
            let recall = SENTENCES.recall(&mut db, metric, |_| true);
            println!("{} target {target}: recall {recall:.4}", metric.0);
            assert!(recall >= target - 0.01, "{} target {target}: recall {recall}", metric.0);
            recall
        });
        assert!(recalls[0] < 0.96, "{}: {} is more than 0.9", metric.0, recalls[0]);
        db.batch_execute("DROP INDEX i").unwrap();
    }
}

#[test]
fn an_index_built_empty_is_calibrated_when_it_has_grown() {
    let mut db = table(0);
    create_index(&mut db, METRICS[2]);
    db.batch_execute("SET vector_ext.target_recall = 0.5; SET hnsw.ef_search = 77").unwrap();
    SENTENCES.copy(&mut db, 0..1000);
    assert_eq!(width(&mut db), 77, "nothing is known, so hnsw.ef_search counts");
    db.batch_execute("VACUUM t").unwrap();
    assert!(width(&mut db) < 20, "width {}", width(&mut db));
    db.batch_execute("SET vector_ext.target_recall = 0").unwrap();
    assert_eq!(width(&mut db), 77);
}
