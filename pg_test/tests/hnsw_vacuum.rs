//! Vacuum of every kind: the space comes back, the rows that stay are found.

use pg_test::{Cluster, TestDb, Vector, copy_vectors, index_problems, random_vector, wait_until};
use postgres::Client;

const DIMENSIONS: usize = 12;

fn vector(id: i32) -> Vec<f32> {
    random_vector(id as u64, DIMENSIONS)
}

fn copy(client: &mut Client, first: i32, rows: i32) {
    let vectors: Vec<Vec<f32>> = (first..first + rows).map(vector).collect();
    copy_vectors(client, "t", first, vectors.iter().map(Vec::as_slice)).unwrap();
}

/// A table `t` of `rows` rows with an index `i`.
fn table(client: &mut Client, rows: i32) {
    client.batch_execute(&format!("CREATE TABLE t (id int, v vector({DIMENSIONS}))")).unwrap();
    copy(client, 0, rows);
    let create = "CREATE INDEX i ON t USING hnsw (v vector_l2_ops)";
    client.batch_execute(create).unwrap();
    client.batch_execute("SET enable_seqscan = off; SET hnsw.ef_search = 200").unwrap();
}

fn size(client: &mut Client) -> i64 {
    client.query_one("SELECT pg_relation_size('i')", &[]).unwrap().get(0)
}

/// A property of an index.
fn info(client: &mut Client, property: &str) -> i64 {
    let query = "SELECT value FROM vector_index_info('i') WHERE property = $1";
    client.query_one(query, &[&property]).unwrap().get::<_, &str>(0).parse().unwrap()
}

/// The index is sound and holds what the table holds; every row is found.
#[track_caller]
fn all_are_found(client: &mut Client) -> usize {
    assert_eq!(index_problems(client, "i").unwrap(), [""; 0]);
    let search = client.prepare("SELECT id FROM t ORDER BY v <-> $1 LIMIT 1").unwrap();
    let rows = client.query("SELECT id FROM t", &[]).unwrap();
    for row in &rows {
        let id = row.get(0);
        let found: i32 = client.query_one(&search, &[&Vector(vector(id))]).unwrap().get(0);
        assert_eq!(found, id);
    }
    assert_eq!(info(client, "tuples"), rows.len() as i64);
    assert_eq!(info(client, "dying elements"), 0);
    rows.len()
}

#[test]
fn space_is_used_again() {
    let mut db = TestDb::new();
    table(&mut db, 2000);
    let full = size(&mut db);
    for round in 1..4 {
        db.batch_execute("DELETE FROM t").unwrap();
        db.batch_execute("VACUUM t").unwrap();
        assert_eq!((info(&mut db, "tuples"), info(&mut db, "elements")), (0, 0));
        copy(&mut db, 10_000 * round, 2000);
        assert_eq!(all_are_found(&mut db), 2000);
        let now = size(&mut db);
        assert!(now <= full * 102 / 100, "{full} bytes, then {now}");
    }
    db.batch_execute("DELETE FROM t WHERE id <> 30123").unwrap();
    db.batch_execute("VACUUM t").unwrap();
    assert_eq!(all_are_found(&mut db), 1);
}

/// Rows come and go in the same part of the table; those of one vector share an element.
#[test]
fn many_rounds_of_delete_vacuum_insert() {
    let mut db = TestDb::new();
    table(&mut db, 0);
    for round in 0..8 {
        copy(&mut db, 1000 * round, 150);
        let twin = "INSERT INTO t SELECT -1, v FROM t, generate_series(1, 40) WHERE id = $1";
        db.execute(twin, &[&(1000 * round + 7)]).unwrap();
        db.batch_execute("DELETE FROM t WHERE id % 2 = 0 OR id = -1").unwrap();
        db.batch_execute("VACUUM t").unwrap();
        assert_eq!(info(&mut db, "overflow records"), 0);
        assert_eq!(all_are_found(&mut db), 75 * (round as usize + 1));
    }
}

/// The workers of a parallel vacuum take an index each.
#[test]
fn a_parallel_vacuum() {
    let mut db = TestDb::new();
    table(&mut db, 1500);
    db.batch_execute(
        "CREATE INDEX j ON t USING hnsw (v vector_cosine_ops);
        CREATE INDEX k ON t USING hnsw (v vector_l1_ops);
        SET min_parallel_index_scan_size = 0;
        DELETE FROM t WHERE id % 3 = 0",
    )
    .unwrap();
    db.batch_execute("VACUUM (PARALLEL 2) t").unwrap();
    assert_eq!(all_are_found(&mut db), 1000);
    for index in ["j", "k"] {
        assert_eq!(index_problems(&mut db, index).unwrap(), [""; 0]);
    }
}

#[test]
fn an_autovacuum() {
    let settings = [("autovacuum", "on"), ("autovacuum_naptime", "1s")];
    let cluster = Cluster::new("hnsw-autovacuum", &settings).unwrap();
    let mut client = cluster.connect().unwrap();
    client.batch_execute("CREATE EXTENSION vector_ext").unwrap();
    table(&mut client, 600);
    client
        .batch_execute(
            "ALTER TABLE t SET (autovacuum_vacuum_threshold = 10, autovacuum_vacuum_scale_factor = 0);
            DELETE FROM t WHERE id % 4 = 0",
        )
        .unwrap();
    wait_until("the autovacuum", || {
        Ok(info(&mut client, "tuples") == 450 && info(&mut client, "dying elements") == 0)
    })
    .unwrap();
    assert_eq!(all_are_found(&mut client), 450);
    assert!(!cluster.has_crashed());
}
