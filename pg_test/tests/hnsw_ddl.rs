//! What else happens to tables and indexes: transactions of all kinds, cursors, other tablespaces,
//! an index that goes while it is searched.

use std::fs;
use std::thread;

use pg_test::{
    Cluster, TestDb, Vector, copy_vectors, explain_plan, index_problems, message, random_vector,
    scans_index, sqlstate, wait_until,
};
use postgres::Client;

const DIMENSIONS: usize = 8;
const SEARCH: &str = "SELECT id FROM t ORDER BY v <-> '[0,0,0,0,0,0,0,0]' LIMIT 20";

fn vector(id: i32) -> Vec<f32> {
    random_vector(id as u64, DIMENSIONS)
}

/// A table `t` of `rows` rows with an index `i`, which this session searches.
fn fill(client: &mut Client, rows: i32) {
    client.batch_execute(&format!("CREATE TABLE t (id int, v vector({DIMENSIONS}))")).unwrap();
    let vectors: Vec<Vec<f32>> = (0..rows).map(vector).collect();
    copy_vectors(client, "t", 0, vectors.iter().map(Vec::as_slice)).unwrap();
    client
        .batch_execute(
            "CREATE INDEX i ON t USING hnsw (v vector_l2_ops);
            SET enable_seqscan = off; SET hnsw.ef_search = 200",
        )
        .unwrap();
    let plan = explain_plan(client, SEARCH).unwrap();
    assert!(scans_index(&plan, "i"), "{plan}");
}

fn insert(client: &mut Client, id: i32) {
    client.execute("INSERT INTO t VALUES ($1, $2)", &[&id, &Vector(vector(id))]).unwrap();
}

/// The row that a search for the vector of `id` finds first.
fn nearest(client: &mut Client, id: i32) -> i32 {
    let search = "SELECT id FROM t ORDER BY v <-> $1 LIMIT 1";
    client.query_one(search, &[&Vector(vector(id))]).unwrap().get(0)
}

fn ids(client: &mut Client, query: &str) -> Vec<i32> {
    client.query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

#[track_caller]
fn sound(client: &mut Client) {
    assert_eq!(index_problems(client, "i").unwrap(), [""; 0]);
}

#[test]
fn rows_of_a_savepoint_go_with_it() {
    let mut db = TestDb::new();
    fill(&mut db, 500);
    db.batch_execute("BEGIN").unwrap();
    insert(&mut db, 1000);
    db.batch_execute("SAVEPOINT s").unwrap();
    insert(&mut db, 1001);
    assert_eq!((nearest(&mut db, 1000), nearest(&mut db, 1001)), (1000, 1001));
    db.batch_execute("ROLLBACK TO s").unwrap();
    assert_eq!(nearest(&mut db, 1000), 1000);
    assert_ne!(nearest(&mut db, 1001), 1001);
    insert(&mut db, 1002);
    db.batch_execute("COMMIT").unwrap();
    assert_eq!((nearest(&mut db, 1000), nearest(&mut db, 1002)), (1000, 1002));
    assert_eq!(
        ids(&mut db, "SELECT id FROM t ORDER BY v <-> '[1,1,1,1,1,1,1,1]' LIMIT 600").len(),
        502
    );
    sound(&mut db);
}

#[test]
fn prepared_transactions_survive_a_crash() {
    let cluster = Cluster::new("hnsw-2pc", &[("max_prepared_transactions", "4")]).unwrap();
    let mut client = cluster.connect().unwrap();
    client.batch_execute("CREATE EXTENSION vector_ext").unwrap();
    fill(&mut client, 300);
    for (id, name) in [(1000, "kept"), (1001, "dropped")] {
        client.batch_execute("BEGIN").unwrap();
        insert(&mut client, id);
        client.batch_execute(&format!("DELETE FROM t WHERE id = {}", id - 1000)).unwrap();
        client.batch_execute(&format!("PREPARE TRANSACTION '{name}'")).unwrap();
    }
    assert_ne!(nearest(&mut client, 1000), 1000);
    client.batch_execute("VACUUM t").unwrap();
    cluster.crash().unwrap();
    cluster.start().unwrap();
    let mut client = cluster.connect().unwrap();
    client.batch_execute("SET enable_seqscan = off").unwrap();
    client.batch_execute("COMMIT PREPARED 'kept'").unwrap();
    client.batch_execute("ROLLBACK PREPARED 'dropped'").unwrap();
    client.batch_execute("VACUUM t").unwrap();
    assert_eq!(nearest(&mut client, 1000), 1000);
    assert_ne!(nearest(&mut client, 1001), 1001);
    assert_ne!(nearest(&mut client, 0), 0);
    assert_eq!(nearest(&mut client, 1), 1);
    sound(&mut client);
}

#[test]
fn cursors() {
    let mut db = TestDb::new();
    fill(&mut db, 1000);
    db.batch_execute("SET hnsw.ef_search = 20").unwrap();
    let declare = SEARCH.replace(" LIMIT 20", "");
    // At once: with a LIMIT, none would be found late.
    db.batch_execute(&format!("BEGIN; DECLARE c CURSOR FOR {declare}")).unwrap();
    let all = ids(&mut db, "FETCH 300 FROM c");
    db.batch_execute("ROLLBACK").unwrap();
    // Rows come in parts, each where the last one ended.
    db.batch_execute(&format!("BEGIN; DECLARE c CURSOR FOR {declare}")).unwrap();
    let mut fetched = ids(&mut db, "FETCH 5 FROM c");
    // A vacuum cannot run here, but what other statements do does not disturb the cursor.
    db.batch_execute("DELETE FROM t WHERE id % 2 = 0").unwrap();
    insert(&mut db, 5000);
    fetched.extend(ids(&mut db, "FETCH 295 FROM c"));
    assert_eq!(fetched, all);
    let error = db.query("FETCH BACKWARD 1 FROM c", &[]).unwrap_err();
    assert_eq!(sqlstate(&error), "55000");
    assert_eq!(message(&error), "cursor can only scan forward");
    db.batch_execute("ROLLBACK").unwrap();
    // One that may go back keeps its rows itself, as does one that outlives its transaction.
    db.batch_execute(&format!("BEGIN; DECLARE c SCROLL CURSOR FOR {declare}")).unwrap();
    assert_eq!(ids(&mut db, "FETCH 100 FROM c"), all[..100]);
    let back: Vec<i32> = ids(&mut db, "FETCH BACKWARD 99 FROM c").into_iter().rev().collect();
    assert_eq!(back, all[..99]);
    db.batch_execute(&format!("DECLARE h CURSOR WITH HOLD FOR {SEARCH}; COMMIT")).unwrap();
    db.batch_execute("DELETE FROM t").unwrap();
    db.batch_execute("VACUUM t").unwrap();
    assert_eq!(ids(&mut db, "FETCH ALL FROM h"), all[..20]);
    sound(&mut db);
}

/// A vacuum beside an open search takes nothing away that the search's snapshot can see, and the
/// places it frees may be in use for other rows when the search gets there.
#[test]
fn a_search_goes_on_after_a_vacuum() {
    let mut db = TestDb::new();
    fill(&mut db, 1000);
    db.batch_execute("SET hnsw.ef_search = 10; SET hnsw.iterative_scan = relaxed_order").unwrap();
    let mut other = db.connect();
    let doomed = ids(&mut db, "SELECT id FROM t WHERE id % 2 = 0");
    other.execute("DELETE FROM t WHERE id = ANY ($1)", &[&doomed]).unwrap();
    db.batch_execute(
        "BEGIN; DECLARE c CURSOR FOR SELECT id FROM t ORDER BY v <-> '[0,0,0,0,0,0,0,0]'",
    )
    .unwrap();
    let mut found = ids(&mut db, "FETCH 3 FROM c");
    other.batch_execute("VACUUM t").unwrap();
    (2000..2500).for_each(|id| insert(&mut other, id));
    found.extend(ids(&mut db, "FETCH ALL FROM c"));
    found.sort_unstable();
    let mut there: Vec<i32> = (0..1000).filter(|id| id % 2 == 1).collect();
    there.retain(|id| found.binary_search(id).is_err());
    assert!(there.len() <= 10, "{} rows are missing", there.len());
    assert!(found.is_sorted_by(|a, b| a < b) && found.iter().all(|id| id % 2 == 1), "{found:?}");
    db.batch_execute("COMMIT").unwrap();
    sound(&mut db);
}

#[test]
fn an_index_is_not_dropped_under_a_search() {
    let mut db = TestDb::new();
    fill(&mut db, 500);
    let mut other = db.connect();
    let pid: i32 = other.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0);
    let all = ids(&mut db, SEARCH);
    db.batch_execute(&format!("BEGIN; DECLARE c CURSOR FOR {SEARCH}")).unwrap();
    let mut found = ids(&mut db, "FETCH 1 FROM c");
    thread::scope(|scope| {
        // The limit ends the wait if this thread panics before it commits.
        let drop = "SET lock_timeout = '1min'; DROP INDEX i";
        let drop = scope.spawn(move || other.batch_execute(drop));
        let waits = "SELECT count(*) FROM pg_locks WHERE pid = $1 AND NOT granted";
        wait_until("DROP to wait", || Ok(db.query_one(waits, &[&pid])?.get::<_, i64>(0) > 0))
            .unwrap();
        found.extend(ids(&mut db, "FETCH ALL FROM c"));
        db.batch_execute("COMMIT").unwrap();
        drop.join().unwrap().unwrap();
    });
    assert_eq!(found, all);
    assert_eq!(ids(&mut db, SEARCH).len(), 20);
}

#[test]
fn an_index_moves_between_tablespaces() {
    let cluster = Cluster::new("hnsw-tablespace", &[("allow_in_place_tablespaces", "on")]).unwrap();
    let mut client = cluster.connect().unwrap();
    client.batch_execute("CREATE EXTENSION vector_ext").unwrap();
    client.batch_execute("CREATE TABLESPACE other LOCATION ''").unwrap();
    fill(&mut client, 1000);
    let all = ids(&mut client, SEARCH);
    let place = "SELECT pg_relation_filepath('i')";
    for (step, elsewhere) in [
        ("ALTER INDEX i SET TABLESPACE other", true),
        ("REINDEX (TABLESPACE pg_default) INDEX i", false),
        ("REINDEX (TABLESPACE other, CONCURRENTLY) INDEX i", true),
    ] {
        client.batch_execute(step).unwrap();
        let path: String = client.query_one(place, &[]).unwrap().get(0);
        assert_eq!(path.starts_with("pg_tblspc"), elsewhere, "{step}: {path}");
        let file = cluster.data_dir().join(path);
        assert!(fs::metadata(file).unwrap().len() > 8192, "{step}");
        sound(&mut client);
        assert_eq!(ids(&mut client, SEARCH), all, "{step}");
    }
    insert(&mut client, 5000);
    cluster.crash().unwrap();
    cluster.start().unwrap();
    let mut client = cluster.connect().unwrap();
    client.batch_execute("SET enable_seqscan = off").unwrap();
    assert_eq!(nearest(&mut client, 5000), 5000);
    sound(&mut client);
}

/// Index scans in order of distance run in one process; nothing near them may give wrong answers.
#[test]
fn parallel_plans_give_the_same_rows() {
    let mut db = TestDb::new();
    fill(&mut db, 2000);
    db.batch_execute("ANALYZE t").unwrap();
    let queries = [
        SEARCH,
        "SELECT count(*)::int FROM t WHERE v <-> '[0,0,0,0,0,0,0,0]' < 1.5",
        "SELECT id FROM (SELECT id FROM t ORDER BY v <-> '[1,0,0,0,0,0,0,0]' LIMIT 30) AS near ORDER BY id",
        "SELECT i.id FROM t AS o CROSS JOIN LATERAL (SELECT id FROM t ORDER BY v <-> o.v LIMIT 2) AS i
            WHERE o.id % 100 = 0 ORDER BY o.id, i.id",
    ];
    let serial = queries.map(|query| ids(&mut db, query));
    db.batch_execute(
        "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
        SET min_parallel_index_scan_size = 0; SET max_parallel_workers_per_gather = 2;
        ALTER TABLE t SET (parallel_workers = 2); RESET enable_seqscan",
    )
    .unwrap();
    let plan = explain_plan(&mut db, queries[1]).unwrap();
    assert!(plan.contains("Parallel Seq Scan"), "{plan}");
    for force in ["off", "on"] {
        // Its name has changed over the versions.
        let set = "SELECT set_config(name, $1, false) FROM pg_settings
            WHERE name IN ('force_parallel_mode', 'debug_parallel_query')";
        assert_eq!(db.query(set, &[&force]).unwrap().len(), 1);
        assert_eq!(queries.map(|query| ids(&mut db, query)), serial, "parallel by force: {force}");
    }
}
