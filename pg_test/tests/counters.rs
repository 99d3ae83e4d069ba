//! Counters of indexes: who has them, and for how long.

use pg_test::{Cluster, TestDb};
use postgres::Client;

/// Indexes that have room.
const ROOM: i32 = 64;

/// A server that counts so few indexes, and a table `t` in it.
fn server(settings: &[(&str, &str)]) -> (Cluster, Client) {
    let room = ROOM.to_string();
    let counting =
        [("shared_preload_libraries", "vector_ext"), ("vector_ext.max_tracked_indexes", &*room)];
    let settings: Vec<_> = counting.iter().chain(settings).copied().collect();
    let cluster = Cluster::new("counters", &settings).unwrap();
    let mut client = cluster.connect().unwrap();
    client.batch_execute("CREATE EXTENSION vector_ext").unwrap();
    create(&mut client, "t");
    (cluster, client)
}

/// A table with an index of its name and `_v_idx`.
fn create(client: &mut Client, table: &str) {
    let create = format!(
        "CREATE TABLE {table} (v vector(2)); CREATE INDEX ON {table} USING hnsw (v vector_l2_ops)"
    );
    client.batch_execute(&create).unwrap();
}

fn insert(client: &mut Client, table: &str) {
    client.batch_execute(&format!("INSERT INTO {table} VALUES ('[1,2]')")).unwrap();
}

/// Inserts that are counted of a table's index.
fn inserts(client: &mut Client, table: &str) -> Option<i64> {
    let query = "SELECT inserts FROM pg_stat_vector_indexes WHERE relname = $1";
    client.query_one(query, &[&table]).unwrap().get(0)
}

#[test]
fn what_is_not_counted_is_unknown() {
    let mut db = TestDb::new();
    create(&mut db, "t");
    insert(&mut db, "t");
    assert_eq!(inserts(&mut db, "t"), None);
    let (_cluster, mut client) = server(&[]);
    assert_eq!(inserts(&mut client, "t"), None);
    insert(&mut client, "t");
    assert_eq!(inserts(&mut client, "t"), Some(1));
}

#[test]
fn dropped_indexes_make_room() {
    let (cluster, mut client) = server(&[("max_prepared_transactions", "2")]);
    insert(&mut client, "t");
    // Far more indexes than there is room for, one after another, dropped in every way.
    for i in 0..2 * ROOM {
        create(&mut client, "passing");
        insert(&mut client, "passing");
        assert_eq!(inserts(&mut client, "passing"), Some(1), "{i}");
        let drop = match i % 4 {
            0 => "DROP TABLE passing",
            1 => "DROP INDEX passing_v_idx; DROP TABLE passing",
            2 => {
                "BEGIN; SAVEPOINT a; SAVEPOINT b; DROP TABLE passing; RELEASE b; RELEASE a; COMMIT"
            }
            _ => "ALTER TABLE passing DROP COLUMN v; DROP TABLE passing",
        };
        client.batch_execute(drop).unwrap();
    }
    // So do those that are rebuilt beside themselves.
    for _ in 0..ROOM {
        client.batch_execute("REINDEX INDEX CONCURRENTLY t_v_idx").unwrap();
        insert(&mut client, "t");
        assert_eq!(inserts(&mut client, "t"), Some(1));
    }
    client.batch_execute("REINDEX INDEX t_v_idx; TRUNCATE t").unwrap();
    assert_eq!(inserts(&mut client, "t"), Some(1), "the same index in a new file");
    assert!(!cluster.log().contains("is not counted"));
}

#[test]
fn a_drop_that_is_taken_back_keeps_the_counters() {
    let (_cluster, mut client) = server(&[]);
    insert(&mut client, "t");
    for drop in [
        "BEGIN; DROP INDEX t_v_idx; ROLLBACK",
        "BEGIN; SAVEPOINT a; DROP TABLE t; ROLLBACK TO a; COMMIT",
        "BEGIN; SAVEPOINT a; SAVEPOINT b; DROP TABLE t; RELEASE b; ROLLBACK TO a; COMMIT",
        "DO $$ BEGIN DROP TABLE t; RAISE 'no'; EXCEPTION WHEN OTHERS THEN NULL; END $$",
    ] {
        client.batch_execute(drop).unwrap();
        assert_eq!(inserts(&mut client, "t"), Some(1), "{drop}");
    }
}

#[test]
fn databases_make_room() {
    let (cluster, mut client) = server(&[]);
    for _ in 0..3 {
        client.batch_execute("CREATE DATABASE passing").unwrap();
        let mut other = cluster.connect_db("passing").unwrap();
        other.batch_execute("CREATE EXTENSION vector_ext").unwrap();
        for i in 0..ROOM / 2 {
            create(&mut other, &format!("t_{i}"));
            insert(&mut other, &format!("t_{i}"));
        }
        drop(other);
        client.batch_execute("DROP DATABASE passing WITH (FORCE)").unwrap();
    }
    insert(&mut client, "t");
    assert_eq!(inserts(&mut client, "t"), Some(1));
    assert!(!cluster.log().contains("is not counted"));
}

/// What `COMMIT PREPARED` drops, nobody hears of: its place is found when it is needed.
#[test]
fn the_log_says_once_that_there_is_no_room() {
    let (cluster, mut client) = server(&[("max_prepared_transactions", "2")]);
    let table = |i| format!("t_{i}");
    for i in 0..ROOM {
        create(&mut client, &table(i));
        insert(&mut client, &table(i));
    }
    assert_eq!(inserts(&mut client, &table(ROOM - 1)), Some(1));
    assert!(!cluster.log().contains("is not counted"));
    for _ in 0..3 {
        insert(&mut client, "t");
        assert_eq!(inserts(&mut client, "t"), None);
    }
    let log = cluster.log();
    assert_eq!(log.matches("use of index public.t_v_idx is not counted").count(), 1, "{log}");
    assert_eq!(log.matches("is not counted").count(), 1, "{log}");
    assert!(log.contains("Increase vector_ext.max_tracked_indexes"), "{log}");
    let prepared = "BEGIN; DROP TABLE t_0; PREPARE TRANSACTION 'p'";
    client.batch_execute(prepared).unwrap();
    client.batch_execute("COMMIT PREPARED 'p'").unwrap();
    // Another session: each looks for room once a second at most.
    let mut other = cluster.connect().unwrap();
    insert(&mut other, "t");
    assert_eq!(inserts(&mut other, "t"), Some(1));
}

#[test]
fn searches_with_conditions_are_counted_by_strategy() {
    let (_cluster, mut client) = server(&[]);
    client
        .batch_execute(
            "CREATE TABLE w AS SELECT i AS id, i % 9 AS part, ARRAY[i, i % 7]::vector(2) AS v
               FROM generate_series(1, 500) i;
             CREATE INDEX ON w USING hnsw (v vector_l2_ops); CREATE INDEX ON w (part); ANALYZE w;
             SET enable_seqscan = off; SET enable_sort = off",
        )
        .unwrap();
    let counts = |client: &mut Client| -> [i64; 3] {
        let query = "SELECT filtered_look, filtered_inline, filtered_exact
            FROM pg_stat_vector_indexes WHERE relname = 'w'";
        let row = client.query_one(query, &[]).unwrap();
        [row.get(0), row.get(1), row.get(2)]
    };
    let search = |client: &mut Client, condition: &str| {
        let query = format!("SELECT FROM w WHERE {condition} ORDER BY v <-> '[3,4]' LIMIT 5");
        client.query(&query, &[]).unwrap();
        let last = "SELECT strategy, looked, members FROM vector_scan_stats()";
        let row = client.query_one(last, &[]).unwrap();
        (
            row.get::<_, Option<String>>(0),
            row.get::<_, Option<i64>>(1),
            row.get::<_, Option<i64>>(2),
        )
    };
    assert_eq!(search(&mut client, "true"), (None, None, None));
    assert_eq!(counts(&mut client), [0, 0, 0]);
    let expected = [
        ("look", None, [1, 0, 0]),
        ("inline", Some(56), [1, 1, 0]),
        ("exact", Some(56), [1, 1, 1]),
    ];
    for (strategy, members, counted) in expected {
        client.batch_execute(&format!("SET vector_ext.filtered_scan = {strategy}")).unwrap();
        let (followed, looked, others) = search(&mut client, "part = 3");
        assert_eq!((followed.as_deref(), others), (Some(strategy), members));
        assert!(
            if strategy == "exact" { looked == Some(0) } else { looked >= Some(5) },
            "{looked:?}"
        );
        assert_eq!(counts(&mut client), counted, "{strategy}");
    }
}
