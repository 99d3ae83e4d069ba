//! Searches with conditions over every kind of table that PostgreSQL has, and beside others who change
//! it: rows, their order, and that the vector index gave them, in every strategy.

use std::fs;

use pg_test::{Cluster, TestDb, explain_plan, wait_until};
use postgres::Client;

const STRATEGIES: [&str; 4] = ["auto", "look", "inline", "exact"];

const NEAR: &str = "ORDER BY v <-> '[3,4]'";

/// Columns and rows of a table: places on a spiral, whose distances from `[3,4]` all differ.
const COLUMNS: &str = "(id int, doc int, kind text, tags int[], v vector(2), u vector(2))";
const ROWS: &str = "SELECT i, i * 7919 % 40, 'k' || i % 11, ARRAY[i % 3, 10 + i % 17],
    ARRAY[i * cos(i) / 9, i * sin(i) / 9]::vector(2), ARRAY[i * sin(i) / 7, i * cos(i) / 7]::vector(2)
    FROM generate_series(1, 900) i";

fn fill(client: &mut Client, table: &str) {
    client
        .batch_execute(&format!(
            "INSERT INTO {table} {ROWS};
             CREATE INDEX ON {table} USING hnsw (v vector_l2_ops);
             CREATE INDEX ON {table} (doc); CREATE INDEX ON {table} USING gin (tags);
             ANALYZE {table}; SET hnsw.ef_search = 200"
        ))
        .unwrap();
}

fn table(create: &str) -> TestDb {
    let mut db = TestDb::new();
    db.batch_execute(&format!("{create} w {COLUMNS}")).unwrap();
    fill(&mut db, "w");
    db
}

fn ids(client: &mut Client, query: &str) -> Vec<i32> {
    client.query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

/// What is found without the index of the vectors.
fn expected(client: &mut Client, query: &str) -> Vec<i32> {
    let expected = ids(client, &query.replacen("<->", "+ '[0,0]' <->", 1));
    assert!(!expected.is_empty(), "{query}");
    expected
}

/// Fails unless a search of `w` finds the same rows in every strategy as without an index.
#[track_caller]
fn agrees(client: &mut Client, query: &str) {
    let expected = expected(client, query);
    client.batch_execute("SET enable_seqscan = off; SET enable_sort = off").unwrap();
    let plan = explain_plan(client, query).unwrap();
    assert!(plan.contains("Vector Index Scan"), "{query}\n{plan}");
    for strategy in STRATEGIES {
        let set = format!("SET vector_ext.filtered_scan = {strategy}");
        client.batch_execute(&set).unwrap();
        assert_eq!(ids(client, query), expected, "{strategy}: {query}");
    }
    client.batch_execute("RESET enable_seqscan; RESET enable_sort").unwrap();
}

#[test]
fn temporary_and_unlogged_tables() {
    for create in ["CREATE TEMP TABLE", "CREATE UNLOGGED TABLE"] {
        let mut db = table(create);
        agrees(&mut db, &format!("SELECT id FROM w WHERE doc = 3 {NEAR} LIMIT 10"));
        agrees(
            &mut db,
            &format!("SELECT id FROM w WHERE doc < 9 AND tags @> '{{2}}' {NEAR} LIMIT 10"),
        );
    }
}

#[test]
fn partitions_that_are_left_out_and_merged() {
    let mut db = TestDb::new();
    db.batch_execute(&format!(
        "CREATE TABLE w {COLUMNS} PARTITION BY RANGE (id);
         CREATE TABLE low (v vector(2), gone int, tags int[], u vector(2), kind text, doc int, id int);
         ALTER TABLE low DROP COLUMN gone;
         ALTER TABLE w ATTACH PARTITION low FOR VALUES FROM (1) TO (300);
         CREATE TABLE mid PARTITION OF w FOR VALUES FROM (300) TO (600);
         CREATE TABLE high PARTITION OF w FOR VALUES FROM (600) TO (1000)"
    ))
    .unwrap();
    fill(&mut db, "w");
    agrees(&mut db, &format!("SELECT id FROM w WHERE doc = 3 {NEAR} LIMIT 10"));
    let pruned = format!("SELECT id FROM w WHERE doc < 9 AND id >= 300 {NEAR} LIMIT 10");
    agrees(&mut db, &pruned);
    db.batch_execute("SET enable_seqscan = off; SET enable_sort = off").unwrap();
    let plan = explain_plan(&mut db, &pruned).unwrap();
    assert!(plan.contains("Merge Append") && !plan.contains(" low"), "{plan}");
}

#[test]
fn two_vectors_and_a_vector_computed_from_a_row() {
    let mut db = table("CREATE TABLE");
    db.batch_execute(
        "CREATE INDEX ON w USING ivf (u vector_l2_ops) WITH (lists = 9); SET ivf.probes = 9;
         CREATE INDEX ON w USING hnsw ((subvector(v, 1, 1)::vector(1)) vector_l2_ops)",
    )
    .unwrap();
    agrees(&mut db, &format!("SELECT id FROM w WHERE doc < 9 {NEAR} LIMIT 10"));
    agrees(&mut db, "SELECT id FROM w WHERE doc < 9 ORDER BY u <-> '[3,4]' LIMIT 10");
    agrees(
        &mut db,
        &format!("SELECT id FROM w WHERE doc < 9 AND u <-> '[0,0]' < 50 {NEAR} LIMIT 10"),
    );
    let computed =
        "SELECT id FROM w WHERE doc < 9 ORDER BY subvector(v, 1, 1)::vector(1) <-> '[7]' LIMIT 10";
    let wanted = ids(&mut db, &computed.replace("<-> '[7]'", "+ '[0]' <-> '[7]'"));
    db.batch_execute("SET enable_seqscan = off; SET enable_sort = off").unwrap();
    assert!(explain_plan(&mut db, computed).unwrap().contains("Vector Index Scan"));
    for strategy in STRATEGIES {
        db.batch_execute(&format!("SET vector_ext.filtered_scan = {strategy}")).unwrap();
        assert_eq!(ids(&mut db, computed), wanted, "{strategy}");
    }
}

#[test]
fn ten_thousand_values() {
    let mut db = table("CREATE TABLE");
    let values: Vec<String> = (0..10_000).map(|i| (i * 3 + 1).to_string()).collect();
    let values = values.join(",");
    db.batch_execute("CREATE INDEX ON w (id); ANALYZE w").unwrap();
    agrees(&mut db, &format!("SELECT id FROM w WHERE id IN ({values}) {NEAR} LIMIT 10"));
    agrees(&mut db, &format!("SELECT id FROM w WHERE id = ANY ('{{{values}}}') {NEAR} LIMIT 10"));
}

#[test]
fn a_parameter_that_changes_how_many_rows_pass() {
    let mut db = table("CREATE TABLE");
    for mode in ["force_custom_plan", "force_generic_plan"] {
        for strategy in STRATEGIES {
            db.batch_execute(&format!(
                "SET plan_cache_mode = {mode}; SET vector_ext.filtered_scan = {strategy};
                 SET enable_seqscan = off; SET enable_sort = off"
            ))
            .unwrap();
            let statement =
                db.prepare(&format!("SELECT id FROM w WHERE doc < $1 {NEAR} LIMIT 10")).unwrap();
            for limit in [40, 1, 0, 20, 3, -1, 40] {
                let rows = db.query(&statement, &[&limit]).unwrap();
                let found: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
                let exact = format!(
                    "SELECT id FROM w WHERE doc < {limit} ORDER BY (v <-> '[3,4]') + 0 LIMIT 10"
                );
                db.batch_execute("RESET enable_seqscan; RESET enable_sort").unwrap();
                assert_eq!(found, ids(&mut db, &exact), "{mode}, {strategy}: {limit}");
                db.batch_execute("SET enable_seqscan = off; SET enable_sort = off").unwrap();
            }
        }
    }
}

#[test]
fn rows_that_a_policy_hides() {
    let mut db = table("CREATE TABLE");
    let role = format!("tenant_{}", db.name());
    db.batch_execute(&format!(
        "CREATE ROLE {role}; GRANT SELECT ON w TO {role}; ALTER TABLE w ENABLE ROW LEVEL SECURITY;
         CREATE POLICY own ON w USING (kind = 'k3');
         -- Tells of every row that it sees.
         CREATE FUNCTION leaks(int, text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS
         $$ BEGIN IF $2 <> 'k3' THEN RAISE 'saw row %', $1; END IF; RETURN true; END $$"
    ))
    .unwrap();
    let query = format!("SELECT id FROM w WHERE doc < 20 {NEAR} LIMIT 10");
    let visible = expected(&mut db, &query.replace("WHERE", "WHERE kind = 'k3' AND"));
    db.batch_execute(&format!("SET ROLE {role}; SET enable_seqscan = off; SET enable_sort = off"))
        .unwrap();
    let leaking = query.replace("doc < 20", "doc < 20 AND leaks(id, kind)");
    for strategy in STRATEGIES {
        db.batch_execute(&format!("SET vector_ext.filtered_scan = {strategy}")).unwrap();
        assert_eq!(ids(&mut db, &query), visible, "{strategy}");
        assert_eq!(ids(&mut db, &leaking), visible, "{strategy}");
    }
    db.batch_execute(&format!("RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}")).unwrap();
}

/// Rows that another changes while they are locked are tested again, in their newest version.
#[test]
fn locked_rows_pass_in_their_newest_version() {
    for strategy in STRATEGIES {
        let mut db = table("CREATE TABLE");
        let set = format!(
            "SET enable_seqscan = off; SET enable_sort = off; SET vector_ext.filtered_scan = {strategy}"
        );
        let query = format!("SELECT id FROM w WHERE doc < 20 {NEAR} LIMIT 5 FOR UPDATE");
        let all = expected(&mut db, &query.replace(" LIMIT 5 FOR UPDATE", ""));
        let mut other = db.connect();
        other
            .batch_execute(&format!(
                "BEGIN; UPDATE w SET doc = 30 WHERE id = {}; UPDATE w SET kind = 'new' WHERE id = {}",
                all[0], all[2]
            ))
            .unwrap();
        let mut locking = db.connect();
        let pid: i32 = locking.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0);
        let found = std::thread::scope(|scope| {
            let locking = scope.spawn(|| {
                locking.batch_execute(&set).unwrap();
                ids(&mut locking, &query)
            });
            let waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1";
            wait_until("the lock is waited for", || {
                let row = db.query_one(waits, &[&pid])?;
                Ok(row.get::<_, Option<bool>>(0) == Some(true))
            })
            .unwrap();
            other.batch_execute("COMMIT").unwrap();
            locking.join().unwrap()
        });
        // PostgreSQL locks the rows that the LIMIT lets through, or goes on for as many.
        let still: Vec<i32> = all.iter().copied().skip(1).take(found.len()).collect();
        assert_eq!(found.len(), 5, "{strategy}: {found:?}");
        assert_eq!(found, still, "{strategy}");
    }
}

#[test]
fn a_standby_filters_like_its_primary() {
    let primary = Cluster::new("primary", &[("max_wal_senders", "4")]).unwrap();
    let mut client = primary.connect().unwrap();
    client
        .batch_execute(&format!("CREATE EXTENSION vector_ext; CREATE TABLE w {COLUMNS}"))
        .unwrap();
    fill(&mut client, "w");
    let standby = primary.standby().unwrap();
    for round in 0..2 {
        standby.catch_up(&primary).unwrap();
        let mut replica = standby.connect().unwrap();
        replica.batch_execute("SET hnsw.ef_search = 200").unwrap();
        for condition in ["doc = 3", "doc < 20", "doc = 3 OR tags @> '{12}'", "kind = 'k7'"] {
            agrees(&mut replica, &format!("SELECT id FROM w WHERE {condition} {NEAR} LIMIT 10"));
        }
        if round == 0 {
            client
                .batch_execute(
                    "DELETE FROM w WHERE id % 3 = 0; UPDATE w SET doc = doc + 1 WHERE id % 5 = 1;
                     INSERT INTO w SELECT id + 1000, doc, kind, tags, u, v FROM w",
                )
                .unwrap();
            client.batch_execute("VACUUM w").unwrap();
        }
    }
}

/// Bytes that the backend has in memory of its own.
fn memory(cluster: &Cluster, client: &mut Client) -> usize {
    let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0);
    assert!(!cluster.has_crashed());
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

#[test]
fn a_set_of_many_rows_takes_little_memory() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE w AS SELECT i AS id, i % 2 AS half, ARRAY[sin(i) * i, cos(i) * i]::vector(2) AS v
           FROM generate_series(1, 200000) i;
         CREATE INDEX ON w USING ivf (v vector_l2_ops); CREATE INDEX ON w (half); ANALYZE w",
    )
    .unwrap();
    for strategy in ["inline", "exact"] {
        let mut client = db.connect();
        client
            .batch_execute(&format!(
                "SET work_mem = '1MB'; SET enable_seqscan = off; SET enable_sort = off;
                 SET vector_ext.filtered_scan = {strategy}; SELECT FROM w {NEAR} LIMIT 10"
            ))
            .unwrap();
        let before = memory(db.cluster(), &mut client);
        let query = format!("SELECT id FROM w WHERE half = 1 {NEAR} LIMIT 10");
        assert_eq!(ids(&mut client, &query).len(), 10);
        let stats = "SELECT members FROM vector_scan_stats()";
        let members: Option<i64> = client.query_one(stats, &[]).unwrap().get(0);
        assert!(members >= Some(100_000), "{strategy}: {members:?}");
        let taken = memory(db.cluster(), &mut client).saturating_sub(before);
        // The set, the bitmap that it is made from, and what the query takes besides.
        assert!(taken < 4 << 20, "{strategy}: {taken} bytes");
    }
}
