//! Settings of the extension in a session that has not loaded its library yet.

use pg_test::{Cluster, TestDb, major, skipped, text};

/// A value of each setting that is not its default.
const OTHER_VALUES: &str = "
SELECT name, CASE vartype WHEN 'enum' THEN (SELECT value FROM unnest(enumvals) value WHERE value <> boot_val LIMIT 1)
                          WHEN 'bool' THEN CASE boot_val WHEN 'on' THEN 'off' ELSE 'on' END
                          ELSE CASE boot_val WHEN min_val THEN max_val ELSE min_val END END
FROM pg_settings WHERE name ~ '^(hnsw|ivf|ivfflat|vector_ext)\\.' AND context = 'user' ORDER BY name";

#[test]
fn what_a_session_sets_first_holds() {
    let mut db = TestDb::new();
    db.batch_execute("SELECT '[1]'::vector").unwrap();
    let settings: Vec<(String, String)> =
        db.query(OTHER_VALUES, &[]).unwrap().iter().map(|row| (row.get(0), row.get(1))).collect();
    assert!(settings.len() > 8, "{settings:?}");
    let mut session = db.connect();
    for (name, value) in &settings {
        session.batch_execute(&format!("SET {name} = '{value}'")).unwrap();
    }
    session.batch_execute("SELECT '[1]'::vector").unwrap();
    for (name, value) in &settings {
        let now: String = session
            .query_one("SELECT setting FROM pg_settings WHERE name = $1", &[name])
            .unwrap()
            .get(0);
        assert_eq!(&now, value, "{name}");
    }
}

#[test]
fn names_that_are_none_are_refused() {
    let mut db = TestDb::new();
    if major(&mut db) < 15 {
        return skipped("PostgreSQL before 15 takes any name");
    }
    db.batch_execute("SELECT '[1]'::vector").unwrap();
    for prefix in ["hnsw", "ivf", "ivfflat", "vector_ext"] {
        let refused = db.batch_execute(&format!("SET {prefix}.no_such = 1")).unwrap_err();
        assert_eq!(pg_test::sqlstate(&refused), "42602", "{prefix}");
    }
}

/// The rows that a search finds, with the instruction set asked for, and the one in use.
fn found_with(instruction_set: &str) -> (String, String) {
    let setting = ("vector_ext.instruction_set", instruction_set);
    let cluster = Cluster::new("instruction_set", &[setting]).unwrap();
    let mut client = cluster.connect().unwrap();
    client
        .batch_execute(
            "CREATE EXTENSION vector_ext;
             CREATE TABLE t (id int, v vector(20));
             INSERT INTO t SELECT i, ARRAY(SELECT sin(i * j) FROM generate_series(1, 20) AS j)
             FROM generate_series(1, 1000) AS i;
             CREATE INDEX ON t USING hnsw (v vector_l2_ops)",
        )
        .unwrap();
    let nearest = "SELECT array_agg(id)::text FROM (
        SELECT id FROM t ORDER BY v <-> (SELECT v FROM t WHERE id = 7) LIMIT 10) AS nearest";
    let in_use = text(&mut client, "SELECT cpu FROM vector_ext_info()").unwrap();
    let refused = client.batch_execute("SET vector_ext.instruction_set = scalar").unwrap_err();
    assert_eq!(pg_test::sqlstate(&refused), "55P02");
    (in_use, text(&mut client, nearest).unwrap())
}

#[test]
fn a_server_can_ask_for_an_instruction_set() {
    let (widest, nearest) = found_with("auto");
    assert_eq!(found_with("scalar"), ("scalar".into(), nearest.clone()));
    for name in ["avx2", "avx512", "neon"] {
        let (in_use, found) = found_with(name);
        assert!(in_use == name || in_use == widest, "{name}: {in_use}");
        assert_eq!(found, nearest, "{name}");
    }
    assert_eq!(found_with(&widest).0, widest);
}
