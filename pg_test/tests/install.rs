//! The extension as an object: its schema, its version, dropping, dump and restore, pgvector beside.

use std::fs::File;
use std::process::Stdio;

use pg_test::{TestDb, Vector, data, hint, message, skipped, sqlstate};

#[test]
fn lives_in_the_schema_it_is_given() {
    let mut db = TestDb::without_extension();
    db.batch_execute("CREATE SCHEMA ext; CREATE EXTENSION vector_ext SCHEMA ext").unwrap();
    let strays = "SELECT count(*) FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid
                  JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'vector_ext'
                  WHERE d.deptype = 'e' AND d.classid = 'pg_proc'::regclass
                    AND p.pronamespace <> 'ext'::regnamespace";
    assert_eq!(db.query_one(strays, &[]).unwrap().get::<_, i64>(0), 0);
    let sql = "SELECT ('[1,2]'::ext.vector OPERATOR(ext.<->) '[4,6]')::float8";
    assert_eq!(db.query_one(sql, &[]).unwrap().get::<_, f64>(0), 5.0);
    assert_eq!(sqlstate(&db.query_one("SELECT '[1]'::vector", &[]).unwrap_err()), "42704");
}

#[test]
fn reports_the_version_of_the_control_file() {
    let mut db = TestDb::new();
    let version = "SELECT extversion FROM pg_extension WHERE extname = 'vector_ext'";
    let version: String = db.query_one(version, &[]).unwrap().get(0);
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    let default = "SELECT default_version FROM pg_available_extensions WHERE name = 'vector_ext'";
    assert_eq!(db.query_one(default, &[]).unwrap().get::<_, String>(0), version);
}

#[test]
fn can_be_dropped_and_created_again() {
    let mut db = TestDb::new();
    db.batch_execute("CREATE TABLE t (v vector(2))").unwrap();
    let refused = db.batch_execute("DROP EXTENSION vector_ext").unwrap_err();
    assert_eq!(sqlstate(&refused), "2BP01");
    db.batch_execute("DROP EXTENSION vector_ext CASCADE").unwrap();
    let columns = "SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0
                   AND NOT attisdropped";
    assert_eq!(db.query_one(columns, &[]).unwrap().get::<_, i64>(0), 0);
    db.batch_execute("CREATE EXTENSION vector_ext; ALTER TABLE t ADD COLUMN v vector(2)").unwrap();
}

#[test]
fn an_ordinary_user_who_owns_the_database_may_create_it() {
    let mut db = TestDb::without_extension();
    let name = db.name().to_string();
    db.batch_execute(&format!(
        "CREATE ROLE owner_{name}; ALTER DATABASE {name} OWNER TO owner_{name}"
    ))
    .unwrap();
    db.batch_execute(&format!("SET ROLE owner_{name}; CREATE EXTENSION vector_ext; RESET ROLE"))
        .unwrap();
    assert_eq!(
        db.query_one("SELECT '[1,2]'::vector::text", &[]).unwrap().get::<_, String>(0),
        "[1,2]"
    );
}

#[test]
fn dump_and_restore_give_the_same_rows() {
    let mut db = TestDb::new();
    db.batch_execute("CREATE TABLE t (id int PRIMARY KEY, v vector(384))").unwrap();
    let insert = db.prepare("INSERT INTO t VALUES ($1, $2)").unwrap();
    for (id, document) in (0i32..).zip(&data::documents().unwrap()[..500]) {
        db.execute(&insert, &[&id, &Vector(document.embedding.clone())]).unwrap();
    }
    db.batch_execute("INSERT INTO t VALUES (500, NULL)").unwrap();
    if has_hnsw(&mut db) {
        db.batch_execute("CREATE INDEX ON t USING hnsw (v vector_cosine_ops)").unwrap();
    }

    let mut copy = TestDb::without_extension();
    let path = db.cluster().data_dir().with_extension("sql");
    let dump = db
        .cluster()
        .program("pg_dump")
        .args(["--dbname", db.name()])
        .stdout(File::create(&path).unwrap())
        .status()
        .unwrap();
    assert!(dump.success());
    let restore = db
        .cluster()
        .program("psql")
        .args(["-q", "-v", "ON_ERROR_STOP=1", "--dbname", copy.name()])
        .stdin(File::open(&path).unwrap())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(restore.success());

    for query in [
        "SELECT md5(string_agg(id || ':' || coalesce(v::text, ''), ';' ORDER BY id)) FROM t",
        "SELECT md5(string_agg(pg_get_indexdef(indexrelid), ';' ORDER BY indexrelid::regclass::text))
         FROM pg_index WHERE indrelid = 't'::regclass",
    ] {
        let (before, after) = (db.query_one(query, &[]), copy.query_one(query, &[]));
        assert_eq!(before.unwrap().get::<_, String>(0), after.unwrap().get::<_, String>(0));
    }
}

#[test]
fn refuses_to_stand_beside_pgvector() {
    let mut db = TestDb::without_extension();
    let available = "SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'";
    if db.query_one(available, &[]).unwrap().get::<_, i64>(0) == 0 {
        return skipped("pgvector is not installed in this PostgreSQL");
    }
    db.batch_execute("CREATE EXTENSION vector").unwrap();
    let refused = db.batch_execute("CREATE EXTENSION vector_ext").unwrap_err();
    assert!(message(&refused).contains("vector"), "{}", message(&refused));
    assert!(!hint(&refused).is_empty(), "{refused:?}");
}

fn has_hnsw(db: &mut TestDb) -> bool {
    let methods = "SELECT count(*) FROM pg_am WHERE amname = 'hnsw'";
    db.query_one(methods, &[]).unwrap().get::<_, i64>(0) == 1
}
