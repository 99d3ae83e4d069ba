//! No client ever sees a backtrace, whatever the server's environment says.

use std::fs;

use pg_test::{Cluster, Result, limit_memory, sqlstate};
use postgres::error::DbError;

/// Statements that fail: by an error of PostgreSQL's or of ours, while they are planned or run.
const FAILING: &[&str] = &[
    "SELECT 1 / 0",
    "SELECT nope",
    "SELECT '[1,x]'::vector",
    "SELECT '[1]'::vector <-> '[1,2]'",
    "SELECT id / (id - 1) FROM t",
    "CREATE INDEX ON t USING hnsw ((array[id / (id - 1), 1]::real[]::vector(2)) vector_l2_ops)",
    "CREATE INDEX ON t USING ivf ((array[id / (id - 1), 1]::real[]::vector(2)) vector_l2_ops)",
    "INSERT INTO t VALUES (1, '[1,2,3]')",
    "SELECT id FROM t ORDER BY v <-> '[1,2,3]' LIMIT 1",
    "SELECT * FROM vector_search(NULL::t, ann('nope', '[1,2]'::vector))",
    "SELECT * FROM vector_search(NULL::t, ann('v', '[1,2]'::vector), filter => 'id ==')",
    "SELECT * FROM vector_index_info('t')",
    "SELECT * FROM vector_index_memory(-1, 3)",
    "SET hnsw.ef_search = -1",
];

#[track_caller]
fn assert_no_backtrace(error: &DbError) {
    for said in [Some(error.message()), error.detail(), error.hint(), error.where_()] {
        let said = said.unwrap_or_default();
        assert!(!said.contains("  at ") && !said.contains("0:"), "{said}");
    }
}

#[test]
fn no_client_sees_a_backtrace() -> Result<()> {
    for value in ["1", "full"] {
        let cluster = Cluster::in_environment(
            "backtrace",
            &[("RUST_BACKTRACE", value), ("RUST_LIB_BACKTRACE", value)],
        )?;
        let mut client = cluster.connect()?;
        client.batch_execute(
            "CREATE EXTENSION vector_ext; CREATE TABLE t (id int, v vector(2));
            INSERT INTO t SELECT i, array[i, 1] FROM generate_series(1, 100) AS i;
            CREATE INDEX ON t USING hnsw (v vector_l2_ops); SET enable_seqscan = off",
        )?;
        let environment = fs::read(format!("/proc/{}/environ", cluster.postmaster_pid()?))?;
        assert!(String::from_utf8_lossy(&environment).contains("RUST_BACKTRACE="));
        for statement in FAILING {
            let error = client.batch_execute(statement).expect_err(statement);
            let error = error.as_db_error().expect(statement);
            assert_no_backtrace(error);
        }
        // The hook of a panic would write one there.
        assert!(!cluster.log().contains("stack backtrace"), "{}", cluster.log());
        assert!(!cluster.log().contains("vector_ext::"), "{}", cluster.log());
    }
    Ok(())
}

/// To resolve the symbols of a backtrace takes memory, and minutes where there is none.
#[test]
fn a_session_short_of_memory_goes_on() -> Result<()> {
    let cluster = Cluster::in_environment("backtrace-memory", &[("RUST_BACKTRACE", "1")])?;
    let mut client = cluster.connect()?;
    client.batch_execute(
        "CREATE EXTENSION vector_ext; CREATE TABLE t (id int);
        INSERT INTO t SELECT i FROM generate_series(1, 100) AS i",
    )?;
    let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[])?.get(0);
    // The first field is the size in pages.
    let size = fs::read_to_string(format!("/proc/{pid}/statm"))?;
    let pages: u64 = size.split_whitespace().next().unwrap_or_default().parse()?;
    limit_memory(pid as u32, pages * 4096 + (64 << 20))?;
    let large = "(array[length(repeat('x', 500000000 + id)), 1]::real[]::vector(2))";
    for statement in [
        "SELECT length(repeat('x', 500000000))",
        &format!("CREATE INDEX ON t USING hnsw ({large} vector_l2_ops)"),
        &format!("CREATE INDEX ON t USING ivf ({large} vector_l2_ops)"),
    ] {
        let error = client.batch_execute(statement).expect_err(statement);
        assert_eq!(sqlstate(&error), "53200", "{error:?}");
        let error = error.as_db_error().expect(statement);
        assert!(error.detail().is_some_and(|detail| detail.starts_with("Failed on request")));
        assert_no_backtrace(error);
    }
    let small = "(array[id, 1]::real[]::vector(2))";
    client.batch_execute(&format!("CREATE INDEX ON t USING hnsw ({small} vector_l2_ops)"))?;
    Ok(())
}
