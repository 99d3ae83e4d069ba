//! Settings of the extension in a session that has not loaded its library yet.

use pg_test::TestDb;

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
    db.batch_execute("SELECT '[1]'::vector").unwrap();
    for prefix in ["hnsw", "ivf", "ivfflat", "vector_ext"] {
        let refused = db.batch_execute(&format!("SET {prefix}.no_such = 1")).unwrap_err();
        assert_eq!(pg_test::sqlstate(&refused), "42602", "{prefix}");
    }
}
