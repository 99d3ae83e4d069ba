//! A search with a filter that very many rows pass takes little memory if `work_mem` is small.

use pg_test::{TestDb, limit_memory, sqlstate};
use postgres::{Client, Error};

/// Bytes of address space that a process has.
fn size_of_process(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// Runs a search with `work_mem` of so many megabytes, and no more than `more` bytes beyond what a backend
/// has that has searched before.
fn search(
    db: &TestDb,
    work_mem: u32,
    strategy: &str,
    limit: u32,
    more: u64,
) -> Result<usize, Error> {
    let mut client: Client = db.connect();
    let query = "SELECT id FROM w WHERE part < 5 ORDER BY v <-> '[0.3,0.4]'";
    client
        .batch_execute(&format!(
            "SET enable_seqscan = off; SET enable_sort = off; SET work_mem = '{work_mem}MB';
             SET hnsw.scan_mem_multiplier = 1; SET vector_ext.filtered_scan = {strategy}"
        ))
        .unwrap();
    client
        .batch_execute("SELECT id FROM w WHERE part = 99 ORDER BY v <-> '[0,0]' LIMIT 1")
        .unwrap();
    let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0);
    limit_memory(pid as u32, size_of_process(pid) + more).unwrap();
    Ok(client.query(&format!("{query} LIMIT {limit}"), &[])?.len())
}

#[test]
fn a_hundred_thousand_members_take_little_memory() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE w AS SELECT i AS id, i % 6 AS part, ARRAY[sin(i), cos(i * 2)]::vector(2) AS v
           FROM generate_series(1, 120000) i;
         CREATE INDEX ON w USING ivf (v vector_l2_ops) WITH (lists = 100); CREATE INDEX ON w (part);
         ANALYZE w",
    )
    .unwrap();
    for strategy in ["auto", "look", "inline", "exact"] {
        for limit in [10, 2_000] {
            let found = search(&db, 1, strategy, limit, 8 << 20);
            assert_eq!(found.unwrap(), limit as usize, "{strategy}");
        }
    }
    // What is allowed is allowed.
    let refused = search(&db, 64, "exact", 90_000, 8 << 20).unwrap_err();
    assert_eq!(sqlstate(&refused), "53200");
}
