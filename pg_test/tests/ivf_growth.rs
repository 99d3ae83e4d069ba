//! An `ivfflat` index that grows: vacuum divides its lists, beside readers, crashes and standbys.

use std::thread;

use pg_test::{
    Cluster, Done, TestDb, Vector, explain_plan, index_problems, random_vector, scans_index,
};
use postgres::Client;

const DIMENSIONS: usize = 24;

fn vector(id: i32) -> Vector {
    Vector(random_vector(id as u64, DIMENSIONS))
}

/// A table with an index made before its first row: all rows are in one list.
fn create(client: &mut Client, quantization: &str) {
    client
        .batch_execute(&format!(
            "CREATE EXTENSION IF NOT EXISTS vector_ext;
            CREATE TABLE t (id int, v vector({DIMENSIONS})) WITH (autovacuum_enabled = false);
            SET client_min_messages = error;
            CREATE INDEX i ON t USING ivfflat (v)
                WITH (lists = 20, quantization = {quantization})"
        ))
        .unwrap();
    insert(client, 0..3000);
}

fn insert(client: &mut Client, ids: impl Iterator<Item = i32>) {
    let insert = client.prepare("INSERT INTO t VALUES ($1, $2)").unwrap();
    for id in ids {
        client.execute(&insert, &[&id, &vector(id)]).unwrap();
    }
}

fn lists(client: &mut Client) -> i64 {
    let info = "SELECT value::bigint FROM vector_index_info('i') WHERE property = 'lists'";
    client.query_one(info, &[]).unwrap().get(0)
}

/// All rows, through the index, nearest to the vector of row 7 first.
fn by_index(client: &mut Client) -> Vec<i32> {
    client.batch_execute("SET enable_seqscan = off; SET ivfflat.probes = 32768").unwrap();
    let search = "SELECT id FROM t ORDER BY v <-> $1";
    let plan = explain_plan(client, &search.replace("$1", "'[0]'")).unwrap();
    assert!(scans_index(&plan, "i"), "{plan}");
    client.query(search, &[&vector(7)]).unwrap().iter().map(|row| row.get(0)).collect()
}

/// The index holds the rows of `ids`, each once.
#[track_caller]
fn holds(client: &mut Client, ids: impl Iterator<Item = i32>) {
    assert_eq!(index_problems(client, "i").unwrap(), [""; 0]);
    let mut found = by_index(client);
    assert_eq!(found[0], 7);
    found.sort_unstable();
    assert!(found.into_iter().eq(ids));
}

#[test]
fn an_index_made_on_an_empty_table_gets_its_lists() {
    for quantization in ["none", "sq8", "rabitq"] {
        let mut db = TestDb::new();
        create(&mut db, quantization);
        assert_eq!(lists(&mut db), 1);
        // Nothing was deleted.
        for _ in 0..3 {
            db.batch_execute("VACUUM t").unwrap();
            holds(&mut db, 0..3000);
        }
        let divided = lists(&mut db);
        assert!((10..=40).contains(&divided), "{divided} lists");
        insert(&mut db, 3000..3500);
        db.batch_execute("DELETE FROM t WHERE id >= 100").unwrap();
        db.batch_execute("VACUUM t").unwrap();
        holds(&mut db, 0..100);
    }
}

#[test]
fn searches_and_inserts_go_on_meanwhile() {
    let mut db = TestDb::new();
    create(&mut db, "rabitq");
    let done = &Done::default();
    thread::scope(|scope| {
        let _end = done.at_end();
        for _ in 0..2 {
            let mut client = db.connect();
            scope.spawn(move || {
                done.repeat(|_| {
                    let found = by_index(&mut client);
                    assert_eq!(found[0], 7);
                    // Those that were there from the start are always found, and once.
                    assert_eq!(found.iter().filter(|&&id| id < 3000).count(), 3000);
                })
            });
        }
        let mut client = db.connect();
        let inserter = scope.spawn(move || insert(&mut client, 3000..6000));
        for _ in 0..10 {
            db.batch_execute("VACUUM t").unwrap();
        }
        inserter.join().unwrap();
    });
    assert!(lists(&mut db) > 5);
    holds(&mut db, 0..6000);
}

#[test]
fn a_cursor_goes_on_where_lists_were_divided() {
    let mut db = TestDb::new();
    create(&mut db, "rabitq");
    db.batch_execute("VACUUM t").unwrap();
    insert(&mut db, 3000..8000);
    let mut reader = db.connect();
    reader
        .batch_execute(
            "SET enable_seqscan = off; SET ivfflat.iterative_scan = relaxed_order;
            SET ivfflat.max_probes = 32768",
        )
        .unwrap();
    let mut search = reader.transaction().unwrap();
    let cursor = search.bind("SELECT id FROM t ORDER BY v <-> $1", &[&vector(7)]).unwrap();
    let mut found = search.query_portal(&cursor, 10).unwrap();
    let before = lists(&mut db);
    db.batch_execute("VACUUM t").unwrap();
    assert!(lists(&mut db) > before);
    found.extend(search.query_portal(&cursor, 0).unwrap());
    let mut ids: Vec<i32> = found.iter().map(|row| row.get(0)).collect();
    ids.sort_unstable();
    assert!(ids.into_iter().eq(0..8000));
}

#[test]
fn a_killed_server_and_a_standby_lose_nothing() {
    let primary = Cluster::new("ivf_growth", &[]).unwrap();
    create(&mut primary.connect().unwrap(), "rabitq");
    let standby = primary.standby().unwrap();
    for round in 1..4 {
        let mut client = primary.connect().unwrap();
        insert(&mut client, round * 3000..(round + 1) * 3000);
        standby.catch_up(&primary).unwrap();
        let done = &Done::default();
        thread::scope(|scope| {
            let _end = done.at_end();
            let mut reader = standby.connect().unwrap();
            scope.spawn(move || {
                done.repeat(|_| {
                    let found = by_index(&mut reader);
                    assert_eq!(found[0], 7);
                    assert_eq!(found.len() as i32, (round + 1) * 3000);
                })
            });
            client.batch_execute("VACUUM t").unwrap();
            standby.catch_up(&primary).unwrap();
        });
        holds(&mut standby.connect().unwrap(), 0..(round + 1) * 3000);
        primary.crash().unwrap();
        primary.start().unwrap();
        holds(&mut primary.connect().unwrap(), 0..(round + 1) * 3000);
    }
    let mut client = primary.connect().unwrap();
    assert!(lists(&mut client) > 5);
    assert_eq!(by_index(&mut standby.connect().unwrap()), by_index(&mut client));
}
