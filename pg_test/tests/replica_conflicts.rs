//! What is done to a table with an index of ours ends no more searches on a standby than the same does
//! with btree.

use pg_test::{Cluster, text};
use postgres::Client;

/// An index of each access method; the first is the measure.
const INDEXES: [&str; 6] = [
    "btree (id)",
    "hnsw (v vector_l2_ops)",
    "ivf (v)",
    "ivfflat (v) WITH (lists = 3)",
    "inverted (body)",
    "inverted (s)",
];
const DELETE: &str = "DELETE FROM t WHERE id % 5 = 0; VACUUM (TRUNCATE off) t";
/// What happens on the primary while a transaction of the standby reads.
const CHANGES: [&str; 6] = [
    "INSERT INTO t SELECT * FROM more(1001, 1300)",
    "UPDATE t SET v = v, body = body || ' more' WHERE id % 3 = 0",
    DELETE,
    "INSERT INTO t SELECT * FROM more(2001, 2300)",
    "UPDATE t SET id = id + 1; ANALYZE t; VACUUM (INDEX_CLEANUP on, TRUNCATE off) t",
    "REINDEX INDEX CONCURRENTLY i",
];

/// A standby's transaction, which has read the table and may read on.
fn begin(standby: &Cluster, database: &str) -> Client {
    let mut client = standby.connect_db(database).unwrap();
    client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t").unwrap();
    client
}

/// The changes that ended a transaction of the standby.
fn conflicts(primary: &Cluster, standby: &Cluster, index: &str) -> Vec<&'static str> {
    let database = index.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    let create = format!("CREATE DATABASE {database}");
    primary.connect().unwrap().batch_execute(&create).unwrap();
    let mut client = primary.connect_db(&database).unwrap();
    client
        .batch_execute(&format!(
            "CREATE EXTENSION vector_ext;
            CREATE TABLE t (id int, v vector(8), body text, s sparsevec(40)) WITH (autovacuum_enabled = off);
            CREATE FUNCTION more(first int, last int) RETURNS SETOF t LANGUAGE sql AS $$
                SELECT n, ARRAY(SELECT sin(n * d) FROM generate_series(1, 8) d)::vector,
                    format('word%s own%s', n % 7, n), format('{{%s:1}}/40', 1 + n % 40)::sparsevec
                FROM generate_series(first, last) n $$;
            INSERT INTO t SELECT * FROM more(1, 1000);
            CREATE INDEX i ON t USING {index}"
        ))
        .unwrap();
    let mut ended = Vec::new();
    for change in CHANGES {
        standby.catch_up(primary).unwrap();
        let mut reader = begin(standby, &database);
        change.split(';').for_each(|statement| client.batch_execute(statement).unwrap());
        standby.catch_up(primary).unwrap();
        if reader.simple_query("SELECT count(*) FROM t").is_err() {
            ended.push(change);
        }
    }
    assert_eq!(text(&mut client, "SELECT count(*) > 1000 FROM t").unwrap(), "t");
    ended
}

#[test]
fn searches_on_a_standby_end_no_sooner_than_with_btree() {
    // Nothing is put off: what can end a transaction does.
    let primary = Cluster::new("conflicts", &[("max_standby_streaming_delay", "0")]).unwrap();
    let standby = primary.standby().unwrap();
    let [btree, ours @ ..] = INDEXES.map(|index| conflicts(&primary, &standby, index));
    assert!(btree.contains(&DELETE), "{btree:?}");
    for (ended, index) in ours.iter().zip(&INDEXES[1..]) {
        assert!(
            ended.iter().all(|change| btree.contains(change)),
            "{index}: {ended:?}, not {btree:?}"
        );
    }
}
