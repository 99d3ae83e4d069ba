//! What an index measures of itself decides how wide it is searched, and is shown.

use std::sync::{Arc, Mutex};

use pg_test::{TestDb, Vector, copy_vectors, explain_analyze, random_vector};
use postgres::error::DbError;
use postgres::{Client, NoTls};

const DIMENSIONS: usize = 64;
const SEARCH: &str = "SELECT id FROM t ORDER BY v <-> $1 LIMIT 10";

/// A database with a table `t` of random vectors, which is never read in sequence.
fn table(rows: i32) -> TestDb {
    let mut db = TestDb::new();
    db.batch_execute(&format!("CREATE TABLE t (id int, v vector({DIMENSIONS}))")).unwrap();
    copy(&mut db, 0, rows);
    db
}

fn copy(client: &mut Client, first: i32, count: i32) {
    let rows: Vec<_> =
        (first..first + count).map(|id| random_vector(id as u64, DIMENSIONS)).collect();
    copy_vectors(client, "t", first, rows.iter().map(Vec::as_slice)).unwrap();
    client.batch_execute("ANALYZE t; SET enable_seqscan = off").unwrap();
}

fn create_index(client: &mut Client, options: &str) {
    client
        .batch_execute(&format!("CREATE INDEX i ON t USING hnsw (v vector_l2_ops) {options}"))
        .unwrap();
}

/// A property of the index; none where it is not shown.
fn info(client: &mut Client, property: &str) -> Option<f64> {
    let query = "SELECT value::float8 FROM vector_index_info('i') WHERE property = $1";
    client.query_opt(query, &[&property]).unwrap().map(|row| row.get(0))
}

/// Width of a search.
fn width(client: &mut Client) -> i64 {
    let query = random_vector(1 << 40, DIMENSIONS);
    client.query(SEARCH, &[&Vector(query)]).unwrap();
    client.query_one("SELECT ef FROM vector_scan_stats()", &[]).unwrap().get(0)
}

/// What the planner thinks that the first row costs.
fn startup_cost(client: &mut Client) -> f64 {
    let query = random_vector(1 << 40, DIMENSIONS);
    let search = format!("EXPLAIN SELECT id FROM t ORDER BY v <-> '{query:?}' LIMIT 10");
    let plan: String = client.query(&search, &[]).unwrap()[0].get(0);
    let (_, cost) = plan.split_once("cost=").unwrap();
    cost.split_once("..").unwrap().0.parse().unwrap()
}

/// Notices of a statement, with their hints.
fn notices(db: &TestDb, statement: &str) -> Vec<(String, String)> {
    let notices = Arc::new(Mutex::new(Vec::new()));
    let heard = notices.clone();
    let hear = move |notice: DbError| {
        let hint = notice.hint().unwrap_or_default().to_owned();
        heard.lock().unwrap().push((notice.message().to_owned(), hint));
    };
    let mut config = db.cluster().config();
    let mut client = config.dbname(db.name()).notice_callback(hear).connect(NoTls).unwrap();
    client.batch_execute(statement).unwrap();
    notices.lock().unwrap().clone()
}

#[test]
fn a_width_that_nobody_set_is_what_the_index_needs() {
    let mut db = table(4000);
    create_index(&mut db, "WITH (m = 8, ef_construction = 16)");
    let ef = info(&mut db, "default ef_search").unwrap();
    let expected = info(&mut db, "expected recall").unwrap();
    println!("ef {ef}, expected recall {expected}");
    assert!(ef > 50.0 && ef <= 400.0, "{ef}");
    assert!(expected >= 0.949, "{expected}");
    assert_eq!(width(&mut db), ef as i64);
    let measured = "SELECT recall FROM vector_index_recall('i', 10, 200)";
    let recall: f64 = db.query_one(measured, &[]).unwrap().get(0);
    assert!(recall >= expected - 0.03, "{recall}");
    let wide = startup_cost(&mut db);

    // Who sets a width gets it, the usual one included.
    db.batch_execute("SET hnsw.ef_search = 40").unwrap();
    assert_eq!(width(&mut db), 40);
    assert!(wide > 1.2 * startup_cost(&mut db), "{wide} {}", startup_cost(&mut db));
    db.batch_execute("RESET hnsw.ef_search").unwrap();
    assert_eq!(width(&mut db), ef as i64);
    db.batch_execute("BEGIN; SET LOCAL hnsw.ef_search = 40").unwrap();
    assert_eq!(width(&mut db), 40);
    db.batch_execute("COMMIT").unwrap();
    assert_eq!(width(&mut db), ef as i64);
    let name = db.name().to_owned();
    db.batch_execute(&format!("ALTER DATABASE {name} SET hnsw.ef_search = 40")).unwrap();
    let mut other = db.connect();
    other.batch_execute("SET enable_seqscan = off").unwrap();
    assert_eq!(width(&mut other), 40);
    // A library that is loaded after its setting was made.
    other.batch_execute("SET hnsw.ef_search = 41").unwrap();
    assert_eq!(width(&mut other), 41);
}

#[test]
fn a_good_index_is_searched_as_ever() {
    let mut db = table(1000);
    assert!(notices(&db, "CREATE INDEX i ON t USING hnsw (v vector_l2_ops)").is_empty());
    assert_eq!(info(&mut db, "default ef_search"), Some(40.0));
    assert!(info(&mut db, "expected recall").unwrap() >= 0.95);
    assert_eq!(width(&mut db), 40);
    assert!(info(&mut db, "ef_search for recall 0.9").unwrap() <= 40.0);
}

#[test]
fn a_build_says_that_it_will_find_little() {
    let db = table(4000);
    let create =
        "CREATE INDEX i ON t USING hnsw (v vector_l2_ops) WITH (m = 2, ef_construction = 4";
    let says = notices(&db, &format!("{create})"));
    let [(message, hint)] = &says[..] else { panic!("{says:?}") };
    assert!(message.starts_with("searches of index public.i will find about "), "{message}");
    assert_eq!(hint, "Recreate the index with larger m and ef_construction.");
    let says = notices(&db, &format!("DROP INDEX i; {create}, quantization = rabitq)"));
    let hint = "Recreate the index without quantization, or with larger m and ef_construction.";
    assert!(says.len() == 1 && says[0].1 == hint, "{says:?}");
    // Few rows are found in any case.
    let few = "DROP INDEX i; DELETE FROM t WHERE id >= 150; VACUUM t";
    few.split(';').for_each(|statement| drop(notices(&db, statement)));
    assert_eq!(notices(&db, &format!("{create})")), []);
    assert_eq!(notices(&db, "TRUNCATE t; REINDEX INDEX i"), []);
}

#[test]
fn an_index_that_has_grown_is_measured_by_the_next_vacuum() {
    let mut db = table(0);
    create_index(&mut db, "WITH (m = 8, ef_construction = 16)");
    let mut expected = Vec::new();
    for (from, to) in [(0, 300), (300, 4000), (4000, 4100)] {
        copy(&mut db, from, to - from);
        // No row is dead.
        db.batch_execute("VACUUM t").unwrap();
        expected.push(info(&mut db, "expected recall").unwrap());
    }
    println!("{expected:?}");
    assert!(info(&mut db, "default ef_search").unwrap() > 40.0);
    assert_eq!(expected[1], expected[2], "it has hardly grown");
    assert!(expected[0] > expected[1], "{expected:?}");
    let plan = explain_analyze(
        &mut db,
        "SELECT id FROM t ORDER BY v <-> (SELECT v FROM t LIMIT 1) LIMIT 10",
    )
    .unwrap();
    let shown = format!("Search Width: {}", info(&mut db, "default ef_search").unwrap());
    assert!(plan.contains(&shown), "{plan}");
}
