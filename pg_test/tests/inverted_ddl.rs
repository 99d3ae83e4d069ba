//! Inverted indexes on every kind of table, and what users do to tables.

use pg_test::{Cluster, TestDb, index_problems, refusal, text};
use postgres::Client;

const ROWS: &str = "SELECT i, 'all word' || i % 10 || ' own' || i FROM generate_series(1, 500) i";

/// The rows of word 3, by the index.
#[track_caller]
fn whole(client: &mut Client, index: &str) {
    assert_eq!(index_problems(client, index).unwrap(), [""; 0]);
    let query = "SELECT string_agg(id::text, ',' ORDER BY id) FROM
        (SELECT id FROM t ORDER BY body <@> 'word3') AS found";
    let expected = "SELECT string_agg(id::text, ',' ORDER BY id) FROM t WHERE body ~ 'word3 '";
    assert_eq!(text(client, query), text(client, expected));
}

#[test]
fn on_temporary_and_unlogged_tables() {
    for create in ["CREATE TEMP TABLE", "CREATE UNLOGGED TABLE", "CREATE TABLE"] {
        let mut db = TestDb::new();
        db.batch_execute(&format!(
            "{create} t (id int, body text); CREATE INDEX i ON t USING inverted (body);
             INSERT INTO t {ROWS}; DELETE FROM t WHERE id % 4 = 0"
        ))
        .unwrap();
        whole(&mut db, "i");
        db.batch_execute("VACUUM t").unwrap();
        whole(&mut db, "i");
    }
}

#[test]
fn an_unlogged_table_is_empty_after_a_crash() {
    let cluster = Cluster::new("inverted-unlogged", &[]).unwrap();
    let mut client = cluster.connect().unwrap();
    client
        .batch_execute(&format!(
            "CREATE EXTENSION vector_ext; CREATE UNLOGGED TABLE t (id int, body text);
             CREATE INDEX i ON t USING inverted (body) WITH (analyzer = 'english', k1 = 2);
             INSERT INTO t {ROWS}"
        ))
        .unwrap();
    cluster.crash().unwrap();
    cluster.start().unwrap();
    let mut client = cluster.connect().unwrap();
    assert_eq!(text(&mut client, "SELECT count(*) FROM t").unwrap(), "0");
    client.batch_execute(&format!("INSERT INTO t {ROWS}")).unwrap();
    whole(&mut client, "i");
    let k1 = "SELECT value FROM vector_index_info('i') WHERE property = 'k1'";
    assert_eq!(text(&mut client, k1).unwrap(), "2");
}

#[test]
fn tables_are_changed_in_every_way() {
    let mut db = TestDb::new();
    db.batch_execute(&format!(
        "CREATE TABLE t (id int PRIMARY KEY, body text); INSERT INTO t {ROWS};
         CREATE INDEX i ON t USING inverted (body)"
    ))
    .unwrap();
    let concurrently =
        "CREATE INDEX CONCURRENTLY j ON t USING inverted (body) WITH (positions = off)";
    db.batch_execute(concurrently).unwrap();
    for statement in [
        "DROP INDEX i; ALTER INDEX j RENAME TO i",
        "REINDEX INDEX i",
        "REINDEX TABLE CONCURRENTLY t",
        "CLUSTER t USING t_pkey",
        "VACUUM FULL t",
        "ALTER TABLE t ALTER body TYPE varchar(200)",
        "ALTER TABLE t ALTER body TYPE text USING body || ' '",
        "ALTER TABLE t SET UNLOGGED",
        "ALTER TABLE t SET LOGGED",
        "ALTER TABLE t ADD extra int DEFAULT 3",
        "UPDATE t SET extra = 4",
        "ALTER TABLE t DROP extra",
        "ALTER INDEX i SET (k1 = 1.5)",
        "BEGIN; TRUNCATE t; INSERT INTO t VALUES (1, 'word3 '); ROLLBACK",
        "BEGIN; REINDEX INDEX i; ROLLBACK",
    ] {
        db.batch_execute(statement).unwrap();
        whole(&mut db, "i");
    }
    db.batch_execute("TRUNCATE t").unwrap();
    whole(&mut db, "i");
    db.batch_execute(&format!("INSERT INTO t {ROWS}")).unwrap();
    whole(&mut db, "i");
}

#[test]
fn partial_indexes_and_joins_find_what_they_should() {
    let mut db = TestDb::new();
    db.batch_execute(&format!(
        "CREATE TABLE t (id int PRIMARY KEY, body text); INSERT INTO t {ROWS};
         CREATE INDEX i ON t USING inverted (body) WHERE id > 250;
         CREATE TABLE tags (doc int, tag text); INSERT INTO tags SELECT id, 'x' FROM t WHERE id % 20 = 13;
         ANALYZE"
    ))
    .unwrap();
    let mut ids = |query: &str| -> Vec<i32> {
        db.query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect()
    };
    let partial = "SELECT id FROM t WHERE id > 300 ORDER BY body <@> 'word3' LIMIT 100";
    assert_eq!(ids(partial).len(), 20);
    let join = "SELECT t.id FROM t JOIN tags ON doc = id WHERE id > 250 ORDER BY body <@> 'word3' LIMIT 100";
    let mut found = ids(join);
    found.sort_unstable();
    assert_eq!(found, (253..=500).filter(|id| id % 20 == 13).collect::<Vec<_>>());
    let lateral = "SELECT near.id FROM tags, LATERAL (SELECT id FROM t
        WHERE id > 250 ORDER BY body <@> ('own' || (doc + 240)) LIMIT 3) AS near WHERE doc < 260";
    let mut found = ids(lateral);
    found.sort_unstable();
    assert_eq!(found, (13..260).filter(|id| id % 20 == 13).map(|id| id + 240).collect::<Vec<_>>());
}

#[test]
fn analyzers_that_there_are_not_are_refused_whatever_sets_them() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE t (id int, body text); CREATE INDEX i ON t USING inverted (body);
         CREATE TABLE p (id int, body text) PARTITION BY RANGE (id);
         CREATE SCHEMA other; CREATE TEXT SEARCH CONFIGURATION other.own (COPY = english);
         SET search_path = public, other",
    )
    .unwrap();
    for analyzer in ["no_such_analyzer", r#"{"tokenizer": "none"}"#, r#"{"tokenizer":"#] {
        let with = format!("WITH (analyzer = '{analyzer}')");
        let expected = refusal(&mut db, &format!("CREATE INDEX ON t USING inverted (body) {with}"));
        for statement in [
            format!("ALTER INDEX i SET (analyzer = '{analyzer}')"),
            format!("CREATE INDEX ON p USING inverted (body) {with}"),
        ] {
            assert_eq!(refusal(&mut db, &statement), expected, "{statement}");
        }
    }
    // Since PostgreSQL 17, an index is built under a search path of its own, on which this one is not.
    for statement in [
        "CREATE INDEX ON t USING inverted (body) WITH (analyzer = 'own')",
        "CREATE INDEX ON p USING inverted (body) WITH (analyzer = 'own')",
        "ALTER INDEX i SET (analyzer = 'own')",
    ] {
        let (state, message, _) = refusal(&mut db, statement);
        assert!(["22023", "42704"].contains(&state.as_str()), "{statement}: {message}");
    }
    let accepted = "ALTER INDEX i SET (analyzer = 'other.own'); REINDEX INDEX i;
        CREATE INDEX ON p USING inverted (body) WITH (analyzer = 'english')";
    db.batch_execute(accepted).unwrap();
}

/// Threads that analyze texts make the same index as the backend alone; those that no thread analyzes are
/// in their place.
#[test]
fn builds_by_threads_are_the_same() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE t (id int, body text, many text[]);
         INSERT INTO t SELECT i, '我们 graph' || i % 7 || ' Stemming words running ' || md5(i::text),
                ARRAY['one ' || i % 11, NULL, 'two graph' || i % 5]
           FROM generate_series(1, 20000) i;
         INSERT INTO t SELECT i, repeat('long text graph' || i % 7 || ' ', 10000), '{}'
           FROM generate_series(20001, 20003) i;
         INSERT INTO t SELECT i, repeat('rather long graph' || i % 7 || ' ', 300),
                array_fill(''::text, ARRAY[5000]) || ARRAY['graph3']
           FROM generate_series(20201, 20250) i;
         INSERT INTO t SELECT i, CASE WHEN i % 2 = 0 THEN 'last graph' || i % 7 END, NULL
           FROM generate_series(20004, 20100) i",
    )
    .unwrap();
    for analyzer in ["standard", "{\"type\": \"english\"}", "chinese"] {
        for column in ["body", "many"] {
            let mut made = Vec::new();
            for workers in [0, 3] {
                db.batch_execute(&format!(
                    "SET max_parallel_maintenance_workers = {workers}; DROP INDEX IF EXISTS i;
                     CREATE INDEX i ON t USING inverted ({column}) WITH (analyzer = '{analyzer}')"
                ))
                .unwrap();
                assert_eq!(index_problems(&mut db, "i").unwrap(), [""; 0]);
                let query = format!(
                    "SELECT md5(string_agg(id || ' ' || s, ',' ORDER BY id)) || count(*)
                     FROM (SELECT id, {column} <@> 'graph3 words two long' AS s FROM t
                           ORDER BY {column} <@> 'graph3 words two long') AS found"
                );
                let facts = "SELECT string_agg(property || value, ',' ORDER BY property)
                    FROM vector_index_info('i')";
                made.push((text(&mut db, &query).unwrap(), text(&mut db, facts).unwrap()));
            }
            assert_eq!(made[0], made[1], "{analyzer}, {column}");
        }
    }
}
