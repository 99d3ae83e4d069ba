//! `pg_upgrade` to a later major version of PostgreSQL keeps the indexes as they are.

use std::env;
use std::path::Path;

use pg_test::Cluster;
use pg_test::every_index::{Index, create_all, sound, work};
use postgres::Client;

/// All rows of the tables, and the files of the indexes.
fn contents(client: &mut Client, indexes: &[Index]) -> Vec<(String, Vec<u8>)> {
    let mut contents = Vec::new();
    for Index { table, .. } in indexes {
        let rows = format!("SELECT md5(string_agg(t::text, ';' ORDER BY id)) FROM {table} t");
        let file = format!("SELECT pg_read_binary_file(pg_relation_filepath('{table}_index'))");
        let rows = client.query_one(&rows, &[]).unwrap().get(0);
        contents.push((rows, client.query_one(&file, &[]).unwrap().get(0)));
    }
    contents
}

#[test]
#[ignore = "needs several major versions of PostgreSQL: make test-pg-upgrade"]
fn indexes_survive_pg_upgrade() {
    let bindirs = env::var("PG_UPGRADE_BINDIRS").expect("folders of programs, oldest first");
    let mut bindirs = bindirs.split(':').map(Path::new);
    let mut server = Cluster::in_bindir(bindirs.next().unwrap(), "pg_upgrade").unwrap();
    let mut client = server.connect().unwrap();
    client.batch_execute("CREATE EXTENSION vector_ext").unwrap();
    let indexes = create_all(&mut client);
    let mut next = 201;
    work(&mut client, &indexes, next);
    for bindir in bindirs {
        client.batch_execute("CHECKPOINT").unwrap();
        let before = contents(&mut client, &indexes);
        drop(client);
        server.stop().unwrap();
        let new = Cluster::in_bindir(bindir, "pg_upgrade").unwrap();
        new.stop().unwrap();
        new.upgrade(&server).unwrap();
        new.start().unwrap();
        server = new;

        client = server.connect().unwrap();
        assert!(contents(&mut client, &indexes) == before, "{}", bindir.display());
        sound(&mut client, &indexes);
        next += 50;
        work(&mut client, &indexes, next);
    }
    client.batch_execute("REINDEX DATABASE postgres").unwrap();
    sound(&mut client, &indexes);
    assert!(!server.has_crashed());
}
