//! A server that does not answer is an error as PostgreSQL makes it, and its standby may take its place.

use pg_test::shards::rows;
use pg_test::{Cluster, TestDb, message, sqlstate};

/// A server that has row 1.
fn shard() -> Cluster {
    let server = Cluster::new("shard", &[]).unwrap();
    let items = "CREATE EXTENSION vector_ext;
        CREATE TABLE items (id int, e vector(3));
        INSERT INTO items VALUES (1, '[1,2,4]');
        CREATE INDEX ON items USING hnsw (e vector_l2_ops)";
    server.connect().unwrap().batch_execute(items).unwrap();
    server
}

/// A database that has row 0, and the rows of the first of `hosts` that answers.
fn coordinator(hosts: &str) -> TestDb {
    let mut db = TestDb::new();
    db.batch_execute(&format!(
        "CREATE EXTENSION postgres_fdw;
        CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw
            OPTIONS (host '{hosts}', dbname 'postgres', extensions 'vector_ext', async_capable 'true');
        CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (user 'postgres');
        CREATE TABLE items (id int, e vector(3)) PARTITION BY LIST (id);
        CREATE TABLE items_0 PARTITION OF items FOR VALUES IN (0);
        CREATE FOREIGN TABLE items_1 PARTITION OF items FOR VALUES IN (1) SERVER far
            OPTIONS (table_name 'items');
        INSERT INTO items VALUES (0, '[1,2,3]')"
    ))
    .unwrap();
    db
}

/// A search that finds both.
fn search(filter: &str) -> String {
    format!(
        r#"SELECT ((hit).id)::text FROM vector_search(NULL::items,
            ann('e', '[1,2,3]', params => '{{"metric_type": "L2"}}') {filter})"#
    )
}

#[test]
fn a_shard_that_is_down_is_postgresqls_error() {
    let server = shard();
    let mut db = coordinator(&server.socket_dir().display().to_string());
    assert_eq!(rows(&mut db, &search("")), ["0", "1"]);
    server.stop().unwrap();
    let error = db.query(&search(""), &[]).unwrap_err();
    let plain = db.query("SELECT id FROM items", &[]).unwrap_err();
    assert_eq!((sqlstate(&error), message(&error)), (sqlstate(&plain), message(&plain)));
    assert_eq!(sqlstate(&error), "08001");
    // What is here is still found.
    assert_eq!(rows(&mut db, &search(", filter => 'id == 0'")), ["0"]);
    server.start().unwrap();
    assert_eq!(rows(&mut db, &search("")), ["0", "1"]);
}

#[test]
fn a_standby_takes_the_place_of_its_primary() {
    let primary = shard();
    let standby = primary.standby().unwrap();
    standby.catch_up(&primary).unwrap();
    let hosts = [&primary, &standby].map(|server| server.socket_dir().display().to_string());
    let mut db = coordinator(&hosts.join(","));
    assert_eq!(rows(&mut db, &search("")), ["0", "1"]);
    primary.stop().unwrap();
    assert_eq!(rows(&mut db, &search("")), ["0", "1"]);
    primary.start().unwrap();
}
