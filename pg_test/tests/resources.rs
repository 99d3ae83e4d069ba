//! Limits and settings of PostgreSQL that hold for work on indexes, too: `vacuum_cost_delay`,
//! `temp_file_limit`, settings of roles.

use pg_test::{Cluster, TestDb, hint, index_problems, message, sqlstate, text, wait_until};
use postgres::{Client, SimpleQueryMessage};

const INDEXES: [&str; 5] = [
    "hnsw (v vector_l2_ops)",
    "ivf (v)",
    "ivfflat (v) WITH (lists = 5)",
    "inverted (body)",
    "inverted (s)",
];

fn fill(client: &mut Client, rows: i32, index: &str) {
    client
        .batch_execute(&format!(
            "DROP TABLE IF EXISTS t; SET client_min_messages = error;
            CREATE TABLE t (id int, v vector(32), body text, s sparsevec(1000)) WITH (autovacuum_enabled = off);
            INSERT INTO t SELECT n, ARRAY(SELECT sin(n * d) FROM generate_series(1, 32) d)::vector,
                (SELECT string_agg('word' || n * d % 5003, ' ') FROM generate_series(1, 20) d),
                format('{{%s:1,%s:2}}/1000', 1 + n % 500, 501 + n % 499)::sparsevec
                FROM generate_series(1, {rows}) n;
            CREATE INDEX i ON t USING {index}"
        ))
        .unwrap();
}

#[test]
fn vacuums_of_indexes_sleep_at_their_cost() {
    let mut db = TestDb::new();
    let mut other = db.connect();
    let pid = text(&mut db, "SELECT pg_backend_pid()").unwrap();
    // Seen while the index is vacuumed, not the table: with 100 ms for each page, it takes long.
    let sleeps = format!(
        "SELECT count(*)::int FROM pg_stat_activity a JOIN pg_stat_progress_vacuum p USING (pid)
        WHERE pid = {pid} AND wait_event = 'VacuumDelay' AND phase = 'vacuuming indexes'"
    );
    for index in INDEXES {
        fill(&mut db, 1_000, index);
        db.batch_execute("DELETE FROM t WHERE id % 10 = 0").unwrap();
        db.batch_execute("SET vacuum_cost_limit = 1000; SET vacuum_cost_delay = 100").unwrap();
        db.batch_execute("SET vacuum_cost_page_hit = 50; SET vacuum_cost_page_miss = 50").unwrap();
        std::thread::scope(|scope| {
            let vacuum = scope.spawn(|| db.batch_execute("VACUUM (PARALLEL 0) t"));
            let seen = wait_until(&format!("{index} to sleep"), || {
                Ok(vacuum.is_finished() || other.query_one(&sleeps, &[])?.get::<_, i32>(0) == 1)
            });
            let finished = vacuum.is_finished();
            let cancel = format!("SELECT pg_cancel_backend({pid})");
            other.batch_execute(&cancel).unwrap();
            let result = vacuum.join().unwrap();
            seen.unwrap();
            assert!(!finished, "{index}: {result:?}");
            assert_eq!(sqlstate(&result.unwrap_err()), "57014", "{index}");
        });
        db.batch_execute("SET vacuum_cost_delay = 0").unwrap();
        db.batch_execute("VACUUM t").unwrap();
        assert_eq!(index_problems(&mut db, "i").unwrap(), [""; 0], "{index}");
    }
}

#[test]
fn builds_write_no_more_than_temp_file_limit() {
    let mut db = TestDb::new();
    for index in INDEXES {
        fill(&mut db, 5_000, index);
        let reindex = "SET maintenance_work_mem = '1MB'; SET max_parallel_maintenance_workers = 0;
            REINDEX INDEX i";
        db.batch_execute("SET temp_file_limit = '64kB'").unwrap();
        let error = db.batch_execute(reindex).expect_err(index);
        assert_eq!(sqlstate(&error), "53400", "{index}: {}", message(&error));
        db.batch_execute("RESET temp_file_limit").unwrap();
        db.batch_execute(reindex).unwrap();
        assert_eq!(index_problems(&mut db, "i").unwrap(), [""; 0], "{index}");
    }
}

#[test]
fn roles_and_databases_have_settings_of_their_own() {
    let server = Cluster::new("roles", &[]).unwrap();
    let mut admin = server.connect().unwrap();
    fill_roles(&mut admin);
    let as_app = || {
        let mut config = server.config();
        config.user("app").connect(postgres::NoTls).unwrap()
    };
    let set = "ALTER ROLE app SET hnsw.ef_search = 123";
    // PostgreSQL does not know the setting before the library is loaded, and lets only a superuser
    // store what it does not know.
    let mut app = as_app();
    if let Err(error) = app.batch_execute(set) {
        assert_eq!(sqlstate(&error), "42501", "{error:?}");
        assert_eq!(hint(&error), "");
    }
    // Any function of the library loads it.
    app.batch_execute(&format!("SELECT vector_ext_info(); {set}")).unwrap();
    let shown = "SELECT vector_ext_info(); SHOW hnsw.ef_search";
    assert_eq!(last(&mut as_app(), shown), "123");
    app.batch_execute("ALTER ROLE app RESET hnsw.ef_search").unwrap();
    // A superuser may store any, for the role or the database.
    admin.batch_execute("ALTER DATABASE postgres SET hnsw.ef_search = 77").unwrap();
    assert_eq!(last(&mut as_app(), shown), "77");
    admin.batch_execute("ALTER ROLE app SET hnsw.ef_search = 88").unwrap();
    assert_eq!(last(&mut as_app(), shown), "88");
}

fn fill_roles(admin: &mut Client) {
    admin.batch_execute("CREATE EXTENSION vector_ext; CREATE ROLE app LOGIN").unwrap();
}

/// The value of the last row.
fn last(client: &mut Client, query: &str) -> String {
    let mut last = None;
    for message in client.simple_query(query).unwrap() {
        if let SimpleQueryMessage::Row(row) = message {
            last = row.get(0).map(str::to_owned);
        }
    }
    last.unwrap()
}
