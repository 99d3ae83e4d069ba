//! Memory that the operating system refuses ends a statement (SQLSTATE 53200), never the server, and
//! leaves sound indexes.

use pg_test::{Cluster, index_problems, limit_memory, message, sqlstate};
use postgres::Client;

const ROWS: i32 = 1_500;
/// Bytes beyond those in use that a backend is given: enough for all at last.
const LIMITS: [u64; 8] = [0, 256 << 10, 1 << 20, 2 << 20, 4 << 20, 8 << 20, 16 << 20, 1 << 30];

/// Access methods and options, each on the expression of the column `v` that the class is for.
const INDEXES: [(&str, &str, &str, &str); 10] = [
    ("hnsw", "v", "vector_l2_ops", "quantization = auto"),
    ("hnsw", "v", "vector_cosine_ops", "quantization = none"),
    ("hnsw", "v", "vector_ip_ops", "quantization = sq8"),
    ("hnsw", "v", "vector_l2_ops", "quantization = rabitq"),
    ("hnsw", "binary_quantize(v)::bit(48)", "bit_hamming_ops", "m = 8"),
    ("ivf", "v", "vector_l2_ops", "quantization = rabitq, lists = 100"),
    ("ivf", "v", "vector_cosine_ops", "quantization = sq8, lists = 10"),
    ("ivf", "v", "vector_ip_ops", "quantization = none, lists = 300"),
    ("ivfflat", "v", "vector_l2_ops", "lists = 70"),
    ("ivf", "binary_quantize(v)::bit(48)", "bit_hamming_ops", "quantization = none"),
];

/// A server with a table of vectors.
fn cluster() -> Cluster {
    let cluster = Cluster::new("out-of-memory", &[("shared_buffers", "32MB")]).unwrap();
    let mut client = cluster.connect().unwrap();
    client
        .batch_execute(&format!(
            "CREATE EXTENSION vector_ext; \
             CREATE TABLE t (id int, v vector(48)); \
             INSERT INTO t SELECT i, (SELECT array_agg(sin(i * j) + i % 7) \
                                      FROM generate_series(1, 48) j)::vector \
             FROM generate_series(1, {ROWS}) i"
        ))
        .unwrap();
    cluster
}

/// Bytes of address space that a process has.
fn size_of_process(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// Runs `statement` under each limit, after `before` without one. It succeeds or is refused memory,
/// and succeeds at last. Returns how often it was refused.
fn under_limits(cluster: &Cluster, before: &str, statement: &str) -> usize {
    let mut refused = 0;
    for (i, more) in LIMITS.into_iter().enumerate() {
        let mut client = cluster.connect().unwrap();
        client.batch_execute(&format!("SELECT '[1]'::vector; {before}")).unwrap();
        let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0);
        limit_memory(pid as u32, size_of_process(pid) + more).unwrap();
        match client.batch_execute(statement) {
            Ok(()) => {}
            Err(error) => {
                let lost = error.as_db_error().is_none();
                assert!(!lost, "{statement}, {more} more bytes: {error}\n{}", cluster.log());
                assert_eq!(sqlstate(&error), "53200", "{statement}, {more}: {}", message(&error));
                assert!(i + 1 < LIMITS.len(), "{statement}: {}", message(&error));
                refused += 1;
            }
        }
    }
    assert!(!cluster.has_crashed(), "{statement}");
    refused
}

fn check(client: &mut Client, index: &str) {
    assert_eq!(index_problems(client, index).unwrap(), [""; 0], "{index}");
}

#[test]
fn builds_are_refused_or_succeed() {
    let cluster = cluster();
    let mut client = cluster.connect().unwrap();
    for (i, (method, key, class, options)) in INDEXES.into_iter().enumerate() {
        // With little of it, arrays lie in a file.
        for memory in &["64MB", "1MB"][..if i % 5 == 0 { 2 } else { 1 }] {
            let before = format!(
                "DROP INDEX IF EXISTS i; SET maintenance_work_mem = '{memory}'; \
                 SET max_parallel_maintenance_workers = 2"
            );
            let create =
                format!("CREATE INDEX i ON t USING {method} (({key}) {class}) WITH ({options})");
            let refused = under_limits(&cluster, &before, &create);
            assert!(refused > 0, "{create}");
            check(&mut client, "i");
        }
    }
}

#[test]
fn other_verbs_are_refused_or_succeed() {
    let cluster = cluster();
    let mut client = cluster.connect().unwrap();
    let mut indexes = Vec::new();
    client
        .batch_execute("CREATE TABLE few AS SELECT * FROM t; DELETE FROM t WHERE id > 600")
        .unwrap();
    for (i, (method, key, class, options)) in INDEXES.into_iter().enumerate() {
        let name = format!("i{i}");
        let create =
            format!("CREATE INDEX {name} ON t USING {method} (({key}) {class}) WITH ({options})");
        client.batch_execute(&create).unwrap();
        indexes.push(name);
    }
    client.batch_execute("INSERT INTO t SELECT * FROM few WHERE id > 600").unwrap();
    under_limits(&cluster, "", "INSERT INTO t SELECT * FROM few WHERE id < 20");
    // Rows die, and lists that have grown are divided.
    let dead = "DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY random() LIMIT 30)";
    under_limits(&cluster, dead, "VACUUM t");
    for name in &indexes {
        under_limits(&cluster, "", &format!("SELECT * FROM vector_index_check('{name}')"));
        check(&mut client, name);
    }
    for operator in ["<->", "<=>", "<#>"] {
        let settings = "SET enable_seqscan = off; SET work_mem = '64MB'; SET hnsw.ef_search = 1000; \
                        SET ivf.probes = 300; SET ivfflat.probes = 100";
        let all = format!(
            "SELECT count(*) FROM (SELECT id FROM t ORDER BY v {operator} (SELECT v FROM few LIMIT 1) \
             LIMIT 100000) s"
        );
        under_limits(&cluster, settings, &all);
    }
    assert!(!cluster.has_crashed());
}

#[test]
fn analyzers_are_refused_memory() {
    let cluster = cluster();
    let statements = [
        "SELECT run_analyzer('系统安全', 'chinese')",
        "SELECT count(*) FROM run_analyzer(repeat('Größe, ', 300000), 'standard')",
        "SELECT count(*) FROM run_analyzer(repeat('words, ', 300000), 'english')",
        "SELECT highlight(repeat('Größe, ', 1000000), 'größe', fragment_size => 1000000)",
        "SELECT highlight(repeat('words, ', 100000), 'word', 'english')",
    ];
    // PostgreSQL's stemmers are in a library of their own.
    let loaded = "SELECT to_tsvector('english', 'words')";
    let refused = statements.map(|statement| under_limits(&cluster, loaded, statement));
    assert!(refused.iter().all(|&refused| refused > 0), "{refused:?}");
}
