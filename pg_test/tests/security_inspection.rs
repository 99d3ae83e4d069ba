//! Looking into an index runs nothing of its owner's with the rights of the one who looks.

use pg_test::{TestDb, message, refusal, sqlstate, text};

/// A table `t` of a role `owner_N`, with an index `i` on an expression and some rows, both functions
/// of the owner's. They fail where another role runs them, and where `test.escape` is on they try
/// to become one.
fn database(db: &mut TestDb) -> String {
    let owner = format!("owner_of_{}", db.name());
    db.batch_execute(
        &format!(
            "CREATE ROLE {owner}; CREATE SCHEMA s AUTHORIZATION {owner}; SET ROLE {owner};
        CREATE FUNCTION s.trap(i int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
        BEGIN
            IF current_user <> '{owner}' THEN RAISE 'ran as %', current_user; END IF;
            IF current_setting('test.escape', true) = 'on' THEN
                PERFORM set_config('role', 'none', false);
            END IF;
            PERFORM set_config('search_path', 's', false), set_config('test.trace', 'behind', false);
            RETURN true;
        END $$;
        CREATE FUNCTION s.value(i int) RETURNS vector LANGUAGE plpgsql IMMUTABLE AS $$
        BEGIN PERFORM s.trap(i); RETURN array[i, i % 7]::real[]::@; END $$;
        CREATE TABLE s.t (id int);
        INSERT INTO s.t SELECT i FROM generate_series(1, 100) AS i;
        CREATE INDEX i ON s.t USING hnsw ((s.value(id)::vector(2)) vector_l2_ops) WHERE s.trap(id);
        RESET ROLE; RESET search_path; SET test.trace = ''",
        )
        .replace("@", "public.vector"),
    )
    .unwrap();
    owner
}

#[test]
fn recall_runs_the_index_as_the_owner_of_the_table() {
    let mut db = TestDb::new();
    let owner = database(&mut db);
    let superuser = text(&mut db, "SELECT current_user").unwrap();
    let path = text(&mut db, "SHOW search_path").unwrap();
    let row = db.query_one("SELECT * FROM vector_index_recall('s.i', 5, 20)", &[]).unwrap();
    assert_eq!((row.get::<_, i64>("queries"), row.get::<_, f64>("recall")), (20, 1.0));
    for function in ["vector_index_info", "vector_index_check"] {
        db.query(&format!("SELECT {function}('s.i')"), &[]).unwrap();
    }
    // What the owner's code sets is gone.
    assert_eq!(text(&mut db, "SELECT current_user").unwrap(), superuser);
    assert_eq!(text(&mut db, "SHOW search_path").unwrap(), path);
    assert_eq!(text(&mut db, "SHOW test.trace").unwrap(), "");

    // It cannot become another role, and the one who looks is as before afterwards.
    db.batch_execute("SET test.escape = on").unwrap();
    let refused = refusal(&mut db, "SELECT vector_index_recall('s.i', 5, 20)");
    assert_eq!(refused.0, "42501", "{refused:?}");
    assert!(refused.1.contains("security-restricted operation"), "{refused:?}");
    db.batch_execute(&format!(
        "DO $$ BEGIN
            BEGIN
                PERFORM vector_index_recall('s.i', 5, 20);
                ASSERT false;
            EXCEPTION WHEN insufficient_privilege THEN NULL;
            END;
            ASSERT current_user = '{superuser}' AND current_setting('search_path') = '{path}';
            ASSERT current_setting('enable_seqscan')::boolean;
        END $$"
    ))
    .unwrap();
    db.batch_execute(&format!("DROP OWNED BY {owner}; DROP ROLE {owner}")).unwrap();
}

#[test]
fn recall_needs_the_right_to_see_all_rows() {
    let mut db = TestDb::new();
    let owner = database(&mut db);
    let reader = format!("reader_of_{}", db.name());
    db.batch_execute(&format!("CREATE ROLE {reader}; GRANT USAGE ON SCHEMA s TO {reader}"))
        .unwrap();
    let mut recall = |before: &str, role: &str| {
        db.batch_execute(&format!("{before}; SET ROLE {role}")).unwrap();
        let measured = db.query_one("SELECT * FROM vector_index_recall('s.i', 5, 20)", &[]);
        db.batch_execute("RESET ROLE").unwrap();
        measured.map(drop).map_err(|error| (sqlstate(&error).to_owned(), message(&error)))
    };
    let denied = recall("SELECT", &reader).unwrap_err();
    assert_eq!(denied, ("42501".into(), "permission denied for table t".into()));
    recall(&format!("GRANT SELECT ON s.t TO {reader}"), &reader).unwrap();
    // The owner sees what policies hide from the reader.
    let denied = recall("ALTER TABLE s.t ENABLE ROW LEVEL SECURITY", &reader).unwrap_err();
    let says = "row security of table s.t applies to the current user";
    assert_eq!(denied, ("42501".into(), says.into()));
    recall("SELECT", &owner).unwrap();
    recall("SELECT", "postgres").unwrap();
    recall(&format!("ALTER ROLE {reader} BYPASSRLS"), &reader).unwrap();
    db.batch_execute(&format!(
        "DROP OWNED BY {owner}, {reader} CASCADE; DROP ROLE {owner}, {reader}"
    ))
    .unwrap();
}
