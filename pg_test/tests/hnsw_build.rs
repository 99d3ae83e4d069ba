//! Builds that are cancelled, that run beside writers, that begin anew.

use std::sync::LazyLock;
use std::thread;

use pg_test::data::{DIMENSIONS, documents};
use pg_test::{Done, TestDb, Vector, copy_vectors, index_problems, sqlstate, wait_until};
use postgres::Client;

static SENTENCES: LazyLock<Vec<Vec<f32>>> =
    LazyLock::new(|| documents().unwrap().into_iter().map(|row| row.embedding).collect());
const CREATE: &str = "CREATE INDEX i ON t USING hnsw (v vector_l2_ops)";

/// A table `t` of the first `rows` sentences.
fn table(db: &mut Client, rows: usize) {
    db.batch_execute(&format!("CREATE TABLE t (id int, v vector({DIMENSIONS}))")).unwrap();
    let rows = SENTENCES[..rows].iter().map(Vec::as_slice);
    copy_vectors(db, "t", 0, rows).unwrap();
}

/// Inserts a sentence; its id is its place.
fn insert(client: &mut Client, id: i32) {
    let vector = Vector(SENTENCES[id as usize].clone());
    client.execute("INSERT INTO t VALUES ($1, $2)", &[&id, &vector]).unwrap();
}

fn count(client: &mut Client, what: &str) -> i64 {
    client.query_one(&format!("SELECT count(*) FROM {what}"), &[]).unwrap().get(0)
}

/// The index is sound, and every row is found by its own vector. The search is wide: at the default
/// width one sentence in ten thousand may be missed.
#[track_caller]
fn all_are_found(client: &mut Client) {
    assert_eq!(index_problems(client, "i").unwrap(), [""; 0]);
    client.batch_execute("SET enable_seqscan = off; SET hnsw.ef_search = 400").unwrap();
    let search = client.prepare("SELECT v <-> $1 FROM t ORDER BY v <-> $1 LIMIT 1").unwrap();
    for row in client.query("SELECT v FROM t", &[]).unwrap() {
        let nearest: f64 = client.query_one(&search, &[&row.get::<_, Vector>(0)]).unwrap().get(0);
        assert_eq!(nearest, 0.0);
    }
    client.batch_execute("RESET enable_seqscan; RESET hnsw.ef_search").unwrap();
}

/// Cancelled while rows are read, while the graph is built, by a timeout: the session goes on, and
/// no index is left.
#[test]
fn a_cancelled_build_leaves_no_trace() {
    let mut db = TestDb::new();
    table(&mut db, 12_000);
    let pid: i32 = db.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0);
    let mut watcher = db.connect();
    for done in [0_i64, 6_000] {
        thread::scope(|scope| {
            let watcher = &mut watcher;
            scope.spawn(move || {
                let running = "SELECT tuples_done >= $1 FROM pg_stat_progress_create_index
                               WHERE pid = $2 AND phase LIKE 'building index%'";
                let progress = || {
                    let row = watcher.query_opt(running, &[&done, &pid])?;
                    Ok(row.is_some_and(|row| row.get(0)))
                };
                wait_until("the build to get there", progress).unwrap();
                watcher.execute("SELECT pg_cancel_backend($1)", &[&pid]).unwrap();
            });
            let error = db.batch_execute(CREATE).expect_err("a cancelled build");
            assert_eq!(sqlstate(&error), "57014");
        });
        assert_eq!(count(&mut db, "pg_class WHERE relname = 'i'"), 0);
    }
    for timeout in ["1ms", "100ms", "300ms"] {
        db.batch_execute(&format!("SET statement_timeout = '{timeout}'")).unwrap();
        assert_eq!(sqlstate(&db.batch_execute(CREATE).expect_err(timeout)), "57014");
        db.batch_execute("RESET statement_timeout").unwrap();
        assert_eq!(count(&mut db, "pg_class WHERE relname = 'i'"), 0);
    }
    assert!(!db.cluster().has_crashed());
}

#[test]
fn concurrent_builds_miss_no_row() {
    let mut db = TestDb::new();
    table(&mut db, 3000);
    let steps = [
        "CREATE INDEX CONCURRENTLY i ON t USING hnsw (v vector_l2_ops)",
        "REINDEX INDEX CONCURRENTLY i",
    ];
    for (step, first) in steps.into_iter().zip([3000, 7000]) {
        let done = &Done::default();
        let inserted = thread::scope(|scope| {
            let _end = done.at_end();
            let mut client = db.connect();
            let writer = scope.spawn(move || {
                let go_on = |_: &i32| !done.is_set();
                (first..first + 4000).take_while(go_on).map(|id| insert(&mut client, id)).count()
            });
            db.batch_execute(step).unwrap();
            done.set();
            writer.join().unwrap()
        });
        assert!(inserted > 5, "{inserted} rows beside {step}");
        all_are_found(&mut db);
    }
}

#[test]
fn truncate_empties_the_index() {
    let mut db = TestDb::new();
    table(&mut db, 2000);
    db.batch_execute(CREATE).unwrap();
    let size = "SELECT pg_relation_size('i')";
    let full: i64 = db.query_one(size, &[]).unwrap().get(0);
    db.batch_execute("TRUNCATE t").unwrap();
    let empty: i64 = db.query_one(size, &[]).unwrap().get(0);
    assert!(empty <= 8192 && full > 500 * 8192, "{full}, then {empty} bytes");
    for id in 0..200 {
        insert(&mut db, id);
    }
    all_are_found(&mut db);
    // A truncation that is rolled back has not been.
    db.batch_execute("BEGIN; TRUNCATE t").unwrap();
    insert(&mut db, 500);
    db.batch_execute("ROLLBACK").unwrap();
    all_are_found(&mut db);
    assert_eq!(count(&mut db, "t"), 200);
}
