//! VACUUM does not need room on the disk: where there is none, lists stay as they are. A limit on the
//! size of a file stands for a full disk.

use pg_test::{Cluster, Vector, index_problems, limit_file_size, random_vector, sqlstate};
use postgres::Client;

const DIMENSIONS: usize = 24;
const ROWS: i32 = 3_000;

fn row(id: i32) -> Vector {
    Vector(random_vector(id as u64, DIMENSIONS))
}

/// An index made before the first row: all rows are in one list, which the next vacuum divides.
fn create(client: &mut Client) {
    client
        .batch_execute(&format!(
            "CREATE EXTENSION vector_ext;
            CREATE TABLE t (id int, v vector({DIMENSIONS})) WITH (autovacuum_enabled = false);
            SET client_min_messages = error;
            CREATE INDEX i ON t USING ivfflat (v) WITH (lists = 20)"
        ))
        .unwrap();
    let insert = client.prepare("INSERT INTO t VALUES ($1, $2)").unwrap();
    for id in 0..ROWS {
        client.execute(&insert, &[&id, &row(id)]).unwrap();
    }
    client.batch_execute("DELETE FROM t WHERE id % 10 = 0; SET ivfflat.probes = 32768").unwrap();
}

fn number(client: &mut Client, query: &str) -> i64 {
    client.query_one(query, &[]).unwrap().get(0)
}

fn lists(client: &mut Client) -> i64 {
    let lists = "SELECT value::bigint FROM vector_index_info('i') WHERE property = 'lists'";
    number(client, lists)
}

/// Every row is found by the index, once.
#[track_caller]
fn expect_whole(client: &mut Client) {
    assert_eq!(index_problems(client, "i").unwrap(), [""; 0]);
    let query = "SET enable_seqscan = off; SET enable_sort = off";
    client.batch_execute(query).unwrap();
    let search = "SELECT id FROM t ORDER BY v <-> $1";
    let mut found: Vec<i32> =
        client.query(search, &[&row(7)]).unwrap().iter().map(|row| row.get(0)).collect();
    found.sort_unstable();
    assert!(found.into_iter().eq((0..ROWS).filter(|id| id % 10 != 0)));
}

#[test]
fn vacuum_leaves_lists_as_they_are_where_there_is_no_room() {
    let settings = [("autovacuum", "off"), ("max_parallel_maintenance_workers", "0")];
    let cluster = Cluster::new("ivf-no-room", &settings).unwrap();
    let mut client = cluster.connect().unwrap();
    create(&mut client);
    let size = number(&mut client, "SELECT pg_relation_size('i')");
    let backend: i32 = client.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0);
    let logged = cluster.log().len();

    limit_file_size(backend as u32, Some(size as u64)).unwrap();
    let frozen = "SELECT relfrozenxid::text::bigint FROM pg_class WHERE relname = 't'";
    let before = number(&mut client, frozen);
    for _ in 0..2 {
        client.batch_execute("VACUUM FREEZE t").unwrap();
    }
    assert_eq!(lists(&mut client), 1, "there was room");
    assert!(number(&mut client, frozen) > before, "nothing was frozen");
    let log = cluster.log()[logged..].to_owned();
    let message = "could not reorganize lists of index public.i";
    assert_eq!(log.matches(message).count(), 2, "{log}");
    assert!(log.contains("There is no room for more pages: could not extend file"), "{log}");
    // What has to grow says so.
    let insert =
        "INSERT INTO t SELECT i, (SELECT v FROM t LIMIT 1) FROM generate_series(1, 3000) i";
    let error = client.batch_execute(insert).unwrap_err();
    assert!(pg_test::message(&error).starts_with("could not extend file"), "{error:?}");
    assert_ne!(sqlstate(&error), "XX002");

    limit_file_size(backend as u32, None).unwrap();
    expect_whole(&mut client);
    client.batch_execute("VACUUM t").unwrap();
    assert!(lists(&mut client) > 10);
    expect_whole(&mut client);
}
