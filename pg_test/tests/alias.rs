//! The alias extension `vector`: clients and dumps of pgvector meet vector_ext under that name.

use std::fs;
use std::path::Path;

use pg_test::{
    Cluster, Prefix, TestDb, hint, imitate_pgvector, members, message, skipped, sqlstate,
};
use postgres::Client;

/// A server whose PostgreSQL has the alias, which that of the other tests must not have.
struct Server {
    cluster: Cluster,
    _prefix: Prefix,
}

impl Server {
    fn new() -> Self {
        let prefix = Prefix::new("alias").unwrap();
        prefix.make("install-alias").unwrap();
        Self { cluster: Cluster::in_prefix(&prefix, "alias", &[]).unwrap(), _prefix: prefix }
    }

    fn database(&self, name: &str) -> Client {
        self.cluster.connect().unwrap().batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
        self.cluster.connect_db(name).unwrap()
    }

    fn restore(&self, dump: &Path, database: &str) {
        let mut restore = self.cluster.program("pg_restore");
        restore.args(["--exit-on-error", "--jobs=2", "--dbname", database]).arg(dump);
        assert!(restore.status().unwrap().success());
    }
}

fn dump(cluster: &Cluster, database: &str, to: &Path) {
    let mut dump = cluster.program("pg_dump");
    dump.args(["--format=custom", "--dbname", database, "--file"]).arg(to);
    assert!(dump.status().unwrap().success());
}

/// A table of pgvector's types, with an index, as applications have.
const ITEMS: &str =
    "CREATE TABLE items (id int PRIMARY KEY, v vector(3), h halfvec(2), s sparsevec(5));
    INSERT INTO items SELECT i, ARRAY[i, i % 7, 1], ARRAY[i, 0.5], '{1:2,5:-1.5}/5'
        FROM generate_series(1, 100) i;
    CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops) WITH (m = 8, ef_construction = 32);
    CREATE INDEX items_s ON items (s);";

const NEAREST: &str = "SELECT string_agg(id::text, ' ') FROM (
    SELECT id FROM items ORDER BY v <-> '[50.2,1,1]' LIMIT 3) nearest";

const ROWS: &str = "SELECT md5(string_agg(items::text, ';' ORDER BY id)) FROM items";

fn text(db: &mut Client, query: &str) -> String {
    db.query_one(query, &[]).unwrap().get(0)
}

fn extensions(db: &mut Client) -> String {
    let names = "SELECT string_agg(extname, ' ' ORDER BY extname) FROM pg_extension
                 WHERE extname LIKE 'vector%'";
    text(db, names)
}

fn version(db: &mut Client) -> String {
    text(db, "SELECT extversion FROM pg_extension WHERE extname = 'vector'")
}

#[test]
fn a_fresh_database_takes_the_statement_of_pgvectors_clients() {
    let server = Server::new();
    let mut db = server.database("app");
    db.batch_execute("CREATE ROLE app; ALTER DATABASE app OWNER TO app; SET ROLE app").unwrap();
    db.batch_execute("CREATE EXTENSION IF NOT EXISTS vector").unwrap();
    db.batch_execute("CREATE EXTENSION IF NOT EXISTS vector; RESET ROLE").unwrap();
    assert_eq!(version(&mut db), "0.8.7");
    db.batch_execute(ITEMS).unwrap();
    assert_eq!(text(&mut db, NEAREST), "50 51 49");
    // It is all of vector_ext, and a second copy finds no place.
    assert_eq!(text(&mut db, "SELECT '[1,2]'::bf16vec::text"), "[1,2]");
    let refused = db.batch_execute("CREATE EXTENSION vector_ext").unwrap_err();
    assert!(message(&refused).contains("as the extension \"vector\""), "{refused:?}");
    assert!(hint(&refused).contains("alias"), "{refused:?}");

    let refused = db.batch_execute("DROP EXTENSION vector").unwrap_err();
    assert_eq!(sqlstate(&refused), "2BP01");
    db.batch_execute("DROP EXTENSION vector CASCADE; DROP TABLE items").unwrap();
    db.batch_execute("CREATE SCHEMA extensions; CREATE EXTENSION vector SCHEMA extensions")
        .unwrap();
    assert_eq!(text(&mut db, "SELECT '[1]'::extensions.vector::text"), "[1]");
    db.batch_execute("DROP EXTENSION vector; CREATE EXTENSION vector_ext").unwrap();
}

#[test]
fn beside_vector_ext_it_is_only_a_name() {
    let server = Server::new();
    let mut db = server.database("app");
    db.batch_execute("CREATE EXTENSION vector_ext").unwrap();
    db.batch_execute("CREATE EXTENSION IF NOT EXISTS vector").unwrap();
    db.batch_execute(ITEMS).unwrap();
    let refused = db.batch_execute("DROP EXTENSION vector_ext").unwrap_err();
    assert_eq!(sqlstate(&refused), "2BP01");

    // The dump of both is restored in the order that makes both again.
    let path = server.cluster.data_dir().with_extension("dump");
    dump(&server.cluster, "app", &path);
    let mut copy = server.database("copy");
    server.restore(&path, "copy");
    assert_eq!(extensions(&mut copy), "vector vector_ext");
    assert_eq!(text(&mut copy, ROWS), text(&mut db, ROWS));

    db.batch_execute("DROP EXTENSION vector").unwrap();
    assert_eq!(text(&mut db, NEAREST), "50 51 49");
    copy.batch_execute("DROP EXTENSION vector_ext CASCADE").unwrap();
    assert_eq!(
        text(&mut copy, "SELECT count(*)::text FROM pg_extension WHERE extname LIKE 'vec%'"),
        "0"
    );
}

/// The version that came with 0.1.0 of vector_ext.
const OLD: &str = "CREATE EXTENSION vector VERSION '0.8.6'";

#[test]
fn an_update_brings_all_of_the_current_version() {
    let server = Server::new();
    let mut db = server.database("app");
    db.batch_execute(OLD).unwrap();
    db.batch_execute(ITEMS).unwrap();
    let rows = text(&mut db, ROWS);
    db.batch_execute("ALTER EXTENSION vector UPDATE").unwrap();
    assert_eq!(version(&mut db), "0.8.7");
    assert_eq!(members(&mut db, "vector"), members(&mut TestDb::new(), "vector_ext"));
    assert_eq!(text(&mut db, ROWS), rows);
    assert_eq!(text(&mut db, NEAREST), "50 51 49");
}

#[test]
fn beside_vector_ext_an_update_changes_nothing() {
    let server = Server::new();
    let mut db = server.database("app");
    db.batch_execute("CREATE EXTENSION vector_ext VERSION '0.1.0'").unwrap();
    db.batch_execute(OLD).unwrap();
    let before = members(&mut db, "vector_ext");
    db.batch_execute("ALTER EXTENSION vector UPDATE").unwrap();
    assert_eq!(version(&mut db), "0.8.7");
    assert_eq!(members(&mut db, "vector"), [""; 0]);
    assert_eq!(members(&mut db, "vector_ext"), before);
    let refused = db.batch_execute("DROP EXTENSION vector_ext").unwrap_err();
    assert_eq!(sqlstate(&refused), "2BP01");
    db.batch_execute("ALTER EXTENSION vector_ext UPDATE").unwrap();
    assert_eq!(members(&mut db, "vector_ext"), members(&mut TestDb::new(), "vector_ext"));
}

#[test]
fn an_update_leaves_pgvector_alone() {
    let prefix = Prefix::new("alias").unwrap();
    imitate_pgvector(&prefix).unwrap();
    let cluster = Cluster::in_prefix(&prefix, "alias", &[]).unwrap();
    let mut db = cluster.connect().unwrap();
    // pgvector has had the version from which the alias is updated.
    db.batch_execute("CREATE EXTENSION vector; UPDATE pg_extension SET extversion = '0.8.6' WHERE extname = 'vector'")
        .unwrap();
    let before = members(&mut db, "vector");
    for file in ["vector.control", "vector--0.8.0.sql"] {
        fs::remove_file(prefix.extensions().join(file)).unwrap();
    }
    prefix.make("install-alias").unwrap();
    let refused = db.batch_execute("ALTER EXTENSION vector UPDATE").unwrap_err();
    assert_eq!(sqlstate(&refused), "55000");
    assert!(message(&refused).contains("is pgvector"), "{refused:?}");
    assert_eq!((version(&mut db).as_str(), members(&mut db, "vector")), ("0.8.6", before));
}

#[test]
fn dumps_of_pgvector_and_of_the_alias_are_restored() {
    let mut theirs = TestDb::without_extension();
    if theirs.batch_execute("CREATE EXTENSION vector").is_err() {
        return skipped("pgvector is not installed in this PostgreSQL");
    }
    theirs.batch_execute(ITEMS).unwrap();
    let server = Server::new();
    let path = server.cluster.data_dir().with_extension("dump");
    dump(theirs.cluster(), theirs.name(), &path);
    for name in ["first", "second"] {
        let mut db = server.database(name);
        server.restore(&path, name);
        assert_eq!(text(&mut db, ROWS), text(&mut theirs, ROWS));
        assert_eq!(text(&mut db, NEAREST), "50 51 49");
        let index = "SELECT pg_get_indexdef('items_v'::regclass)";
        assert_eq!(text(&mut db, index), text(&mut theirs, index));
        // The second time, what is restored is the dump of what the first time gave.
        dump(&server.cluster, name, &path);
    }
}

#[test]
fn pgvectors_files_are_neither_overwritten_nor_removed() {
    let prefix = Prefix::new("files").unwrap();
    let control = prefix.extensions().join("vector.control");
    fs::write(&control, "comment = 'of pgvector'\n").unwrap();
    let refused = prefix.make("install-alias").unwrap_err().to_string();
    assert!(refused.contains("pgvector is installed"), "{refused}");
    prefix.make("uninstall").unwrap();
    assert_eq!(fs::read_to_string(&control).unwrap(), "comment = 'of pgvector'\n");
    let refused = prefix.make("install-alias").unwrap_err().to_string();
    assert!(refused.contains("make install"), "{refused}");

    let prefix = Prefix::new("files").unwrap();
    prefix.make("install-alias").unwrap();
    prefix.make("install-alias").unwrap();
    prefix.make("uninstall").unwrap();
    let left = fs::read_dir(prefix.extensions()).unwrap().flatten();
    let left: Vec<_> =
        left.filter(|entry| entry.file_name().to_string_lossy().starts_with("vector")).collect();
    assert!(left.is_empty(), "{left:?}");
}
