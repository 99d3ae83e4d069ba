//! The move from pgvector runs as a superuser in a database that others have filled: nothing of theirs
//! is executed, overwritten or taken for what the move left.

use std::process::Output;

use pg_test::{Cluster, Prefix, imitate_pgvector, set_operator_traps, set_traps, signatures, text};
use postgres::Client;

/// A server with what stands for pgvector, and in it the database `app`, of the ordinary user
/// `mallory`, who has pgvector in the schema `lair`.
struct Server {
    cluster: Cluster,
    _prefix: Prefix,
}

impl Server {
    fn new() -> Self {
        let prefix = Prefix::new("security").unwrap();
        imitate_pgvector(&prefix).unwrap();
        let cluster = Cluster::in_prefix(&prefix, "security", &[]).unwrap();
        let mut admin = cluster.connect().unwrap();
        admin.batch_execute("CREATE ROLE mallory").unwrap();
        admin.batch_execute("CREATE DATABASE app OWNER mallory").unwrap();
        let server = Self { cluster, _prefix: prefix };
        server.execute(
            "SET ROLE mallory; CREATE SCHEMA lair; CREATE EXTENSION vector SCHEMA lair;
             CREATE TABLE lair.items (v lair.vector(2));
             CREATE INDEX items_v ON lair.items USING hnsw (v lair.vector_l2_ops)",
        );
        server
    }

    fn app(&self) -> Client {
        let mut app = self.cluster.connect_db("app").unwrap();
        app.batch_execute("SET search_path = pg_catalog").unwrap();
        app
    }

    /// Runs statements, in a session that is over before the move begins.
    fn execute(&self, sql: &str) {
        self.app().batch_execute(sql).unwrap();
    }

    /// Runs the script, by hand as its users do, once all other sessions have ended.
    fn run_move(&self) -> Output {
        let mut admin = self.cluster.connect().unwrap();
        let others = "SELECT count(*)::text FROM pg_stat_activity WHERE datname = 'app'";
        pg_test::wait_until("sessions to end", || Ok(text(&mut admin, others).unwrap() == "0"))
            .unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../from_pgvector/move.sql");
        self.cluster.program("psql").args(["-X", "-d", "app", "-f", script]).output().unwrap()
    }

    #[track_caller]
    fn moves(&self) {
        let moved = self.run_move();
        assert!(moved.status.success(), "{}", String::from_utf8_lossy(&moved.stderr));
        let mut app = self.app();
        let expected = concat!("vector_ext ", env!("CARGO_PKG_VERSION"));
        assert_eq!(text(&mut app, EXTENSION).as_deref(), Some(expected));
        assert_eq!(text(&mut app, LEFT).as_deref(), Some("0"));
    }

    #[track_caller]
    fn refuses(&self, because: &str) {
        let refused = self.run_move();
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains(because), "{said}");
        assert_eq!(text(&mut self.app(), EXTENSION).as_deref(), Some("vector 0.8.0"));
    }
}

const EXTENSION: &str =
    "SELECT extname || ' ' || extversion FROM pg_extension WHERE extname LIKE 'vector%'";
const LEFT: &str = "SELECT count(*)::text FROM pg_namespace WHERE nspname = 'vector_ext_move'";
const INDEXES: &str =
    "SELECT string_agg(pg_get_indexdef(c.oid), '; ' ORDER BY relname) FROM pg_class c
     JOIN pg_am a ON a.oid = relam WHERE amname IN ('hnsw', 'ivfflat')";

#[test]
fn a_table_of_another_user_is_not_executed() {
    let server = Server::new();
    server.execute(
        "SET ROLE mallory;
         CREATE TABLE public.vector_ext_moved_indexes
             (index text, definition text, tablespace text, comment text);
         INSERT INTO public.vector_ext_moved_indexes
             VALUES ('lair.gone', 'ALTER ROLE mallory SUPERUSER;
                 CREATE INDEX gone ON lair.items USING hnsw (v lair.vector_ip_ops)', NULL, NULL)",
    );
    server.run_move();
    let superuser = "SELECT rolsuper::text FROM pg_roles WHERE rolname = 'mallory'";
    assert_eq!(text(&mut server.app(), superuser).as_deref(), Some("false"));
}

#[test]
fn no_trap_springs() {
    let server = Server::new();
    let mut db = server.app();
    let members = "p.oid IN (SELECT objid FROM pg_depend WHERE classid = 'pg_proc'::regclass AND deptype = 'e')";
    let mut reference = server.cluster.connect().unwrap();
    reference.batch_execute("CREATE EXTENSION vector_ext").unwrap();
    let own = signatures(&mut reference, members).unwrap();
    db.batch_execute("SET ROLE mallory; SET search_path = pg_catalog").unwrap();
    set_traps(&mut db, "lair", &own).unwrap();
    let types = ["lair.vector", "lair.halfvec", "lair.sparsevec"];
    set_operator_traps(&mut db, "lair", &types).unwrap();
    // What a session finds first unless it says otherwise.
    db.batch_execute("ALTER DATABASE app SET search_path = lair, pg_catalog").unwrap();
    drop(db);
    server.moves();
}

#[test]
fn what_others_made_is_neither_used_nor_replaced() {
    let server = Server::new();
    let before = text(&mut server.app(), INDEXES);
    server.execute("SET ROLE mallory; CREATE SCHEMA vector_ext_move");
    server.refuses("not of an earlier run");
    assert_eq!(text(&mut server.app(), INDEXES), before);
    server.execute(
        "SET ROLE mallory; DROP SCHEMA vector_ext_move;
         CREATE FUNCTION lair.rrf(bigint, float8, float8) RETURNS float8 LANGUAGE sql AS 'SELECT 1.0::float8'",
    );
    server.refuses("rrf");

    // The indexes have gone. Once nothing is in the way, the script goes on where it was.
    assert_eq!(text(&mut server.app(), INDEXES), None);
    let owner = "SELECT (nspowner = 10)::text FROM pg_namespace WHERE nspname = 'vector_ext_move'";
    assert_eq!(text(&mut server.app(), owner).as_deref(), Some("true"));
    server.execute(
        "DROP FUNCTION lair.rrf; SET ROLE mallory;
        CREATE INDEX items_v ON lair.items USING hnsw (v lair.vector_ip_ops)",
    );
    server.moves();
    let after = before.unwrap().replace("vector_l2_ops", "vector_ip_ops");
    assert_eq!(text(&mut server.app(), INDEXES), Some(after));
}

#[test]
fn names_are_quoted() {
    let server = Server::new();
    server.execute(
        r#"SET ROLE mallory;
        CREATE SCHEMA "a.b";
        CREATE TABLE "a.b"."t ON ONLY u" (k int, v lair.vector(2)) PARTITION BY LIST (k);
        CREATE TABLE "a.b".part PARTITION OF "a.b"."t ON ONLY u" FOR VALUES IN (1);
        CREATE INDEX "i""; ON ONLY '%s" ON "a.b"."t ON ONLY u" USING hnsw (v lair.vector_l2_ops);
        CREATE INDEX "I, j" ON "a.b".part USING ivfflat (v lair.vector_l2_ops) WHERE ' ON ONLY ' <> '';
        COMMENT ON INDEX "a.b"."I, j" IS 'it''s'"#,
    );
    let indexes = text(&mut server.app(), INDEXES);
    server.moves();
    assert_eq!(text(&mut server.app(), INDEXES), indexes);
    let comment = r#"SELECT obj_description('"a.b"."I, j"'::regclass)"#;
    assert_eq!(text(&mut server.app(), comment).as_deref(), Some("it's"));
}
