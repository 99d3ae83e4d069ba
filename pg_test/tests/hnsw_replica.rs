//! A streaming standby answers like its primary, while it replays and afterwards.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use pg_test::{
    Cluster, Done, Vector, copy_vectors, explain_plan, index_problems, random_vector, scans_index,
    wait_until,
};
use postgres::Client;

const DIMENSIONS: usize = 32;
const ROWS: i32 = 3000;
const SEARCH: &str = "SELECT id, v <-> $1 FROM t ORDER BY v <-> $1 LIMIT 20";

fn vector(id: i32) -> Vec<f32> {
    random_vector(id as u64, DIMENSIONS)
}

fn insert(client: &mut Client, ids: impl Iterator<Item = i32>) {
    let statement = client.prepare("INSERT INTO t VALUES ($1, $2)").unwrap();
    for id in ids {
        client.execute(&statement, &[&id, &Vector(vector(id))]).unwrap();
    }
}

fn connect(cluster: &Cluster) -> Client {
    let mut client = cluster.connect().unwrap();
    client.batch_execute("SET enable_seqscan = off").unwrap();
    client
}

/// Ids and distances of a few searches.
fn answers(client: &mut Client) -> Vec<Vec<(i32, f64)>> {
    let plan = explain_plan(client, &SEARCH.replace("$1", "'[0]'")).unwrap();
    assert!(scans_index(&plan, "i"), "{plan}");
    let statement = client.prepare(SEARCH).unwrap();
    let search = |query: i32| {
        let rows = client.query(&statement, &[&Vector(vector(-query))]).unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    };
    (1..=40).map(search).collect()
}

/// The standby has caught up: it says what the primary says, and its index is sound.
#[track_caller]
fn compare(primary: &Cluster, standby: &Cluster) {
    standby.catch_up(primary).unwrap();
    let mut replica = connect(standby);
    assert_eq!(answers(&mut connect(primary)), answers(&mut replica));
    assert_eq!(index_problems(&mut replica, "i").unwrap(), [""; 0]);
}

/// Searches until told to stop; every answer is full and in order.
fn read(mut client: Client, done: &Done, reads: &AtomicU64) {
    let statement = client.prepare(SEARCH).unwrap();
    done.repeat(|query| {
        let rows = client.query(&statement, &[&Vector(vector(-query))]).unwrap();
        let distances: Vec<f64> = rows.iter().map(|row| row.get(1)).collect();
        assert_eq!(distances.len(), 20);
        assert!(distances.is_sorted(), "{distances:?}");
        reads.fetch_add(1, Ordering::Relaxed);
    });
}

#[test]
fn a_standby_answers_like_its_primary() {
    // Replay waits for readers, however long they take: none may be cancelled.
    let patience = [("max_standby_streaming_delay", "-1")];
    let primary = Cluster::new("hnsw-primary", &patience).unwrap();
    let mut client = primary.connect().unwrap();
    client
        .batch_execute(&format!(
            "CREATE EXTENSION vector_ext; CREATE TABLE t (id int, v vector({DIMENSIONS}))"
        ))
        .unwrap();
    let rows: Vec<Vec<f32>> = (0..ROWS).map(vector).collect();
    copy_vectors(&mut client, "t", 0, rows.iter().map(Vec::as_slice)).unwrap();
    let standby = primary.standby().unwrap();

    client.batch_execute("CREATE INDEX i ON t USING hnsw (v vector_l2_ops)").unwrap();
    compare(&primary, &standby);

    let (done, reads) = (Done::default(), AtomicU64::new(0));
    thread::scope(|scope| {
        let _end = done.at_end();
        let reader = connect(&standby);
        scope.spawn(|| read(reader, &done, &reads));
        let begun = || Ok(reads.load(Ordering::Relaxed) > 0);
        wait_until("the first read", begun).unwrap();

        thread::scope(|scope| {
            for writer in 0..2 {
                let mut client = primary.connect().unwrap();
                let ids = (ROWS + writer..ROWS + 1000).step_by(2);
                scope.spawn(move || insert(&mut client, ids));
            }
        });
        compare(&primary, &standby);

        client.batch_execute("DELETE FROM t WHERE id % 5 = 0").unwrap();
        compare(&primary, &standby);
        client.batch_execute("VACUUM t").unwrap();
        compare(&primary, &standby);

        insert(&mut client, 10_000..10_500); // into the places that became free
        compare(&primary, &standby);
        client.batch_execute("REINDEX INDEX i").unwrap();
        compare(&primary, &standby);
    });
    assert!(!primary.has_crashed() && !standby.has_crashed(), "{}", standby.log());

    // What was a standby takes over, and goes on with the index as it was.
    let before = answers(&mut connect(&standby));
    drop(client);
    primary.crash().unwrap();
    let mut client = connect(&standby);
    client.execute("SELECT pg_promote()", &[]).unwrap();
    assert_eq!(answers(&mut client), before);
    insert(&mut client, 20_000..20_300);
    client.batch_execute("DELETE FROM t WHERE id % 7 = 0").unwrap();
    client.batch_execute("VACUUM t").unwrap();
    assert_eq!(index_problems(&mut client, "i").unwrap(), [""; 0]);
    let search = client.prepare("SELECT id FROM t ORDER BY v <-> $1 LIMIT 1").unwrap();
    for id in (20_000..20_300).filter(|id| id % 7 > 0) {
        let found: i32 = client.query_one(&search, &[&Vector(vector(id))]).unwrap().get(0);
        assert_eq!(found, id);
    }
}
