//! The move from pgvector to vector_ext inside a database.

use std::fs;
use std::process::Output;

use pg_test::{Cluster, Prefix, imitate_pgvector, members, text, wait_until};
use postgres::Client;

/// A server with pgvector, or what stands for it where it is not installed.
struct Server {
    cluster: Cluster,
    _prefix: Option<Prefix>,
}

impl Server {
    fn new() -> Self {
        let cluster = Cluster::new("from_pgvector", &[]).unwrap();
        let available = "SELECT count(*)::text FROM pg_available_extensions WHERE name = 'vector'";
        if text(&mut cluster.connect().unwrap(), available).as_deref() == Some("1") {
            return Self { cluster, _prefix: None };
        }
        let prefix = Prefix::new("pgvector").unwrap();
        imitate_pgvector(&prefix).unwrap();
        Self {
            cluster: Cluster::in_prefix(&prefix, "from_pgvector", &[]).unwrap(),
            _prefix: Some(prefix),
        }
    }
}

/// A database with pgvector in a schema of its own, and what users have of it.
fn with_pgvector(cluster: &Cluster) -> Client {
    let mut db = database(cluster, "app");
    db.batch_execute(
        "CREATE EXTENSION vector SCHEMA ext;
         CREATE TABLE items (id int PRIMARY KEY, v vector(3), h halfvec(3), s sparsevec(3), b bit(3));
         INSERT INTO items SELECT i, ARRAY[i, i % 7, 1], ARRAY[i, 1, 2], '{1:1,3:2}/3', i::bit(3)
             FROM generate_series(1, 1000) i;
         CREATE INDEX items_v ON items USING hnsw (v vector_l2_ops) WITH (m = 8);
         CREATE INDEX items_i ON items USING ivfflat (v) WITH (lists = 3);
         COMMENT ON INDEX items_v IS 'by v';
         CREATE INDEX items_h ON items USING hnsw ((h::halfvec(3)) halfvec_cosine_ops) WHERE id > 5;
         CREATE INDEX items_s ON items (s, v);
         CREATE TABLE parts (k int, v vector(3)) PARTITION BY LIST (k);
         CREATE TABLE part_1 PARTITION OF parts FOR VALUES IN (1);
         CREATE INDEX parts_v ON parts USING hnsw (v vector_ip_ops);
         CREATE VIEW mean AS SELECT avg(v) AS v, sum(h) AS h FROM items WHERE id <= 10;
         CREATE FUNCTION near(vector) RETURNS int[] LANGUAGE sql SET search_path = public, ext
             AS 'SELECT ARRAY(SELECT id FROM items ORDER BY v <-> $1 LIMIT 3)';",
    )
    .unwrap();
    db
}

const MEAN: &str = "SELECT mean::text FROM mean";

/// What users see, pgvector or not.
fn contents(db: &mut Client) -> Vec<String> {
    [
        "SELECT md5(string_agg(items::text, ';' ORDER BY id)) FROM items",
        MEAN,
        "SELECT near('[500.2,3,1]')::text",
        "SELECT string_agg(pg_get_indexdef(indexrelid), ';' ORDER BY indexrelid::regclass::text)
             FROM pg_index WHERE indrelid IN ('items'::regclass, 'parts'::regclass, 'part_1'::regclass)",
        "SELECT obj_description('items_v'::regclass)",
    ]
    .map(|query| db.query_one(query, &[]).unwrap().get(0))
    .to_vec()
}

const MOVE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../from_pgvector/move.sql");

/// Runs the script, by hand as its users do.
fn run_move(cluster: &Cluster, database: &str) -> Output {
    let mut psql = cluster.program("psql");
    psql.args(["-X", "-d", database, "-f", MOVE]).output().unwrap()
}

/// Closes a connection, and waits until the server knows.
fn close(cluster: &Cluster, db: Client) {
    drop(db);
    let mut admin = cluster.connect().unwrap();
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'app'";
    wait_until("sessions to end", || Ok(admin.query_one(others, &[])?.get::<_, i64>(0) == 0))
        .unwrap();
}

fn database(cluster: &Cluster, name: &str) -> Client {
    let path = format!("ALTER DATABASE {name} SET search_path = public, ext");
    let mut admin = cluster.connect().unwrap();
    admin.execute(&format!("CREATE DATABASE {name}"), &[]).unwrap();
    admin.execute(&path, &[]).unwrap();
    let mut db = cluster.connect_db(name).unwrap();
    db.batch_execute("CREATE SCHEMA ext").unwrap();
    db
}

#[test]
fn what_users_have_stays_and_the_rest_is_as_in_a_new_database() {
    let server = Server::new();
    let cluster = &server.cluster;
    let mut db = with_pgvector(cluster);
    let (before, file) = (contents(&mut db), table_file(&mut db));
    close(cluster, db);
    let moved = run_move(cluster, "app");
    assert!(moved.status.success(), "{}", String::from_utf8_lossy(&moved.stderr));

    let mut db = cluster.connect_db("app").unwrap();
    assert_eq!(contents(&mut db), before);
    assert_eq!(table_file(&mut db), file, "rows have been rewritten");
    let sound = "SELECT count(*) FROM vector_index_check('items_v')";
    assert_eq!(db.query_one(sound, &[]).unwrap().get::<_, i64>(0), 0);
    let mut fresh = database(cluster, "fresh");
    fresh.batch_execute("CREATE EXTENSION vector_ext SCHEMA ext").unwrap();
    assert_eq!(members(&mut db, "vector_ext"), members(&mut fresh, "vector_ext"));
    let theirs = "SELECT count(*) FROM pg_proc WHERE probin = '$libdir/vector'";
    assert_eq!(db.query_one(theirs, &[]).unwrap().get::<_, i64>(0), 0);
    db.batch_execute("DROP EXTENSION vector_ext CASCADE").unwrap();
}

#[test]
fn what_cannot_be_moved_is_left_as_it_is() {
    let server = Server::new();
    let cluster = &server.cluster;
    let mut db = with_pgvector(cluster);
    let before = contents(&mut db);
    let busy = run_move(cluster, "app");
    assert!(String::from_utf8_lossy(&busy.stderr).contains("others are connected"), "{busy:?}");

    // A name that vector_ext wants is taken: the second part fails, and leaves pgvector.
    db.batch_execute("CREATE DOMAIN ext.i8vec AS int").unwrap();
    close(cluster, db);
    let failed = run_move(cluster, "app");
    assert!(
        String::from_utf8_lossy(&failed.stderr).contains("a name that vector_ext takes"),
        "{failed:?}"
    );
    let mut db = cluster.connect_db("app").unwrap();
    assert_eq!(db.query_one(MEAN, &[]).unwrap().get::<_, String>(0), before[1]);
    let pgvector = "SELECT count(*) FROM pg_extension WHERE extname = 'vector'";
    assert_eq!(db.query_one(pgvector, &[]).unwrap().get::<_, i64>(0), 1);

    // Without it the script goes on where it was.
    db.batch_execute("DROP DOMAIN ext.i8vec").unwrap();
    close(cluster, db);
    let moved = run_move(cluster, "app");
    assert!(moved.status.success(), "{}", String::from_utf8_lossy(&moved.stderr));
    assert_eq!(contents(&mut cluster.connect_db("app").unwrap()), before);
}

#[test]
fn what_an_older_version_moved_is_updated() {
    let server = Server::new();
    let cluster = &server.cluster;
    let db = with_pgvector(cluster);
    close(cluster, db);
    let old = fs::read_to_string(MOVE).unwrap();
    let old = old.replace("vector_ext UPDATE;", "vector_ext UPDATE TO '0.1.0';");
    let path = cluster.data_dir().with_extension("sql");
    fs::write(&path, old).unwrap();
    let mut psql = cluster.program("psql");
    assert!(psql.args(["-X", "-d", "app", "-f"]).arg(&path).status().unwrap().success());

    let mut db = cluster.connect_db("app").unwrap();
    let before = contents(&mut db);
    let version = "SELECT extversion FROM pg_extension WHERE extname = 'vector_ext'";
    assert_eq!(text(&mut db, version).as_deref(), Some("0.1.0"));
    db.batch_execute("ALTER EXTENSION vector_ext UPDATE").unwrap();
    assert_eq!(text(&mut db, version).as_deref(), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(contents(&mut db), before);
    let mut fresh = database(cluster, "fresh");
    fresh.batch_execute("CREATE EXTENSION vector_ext SCHEMA ext").unwrap();
    assert_eq!(members(&mut db, "vector_ext"), members(&mut fresh, "vector_ext"));
}

fn table_file(db: &mut Client) -> String {
    db.query_one("SELECT pg_relation_filepath('items')", &[]).unwrap().get(0)
}
