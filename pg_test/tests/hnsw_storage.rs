//! A file that cannot grow, as on a full disk: the statement fails, nothing else does, and when
//! there is room again all goes on.
//!
//! The limit is that of the backend's process (`RLIMIT_FSIZE`), above the size of a WAL segment.

use pg_test::{
    Cluster, TestDb, Vector, copy_vectors, index_problems, limit_file_size, message, random_vector,
};
use postgres::Client;

/// Two elements fill a page, so that the index grows faster than the table.
const DIMENSIONS: usize = 768;
const LIMIT: u64 = 17 << 20;

fn vector(id: i32) -> Vec<f32> {
    let mut vector = random_vector(id as u64, 16);
    vector.resize(DIMENSIONS, 0.0);
    vector
}

/// A session on a table `t` of `rows` rows.
fn table(db: &TestDb, rows: i32) -> Client {
    let mut client = db.connect();
    client.batch_execute(&format!("CREATE TABLE t (id int, v vector({DIMENSIONS}))")).unwrap();
    let vectors: Vec<Vec<f32>> = (0..rows).map(vector).collect();
    copy_vectors(&mut client, "t", 0, vectors.iter().map(Vec::as_slice)).unwrap();
    client.batch_execute("SET enable_seqscan = off; SET hnsw.ef_search = 200").unwrap();
    client
}

/// Sets how large a file the session may write.
fn limit(client: &mut Client, bytes: Option<u64>) {
    let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0);
    limit_file_size(pid as u32, bytes).unwrap();
}

/// The error of a full disk.
#[track_caller]
fn is_full(error: &postgres::Error, cluster: &Cluster) {
    assert!(message(error).starts_with("could not extend file"), "{error:?}");
    assert!(!cluster.has_crashed(), "{}", cluster.log());
}

fn insert(client: &mut Client, id: i32) -> Result<u64, postgres::Error> {
    client.execute("INSERT INTO t VALUES ($1, $2)", &[&id, &Vector(vector(id))])
}

#[track_caller]
fn is_found(client: &mut Client, id: i32) {
    let search = "SELECT id FROM t ORDER BY v <-> $1 LIMIT 1";
    let found: i32 = client.query_one(search, &[&Vector(vector(id))]).unwrap().get(0);
    assert_eq!(found, id);
}

#[test]
fn a_build_that_finds_no_room_leaves_nothing() {
    let db = TestDb::new();
    let mut client = table(&db, 4600);
    let create = "CREATE INDEX i ON t USING hnsw (v vector_l2_ops) WITH (ef_construction = 32)";
    limit(&mut client, Some(LIMIT));
    is_full(&client.batch_execute(create).unwrap_err(), db.cluster());
    let there = "SELECT count(*) FROM pg_class WHERE relname = 'i'";
    assert_eq!(client.query_one(there, &[]).unwrap().get::<_, i64>(0), 0);
    limit(&mut client, None);
    client.batch_execute(create).unwrap();
    assert_eq!(index_problems(&mut client, "i").unwrap(), [""; 0]);
    is_found(&mut client, 4599);
}

#[test]
fn an_insert_that_finds_no_room_does_no_harm() {
    const ROWS: i32 = 4000;
    let db = TestDb::new();
    let mut client = table(&db, ROWS);
    let create = "CREATE INDEX i ON t USING hnsw (v vector_l2_ops) WITH (ef_construction = 32)";
    client.batch_execute(create).unwrap();
    limit(&mut client, Some(LIMIT));
    let mut next = ROWS;
    let error = loop {
        match insert(&mut client, next) {
            Ok(_) => next += 1,
            Err(error) => break error,
        }
        assert!(next < ROWS + 1000, "the limit is never reached");
    };
    assert!(next > ROWS, "the limit is reached at once");
    is_full(&error, db.cluster());
    // Searches and further attempts, and what frees some room.
    is_found(&mut client, next - 1);
    for _ in 0..3 {
        is_full(&insert(&mut client, next).unwrap_err(), db.cluster());
    }
    assert_eq!(index_problems(&mut client, "i").unwrap(), [""; 0]);
    client.batch_execute("DELETE FROM t WHERE id < 20").unwrap();
    client.batch_execute("VACUUM t").unwrap();
    for id in next..next + 15 {
        insert(&mut client, id).unwrap();
        is_found(&mut client, id);
    }
    limit(&mut client, None);
    for id in next + 15..next + 60 {
        insert(&mut client, id).unwrap();
        is_found(&mut client, id);
    }
    for id in (20..next + 60).step_by(37) {
        is_found(&mut client, id);
    }
    assert_eq!(index_problems(&mut client, "i").unwrap(), [""; 0]);
}
