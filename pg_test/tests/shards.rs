//! A table whose partitions are foreign tables on other servers is searched like one table, and each
//! server is asked for no more rows than are wanted.

use std::slice;
use std::sync::OnceLock;

use pg_test::{Cluster, TestDb, explain_plan, hint, message, refusal, sqlstate, wait_until};
use postgres::Client;

const SHARDS: usize = 3;
/// What `ann` must know, as the shards' indexes are not known here.
const L2: &str = r#"params => '{"metric_type": "L2"}'"#;

/// The servers, which tests share.
fn servers() -> &'static [Cluster] {
    static SERVERS: OnceLock<Vec<Cluster>> = OnceLock::new();
    SERVERS.get_or_init(|| (0..SHARDS).map(|_| Cluster::new("shard", &[]).unwrap()).collect())
}

/// A database of a test on each server, and one that knows them.
struct Shards {
    db: TestDb,
    shards: Vec<Client>,
}

impl Shards {
    fn new() -> Self {
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
    fn with_items(by: &str, bounds: [&str; SHARDS], embedding: &str, rows: i32) -> Self {
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
                    "CREATE FOREIGN TABLE items_{number} PARTITION OF items {} SERVER shard_{number}
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
    fn hashed(embedding: &str, rows: i32) -> Self {
        let bounds = [0, 1, 2].map(|n| format!("FOR VALUES WITH (MODULUS 3, REMAINDER {n})"));
        Self::with_items(
            "HASH (id)",
            bounds.each_ref().map(|bound| bound.as_str()),
            embedding,
            rows,
        )
    }

    /// By tenant, of which there is one on each.
    fn by_tenant() -> Self {
        let bounds = ["IN (0)", "IN (1)", "IN (2)"].map(|list| format!("FOR VALUES {list}"));
        Self::with_items(
            "LIST (tenant)",
            bounds.each_ref().map(|bound| bound.as_str()),
            SPREAD,
            3000,
        )
    }

    /// Searches of `items` find the same as those of `whole`.
    #[track_caller]
    fn same(&mut self, searches: &[String]) {
        for search in searches {
            let found = rows(&mut self.db, &search.replace("$t", "items"));
            assert!(!found.is_empty(), "{search}");
            let expected = rows(&mut self.db, &search.replace("$t", "whole"));
            assert_eq!(found.len(), expected.len(), "{search}");
            let different = found.iter().zip(&expected).find(|(found, expected)| found != expected);
            assert_eq!(different, None, "{search}");
        }
    }

    /// How often the tables of each shard were read as a whole, and by an index.
    fn scans(&mut self) -> Vec<(i64, i64)> {
        let counts = "SELECT seq_scan, idx_scan FROM pg_stat_user_tables WHERE relname = 'items'";
        // A session's counts are known when it has ended.
        self.db.query("SELECT postgres_fdw_disconnect_all()", &[]).unwrap();
        let scans = self.shards.iter_mut().map(|shard| {
            let others = "SELECT count(*) = 0 FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'postgres_fdw'";
            wait_until("sessions to end", || Ok(shard.query_one(others, &[])?.get(0))).unwrap();
            let row = shard.query_one(counts, &[]).unwrap();
            (row.get(0), row.get(1))
        });
        scans.collect()
    }

    /// The plan of a statement, with the rows that each node returned.
    fn plan(&mut self, statement: &str) -> Vec<String> {
        let explain =
            format!("EXPLAIN (ANALYZE, VERBOSE, COSTS OFF, TIMING OFF, SUMMARY OFF) {statement}");
        self.db.query(&explain, &[]).unwrap().iter().map(|row| row.get(0)).collect()
    }
}

/// Points without ties.
const SPREAD: &str = "ARRAY[sin(i), cos(i * 1.7), sin(i * 0.3)]::vector";
/// Sixty points, each of which fifty rows have, zero vectors among them.
const TIED: &str = "CASE WHEN i % 60 = 0 THEN '[0,0,0]' ELSE ARRAY[i % 60, i % 2, 1]::vector END";

fn rows(client: &mut Client, query: &str) -> Vec<String> {
    let rows = client.query(query, &[]).unwrap_or_else(|error| panic!("{query}: {error:?}"));
    rows.iter().map(|row| row.get(0)).collect()
}

/// Searches of a table `$t`.
fn searches(metric: &str) -> Vec<String> {
    let params = format!(r#"params => '{{"metric_type": "{metric}"}}'"#);
    let (radius, within) = match metric {
        "L2" => ("4", "0"),
        _ => ("-1", "99"),
    };
    let near = |query: &str| format!("ann('e', '{query}', {params})");
    let mut searches = Vec::new();
    for query in ["[0.5,0.2,0.9]", "[0,0,0]"] {
        let near = near(query);
        for options in [
            "k => 1",
            "k => 40, skip => 33",
            "k => 7, filter => 'tenant == 1'",
            "k => 5, filter => 'id < 9'",
            "k => 5, filter => 'id in [3, 5, 700]'",
        ] {
            searches.push(format!("vector_search(NULL::$t, {near}, {options})"));
        }
        searches.push(format!("range_search(NULL::$t, {near}, {radius}, {within}, k => 500)"));
        searches.push(format!("grouped_search(NULL::$t, {near}, 'tenant', 2, 4, true)"));
        searches
            .push(format!("grouped_search(NULL::$t, {near}, 'id', 20, filter => 'tenant == 2')"));
    }
    let (near, far) = (near("[0.5,0.2,0.9]"), near("[9,1,-1]"));
    searches.push("vector_search(NULL::$t, fts('words', 'pot & 3'), k => 30)".into());
    let legs = format!("ARRAY[{near}, {far}, fts('words', 'pot')]");
    searches.push(format!("hybrid_search(NULL::$t, {legs}, k => 30, skip => 2)"));
    searches.push(format!("hybrid_search(NULL::$t, {legs}, weighted_ranker('{{0.2, 0.3, 0.5}}'))"));
    searches.push(format!(
        "hybrid_search(NULL::$t, {legs}, k => 3, group_by => 'tenant', group_size => 3,
            strict_group_size => true)"
    ));
    let shown = "SELECT to_jsonb(f)::text FROM";
    searches.into_iter().map(|search| format!("{shown} {search} AS f")).collect()
}

/// Those that find no rows of equal scores. Ties are broken by the columns that divide the table.
fn untied(metric: &str) -> Vec<String> {
    let mut searches = searches(metric);
    searches.retain(|search| !search.contains("fts("));
    searches
}

#[test]
fn rows_are_those_of_one_table() {
    let mut shards = Shards::hashed(SPREAD, 3000);
    for metric in ["L2", "IP"] {
        shards.same(&searches(metric));
    }
    shards.same(&["SELECT id::text || (e <-> '[0.1,0.2,0.3]') FROM $t ORDER BY e <-> '[0.1,0.2,0.3]' LIMIT 50".into()]);
}

#[test]
fn ties_are_those_of_one_table() {
    let mut shards = Shards::hashed(TIED, 3000);
    for metric in ["L2", "COSINE"] {
        shards.same(&searches(metric));
    }
    // Zero vectors come before those at an obtuse angle, and after all others.
    let cosine = |query: &str, k: i32| {
        format!(
            r#"SELECT to_jsonb(f)::text FROM vector_search(NULL::$t,
                ann('e', '{query}', params => '{{"metric_type": "COSINE"}}'), k => {k}) AS f"#
        )
    };
    shards.same(&[cosine("[-1,0.1,-1]", 60), cosine("[1,1,1]", 2960), cosine("[1,1,1]", 4000)]);
}

#[test]
fn a_shard_sends_no_more_rows_than_are_wanted() {
    let mut shards = Shards::hashed(SPREAD, 12_000);
    let near = format!("ann('e', '[0.5,0.2,0.9]', {L2})");
    let legs = format!("ARRAY[{near}, fts('words', 'pot')]");
    for (search, most) in [
        (format!("vector_search_sql(NULL::items, {near}, k => 6, skip => 4)"), 11),
        ("vector_search_sql(NULL::items, fts('words', 'pot'))".into(), 10),
        (format!("range_search_sql(NULL::items, {near}, 0.1, k => 1000)"), 17),
        (format!("grouped_search_sql(NULL::items, {near}, 'tenant', 3, 2, true)"), 13),
        (format!("hybrid_search_sql(NULL::items, {legs}, k => 10)"), 101),
    ] {
        let before = shards.scans();
        let statement = rows(&mut shards.db, &format!("SELECT {search}")).remove(0);
        let plan = shards.plan(&statement);
        let scans: Vec<_> = plan.iter().filter(|line| line.contains("Foreign Scan on")).collect();
        let run: Vec<_> = scans.iter().filter(|line| !line.contains("never executed")).collect();
        let legs = if search.contains("ARRAY") { 2 } else { 1 };
        assert_eq!(run.len(), legs * SHARDS, "{plan:#?}");
        for scan in run {
            assert!(scan.contains("Async"), "{scan}");
            let rows = scan.split("actual rows=").nth(1).unwrap().split(' ').next().unwrap();
            assert!(rows.parse::<f64>().unwrap() <= f64::from(most), "{plan:#?}");
        }
        let limited = |line: &&String| line.contains("Remote SQL") && line.contains(" LIMIT ");
        assert_eq!(plan.iter().filter(limited).count(), legs * SHARDS, "{plan:#?}");
        if !search.contains("fts") {
            for (before, after) in before.iter().zip(shards.scans()) {
                assert_eq!((after.0, after.1), (before.0, before.1 + 1), "{search}");
            }
        }
    }
}

/// A plain query reads the shards in order by their indexes, given the setting that it needs there.
#[test]
fn plain_queries_use_the_indexes_of_shards() {
    let mut shards = Shards::hashed(SPREAD, 12_000);
    let before = shards.scans();
    rows(&mut shards.db, "SELECT id::text FROM items ORDER BY e <-> '[0.5,0.2,0.9]' LIMIT 5");
    for (before, after) in before.iter().zip(shards.scans()) {
        assert_eq!((after.0, after.1), (before.0, before.1 + 1));
    }
}

#[test]
fn filters_leave_shards_alone() {
    let mut by_tenant = Shards::by_tenant();
    by_tenant.same(&untied("L2"));
    let near = format!("ann('e', '[0.5,0.2,0.9]', {L2})");
    let read = |shards: &mut Shards, filter: &str| {
        let statement =
            format!("SELECT vector_search_sql(NULL::items, {near}, filter => '{filter}')");
        let statement = rows(&mut shards.db, &statement).remove(0);
        let plan = explain_plan(&mut shards.db, &statement).unwrap();
        (0..SHARDS).filter(|n| plan.contains(&format!("on items_{n}"))).collect::<Vec<_>>()
    };
    assert_eq!(read(&mut by_tenant, "tenant == 1"), [1]);
    assert_eq!(read(&mut by_tenant, "tenant in [0, 2]"), [0, 2]);
    assert_eq!(read(&mut by_tenant, "id == 1"), [0, 1, 2]);
    let none = format!(
        "SELECT count(*)::text FROM vector_search(NULL::items, {near}, filter => 'tenant == 9')"
    );
    assert_eq!(rows(&mut by_tenant.db, &none), ["0"]);
    let mut hashed = Shards::hashed(SPREAD, 3000);
    assert_eq!(read(&mut hashed, "id == 1").len(), 1);
    assert_eq!(read(&mut hashed, "tenant == 1").len(), SHARDS);
}

/// Partitions here beside those on other servers, and an index of the partitioned table, which tells
/// the metric.
#[test]
fn partitions_may_be_here_and_there() {
    let mut shards = Shards::by_tenant();
    shards
        .db
        .batch_execute(
            "ALTER TABLE items DETACH PARTITION items_1;
            CREATE TABLE here (words tsvector, e vector(3), id int, tenant int);
            INSERT INTO here SELECT words, e, id, tenant FROM whole WHERE tenant = 1;
            ALTER TABLE items ATTACH PARTITION here FOR VALUES IN (1);
            CREATE INDEX ON items USING hnsw (e vector_l2_ops);
            CREATE INDEX ON whole USING hnsw (e vector_l2_ops);
            SET hnsw.ef_search = 200; ANALYZE items",
        )
        .unwrap();
    shards.same(&untied("L2"));
    shards.same(&[
        "SELECT to_jsonb(f)::text FROM vector_search(NULL::$t, ann('e', '[1,1,1]'), k => 30) AS f"
            .into(),
    ]);
}

#[test]
fn foreign_tables_are_tables() {
    let mut shards = Shards::hashed(TIED, 3000);
    shards
        .db
        .batch_execute(
            "DROP TABLE whole;
            CREATE TABLE whole (LIKE items);
            INSERT INTO whole SELECT * FROM items_0 ORDER BY ctid",
        )
        .unwrap();
    for search in searches("L2") {
        let found = rows(&mut shards.db, &search.replace("$t", "items_0"));
        assert_eq!(found, rows(&mut shards.db, &search.replace("$t", "whole")), "{search}");
    }
}

/// Who may read the table alone, or only some of its rows, finds these.
#[test]
fn privileges_and_policies_are_those_of_the_table() {
    let mut shards = Shards::hashed(SPREAD, 3000);
    let name = shards.db.name().to_owned();
    let near = format!("ann('e', '[0.5,0.2,0.9]', {L2})");
    let search =
        format!("SELECT to_jsonb(f)::text FROM vector_search(NULL::$t, {near}, k => 20) AS f");
    shards
        .db
        .batch_execute(&format!(
            "CREATE ROLE reader_{name}; GRANT SELECT ON items, whole TO reader_{name};
            GRANT USAGE ON FOREIGN SERVER shard_0, shard_1, shard_2 TO reader_{name};
            SET ROLE reader_{name}"
        ))
        .unwrap();
    // Without a password, PostgreSQL lets only superusers connect to other servers.
    let (code, _, _) = refusal(&mut shards.db, &search.replace("$t", "items"));
    assert_eq!(code, "2F003");
    let allow = |n| {
        format!(
            "ALTER USER MAPPING FOR PUBLIC SERVER shard_{n} OPTIONS (ADD password_required 'false')"
        )
    };
    let allow = [0, 1, 2].map(allow).join(";");
    shards.db.batch_execute(&format!("RESET ROLE; {allow}; SET ROLE reader_{name}")).unwrap();
    shards.same(slice::from_ref(&search));
    let statement = format!("SELECT vector_search_sql(NULL::items, {near})");
    assert!(!rows(&mut shards.db, &statement).remove(0).contains("items_0"));
    let denied = refusal(&mut shards.db, &search.replace("$t", "items_0"));
    assert_eq!(denied.0, "42501");
    shards
        .db
        .batch_execute(&format!(
            "RESET ROLE; GRANT SELECT ON items_0, items_1, items_2 TO reader_{name};
            SET ROLE reader_{name}"
        ))
        .unwrap();
    assert!(rows(&mut shards.db, &statement).remove(0).contains("items_0"));
    shards.same(slice::from_ref(&search));
    let policy = |table| {
        format!(
            "CREATE POLICY odd ON {table} USING (id % 2 = 1); ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
        )
    };
    let policies = ["items", "whole"].map(policy).join(";");
    shards.db.batch_execute(&format!("RESET ROLE; {policies}; SET ROLE reader_{name}")).unwrap();
    shards.same(slice::from_ref(&search));
    assert!(!rows(&mut shards.db, &statement).remove(0).contains("items_0"));
    shards
        .db
        .batch_execute(&format!("RESET ROLE; DROP OWNED BY reader_{name}; DROP ROLE reader_{name}"))
        .unwrap();
}

#[test]
fn what_cannot_be_searched_is_refused() {
    let mut shards = Shards::new();
    shards
        .db
        .batch_execute(
            "CREATE TABLE items (id int, e vector(3), body text) PARTITION BY HASH (id);
            CREATE FOREIGN TABLE items_0 PARTITION OF items FOR VALUES WITH (MODULUS 1, REMAINDER 0)
                SERVER shard_0;
            CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
            CREATE FOREIGN TABLE lines (id int, e vector(3)) SERVER files OPTIONS (filename '/dev/null')",
        )
        .unwrap();
    for (search, code, expected, advice) in [
        (
            "vector_search(NULL::items, ann('e', '[1,2,3]'))",
            "22023",
            "metric type of column e of table public.items is unknown",
            r#"Name the metric type: params => '{"metric_type": "COSINE"}'."#,
        ),
        (
            "vector_search(NULL::items_0, bm25('body', 'tea'))",
            "0A000",
            "bm25 cannot search table public.items_0, which has foreign rows",
            "Use fts() with a tsvector column, or search each server by itself.",
        ),
        (
            "hybrid_search(NULL::lines, ARRAY[ann('e', '[1,2,3]', params => '{\"metric_type\": \"L2\"}')])",
            "0A000",
            "cannot tell rows of foreign table public.lines apart",
            "Only postgres_fdw tells their ctid. vector_search works with others.",
        ),
    ] {
        let error = shards.db.query(&format!("SELECT * FROM {search}"), &[]).unwrap_err();
        assert_eq!((sqlstate(&error), &*message(&error)), (code, expected), "{search}");
        assert_eq!(hint(&error), advice, "{search}");
    }
}

#[test]
fn a_shard_that_is_down_is_postgresqls_error() {
    let server = Cluster::new("shard", &[]).unwrap();
    server.connect().unwrap().batch_execute("CREATE EXTENSION vector_ext").unwrap();
    let mut db = TestDb::new();
    let host = server.socket_dir().display();
    db.batch_execute(&format!(
        "CREATE EXTENSION postgres_fdw;
        CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw
            OPTIONS (host '{host}', dbname 'postgres', extensions 'vector_ext', async_capable 'true');
        CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (user 'postgres');
        CREATE TABLE items (id int, e vector(3)) PARTITION BY LIST (id);
        CREATE TABLE items_0 PARTITION OF items FOR VALUES IN (0);
        CREATE FOREIGN TABLE items_1 PARTITION OF items FOR VALUES IN (1) SERVER far
            OPTIONS (table_name 'items');
        INSERT INTO items VALUES (0, '[1,2,3]')"
    ))
    .unwrap();
    server
        .connect()
        .unwrap()
        .batch_execute("CREATE TABLE items AS SELECT 1 AS id, '[1,2,4]'::vector AS e")
        .unwrap();
    let search = |filter: &str| {
        format!(
            "SELECT ((hit).id)::text FROM vector_search(NULL::items, ann('e', '[1,2,3]', {L2}) {filter})"
        )
    };
    assert_eq!(rows(&mut db, &search("")), ["0", "1"]);
    let reset = rows(&mut db, "SELECT count(*)::text FROM items");
    assert_eq!(reset, ["2"]);
    server.stop().unwrap();
    let error = db.query(&search(""), &[]).unwrap_err();
    let plain = db.query("SELECT id FROM items", &[]).unwrap_err();
    assert_eq!((sqlstate(&error), message(&error)), (sqlstate(&plain), message(&plain)));
    assert_eq!(sqlstate(&error), "08001");
    // What is here is still found.
    assert_eq!(rows(&mut db, &search(", filter => 'id == 0'")), ["0"]);
    server.start().unwrap();
    assert_eq!(rows(&mut db, &search("")), ["0", "1"]);
}
