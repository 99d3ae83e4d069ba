//! Databases on several servers, and tables whose rows are spread over them.

use std::sync::OnceLock;

use postgres::Client;

use crate::{Cluster, TestDb, wait_until};

/// How many servers there are.
pub const SHARDS: usize = 3;

/// The servers, which tests share.
fn servers() -> &'static [Cluster] {
    static SERVERS: OnceLock<Vec<Cluster>> = OnceLock::new();
    SERVERS.get_or_init(|| (0..SHARDS).map(|_| Cluster::new("shard", &[]).unwrap()).collect())
}

/// A database of a test on each server, and one that knows them.
pub struct Shards {
    /// The database that knows the others.
    pub db: TestDb,
    /// Those on the servers.
    pub shards: Vec<Client>,
}

impl Default for Shards {
    fn default() -> Self {
        Self::new()
    }
}

impl Shards {
    /// Databases without tables.
    ///
    /// # Panics
    /// As all methods, where a server refuses.
    pub fn new() -> Self {
        let mut db = TestDb::new();
        let name = db.name().to_owned();
        db.batch_execute("CREATE EXTENSION postgres_fdw").unwrap();
        let mut shards = Vec::new();
        for (number, server) in servers().iter().enumerate() {
            server.connect().unwrap().batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
            let mut shard = server.connect_db(&name).unwrap();
            shard.batch_execute("CREATE EXTENSION vector_ext").unwrap();
            shards.push(shard);
            let host = server.socket_dir().display();
            db.batch_execute(&format!(
                "CREATE SERVER shard_{number} FOREIGN DATA WRAPPER postgres_fdw OPTIONS (
                    host '{host}', dbname '{name}', extensions 'vector_ext', async_capable 'true',
                    batch_size '500',
                    options '-c hnsw.ef_search=200 -c cursor_tuple_fraction=0.01');
                CREATE USER MAPPING FOR PUBLIC SERVER shard_{number} OPTIONS (user 'postgres')"
            ))
            .unwrap();
        }
        Self { db, shards }
    }

    /// Tables `items`, on all servers, and `whole`, here, with the same rows. `by` divides them, and
    /// `bounds` are those of the partitions.
    fn with_items(by: &str, bounds: &[String; SHARDS], embedding: &str, rows: i32) -> Self {
        let columns = "id int, tenant int, e vector(3), words tsvector";
        let mut all = Self::new();
        all.db.batch_execute(&format!("CREATE TABLE items ({columns}) PARTITION BY {by}")).unwrap();
        for (number, shard) in all.shards.iter_mut().enumerate() {
            shard
                .batch_execute(&format!(
                    "CREATE TABLE items ({columns}, PRIMARY KEY (id));
                    CREATE INDEX ON items USING hnsw (e vector_l2_ops)"
                ))
                .unwrap();
            all.db
                .batch_execute(&format!(
                    "CREATE FOREIGN TABLE items_{number} PARTITION OF items FOR VALUES {} SERVER shard_{number}
                    OPTIONS (table_name 'items')",
                    bounds[number]
                ))
                .unwrap();
        }
        all.db
            .batch_execute(&format!(
                "CREATE TABLE whole ({columns}, PRIMARY KEY (id));
                INSERT INTO whole SELECT i, i % 3, {embedding},
                        to_tsvector('simple', 'tea ' || i % 7 || repeat(' pot', i % 11))
                    FROM generate_series(1, {rows}) AS i;
                INSERT INTO items SELECT * FROM whole;
                ANALYZE whole; ANALYZE items_0; ANALYZE items_1; ANALYZE items_2"
            ))
            .unwrap();
        all.shards.iter_mut().for_each(|shard| shard.batch_execute("ANALYZE items").unwrap());
        all
    }

    /// By a hash of the key.
    pub fn hashed(embedding: &str, rows: i32) -> Self {
        let bounds = [0, 1, 2].map(|n| format!("WITH (MODULUS 3, REMAINDER {n})"));
        Self::with_items("HASH (id)", &bounds, embedding, rows)
    }

    /// By tenant, of which there is one on each.
    pub fn by_tenant() -> Self {
        let bounds = [0, 1, 2].map(|n| format!("IN ({n})"));
        Self::with_items("LIST (tenant)", &bounds, SPREAD, 3000)
    }

    /// Searches of `items` find the same as those of `whole`.
    #[track_caller]
    pub fn same(&mut self, searches: &[String]) {
        for search in searches {
            let found = rows(&mut self.db, &search.replace("$t", "items"));
            assert!(!found.is_empty(), "{search}");
            let expected = rows(&mut self.db, &search.replace("$t", "whole"));
            assert_eq!(found.len(), expected.len(), "{search}");
            let different = found.iter().zip(&expected).find(|(found, expected)| found != expected);
            assert_eq!(different, None, "{search}");
        }
    }

    /// Waits until the vector index of each shard has been scanned `count` times in all, no more.
    pub fn wait_for_index_scans(&mut self, count: i64) {
        // A session's counts are known when it has ended.
        self.db.query("SELECT postgres_fdw_disconnect_all()", &[]).unwrap();
        let scans = "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'items_e_idx'";
        for shard in &mut self.shards {
            let reached = || Ok(shard.query_one(scans, &[])?.get::<_, i64>(0) >= count);
            wait_until("index scans on a shard", reached).unwrap();
            assert_eq!(shard.query_one(scans, &[]).unwrap().get::<_, i64>(0), count);
        }
    }

    /// The plan of a statement, with the rows that each node returned.
    pub fn plan(&mut self, statement: &str) -> Vec<String> {
        let explain =
            format!("EXPLAIN (ANALYZE, VERBOSE, COSTS OFF, TIMING OFF, SUMMARY OFF) {statement}");
        self.db.query(&explain, &[]).unwrap().iter().map(|row| row.get(0)).collect()
    }
}

/// Points without ties.
pub const SPREAD: &str = "ARRAY[sin(i), cos(i * 1.7), sin(i * 0.3)]::vector";
/// Sixty points, each of which fifty rows have, zero vectors among them.
pub const TIED: &str =
    "CASE WHEN i % 60 = 0 THEN '[0,0,0]' ELSE ARRAY[i % 60, i % 2, 1]::vector END";

/// The only column of all rows, as text.
///
/// # Panics
/// Where the server refuses.
pub fn rows(client: &mut Client, query: &str) -> Vec<String> {
    let rows = client.query(query, &[]).unwrap_or_else(|error| panic!("{query}: {error:?}"));
    rows.iter().map(|row| row.get(0)).collect()
}
