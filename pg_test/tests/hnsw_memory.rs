//! Builds beyond `maintenance_work_mem`: the same index, by way of a temporary file.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::thread;

use pg_test::data::{DIMENSIONS, documents};
use pg_test::{Cluster, TestDb, copy_vectors, index_problems, message, sqlstate, wait_until};
use postgres::Client;

static SENTENCES: LazyLock<Vec<Vec<f32>>> =
    LazyLock::new(|| documents().unwrap().into_iter().map(|row| row.embedding).collect());
const ROWS: usize = 8_000;
const CREATE: &str = "CREATE INDEX i ON t USING hnsw (v vector_l2_ops)";
/// About a fifteenth of what the build needs; one thread gives the same index every time.
const SMALL: &str = "SET maintenance_work_mem = '1MB'; SET max_parallel_maintenance_workers = 0";

/// A table `t` of sentences.
fn table(db: &mut Client) {
    db.batch_execute(&format!("CREATE TABLE t (id int, v vector({DIMENSIONS}))")).unwrap();
    let rows = SENTENCES[..ROWS].iter().map(Vec::as_slice);
    copy_vectors(db, "t", 0, rows).unwrap();
}

/// The temporary files that a backend has.
fn temp_files(cluster: &Cluster, pid: i32) -> Vec<PathBuf> {
    // PostgreSQL makes the folder when it first needs it.
    let Ok(folder) = fs::read_dir(cluster.data_dir().join("base/pgsql_tmp")) else {
        return Vec::new();
    };
    let files = folder.map(|entry| entry.unwrap().path());
    let own = format!("pgsql_tmp{pid}.");
    files.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(&own)).collect()
}

fn pid(client: &mut Client) -> i32 {
    client.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0)
}

/// Bytes of the temporary files that the database had so far.
fn temp_bytes(client: &mut Client) -> i64 {
    client.batch_execute("SELECT pg_stat_force_next_flush()").unwrap();
    let size = "SELECT temp_bytes FROM pg_stat_database WHERE datname = current_database()";
    client.query_one(size, &[]).unwrap().get(0)
}

/// The pages of index `i`, without their headers, which tell when they were logged.
fn pages(db: &mut TestDb) -> Vec<Vec<u8>> {
    db.batch_execute("CHECKPOINT").unwrap();
    let path: String = db.query_one("SELECT pg_relation_filepath('i')", &[]).unwrap().get(0);
    let file = fs::read(db.cluster().data_dir().join(path)).unwrap();
    file.chunks(8192).map(|page| page[24..].to_vec()).collect()
}

#[test]
fn small_memory_gives_the_same_index() {
    let mut db = TestDb::new();
    table(&mut db);
    db.batch_execute("SET max_parallel_maintenance_workers = 0").unwrap();
    db.batch_execute(CREATE).unwrap();
    let expected = pages(&mut db);
    assert_eq!(temp_bytes(&mut db), 0);
    db.batch_execute(&format!("DROP INDEX i; {SMALL}")).unwrap();
    db.batch_execute(CREATE).unwrap();
    assert!(pages(&mut db) == expected, "the index differs");
    assert_eq!(index_problems(&mut db, "i").unwrap(), [""; 0]);
    let own = pid(&mut db);
    assert!(temp_files(db.cluster(), own).is_empty());
    assert!(temp_bytes(&mut db) > 8 << 20);
}

/// Runs `act` while a build of `client` works on its temporary file.
fn during_build(client: &mut Client, cluster: &Cluster, act: impl FnOnce() + Send) {
    let pid = pid(client);
    client.batch_execute(SMALL).unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            wait_until("the file", || Ok(!temp_files(cluster, pid).is_empty())).unwrap();
            act();
        });
        client.batch_execute(CREATE).expect_err("a build that is ended");
    });
    wait_until("the file to be gone", || Ok(temp_files(cluster, pid).is_empty())).unwrap();
}

#[test]
fn a_cancelled_build_leaves_no_file() {
    let mut db = TestDb::new();
    table(&mut db);
    let (cluster, own, mut other) = (db.cluster(), pid(&mut db), db.connect());
    during_build(&mut db, cluster, || {
        other.execute("SELECT pg_cancel_backend($1)", &[&own]).unwrap();
    });
    db.batch_execute(CREATE).unwrap();
    assert!(!cluster.has_crashed());
}

#[test]
fn a_killed_backend_leaves_no_file() {
    let cluster = Cluster::new("hnsw-memory", &[]).unwrap();
    let mut client = cluster.connect().unwrap();
    client.batch_execute("CREATE EXTENSION vector_ext").unwrap();
    table(&mut client);
    let own = pid(&mut client);
    during_build(&mut client, &cluster, || {
        let kill = std::process::Command::new("kill").args(["-KILL", &own.to_string()]).status();
        assert!(kill.unwrap().success());
    });
    wait_until("the server to be back", || Ok(cluster.connect().is_ok())).unwrap();
    let mut client = cluster.connect().unwrap();
    client.batch_execute(&format!("{SMALL}; {CREATE}")).unwrap();
    assert_eq!(index_problems(&mut client, "i").unwrap(), [""; 0]);
}

#[test]
fn a_file_beyond_its_limit_is_an_error() {
    let mut db = TestDb::new();
    table(&mut db);
    for limit in ["100kB", "10MB", "16MB"] {
        db.batch_execute(&format!("{SMALL}; SET temp_file_limit = '{limit}'")).unwrap();
        let error = db.batch_execute(CREATE).expect_err(limit);
        assert_eq!(sqlstate(&error), "53400", "{}", message(&error));
        let own = pid(&mut db);
        assert!(temp_files(db.cluster(), own).is_empty());
    }
    db.batch_execute(&format!("RESET temp_file_limit; {CREATE}")).unwrap();
    assert!(!db.cluster().has_crashed());
}

#[test]
fn sizes_are_estimated_before_the_build() {
    let mut db = TestDb::new();
    table(&mut db);
    db.batch_execute(CREATE).unwrap();
    let estimate = "SELECT index_size::float8 / pg_relation_size('i'), build_memory
                    FROM vector_index_memory($1, $2)";
    let row = db.query_one(estimate, &[&(ROWS as i64), &(DIMENSIONS as i32)]).unwrap();
    let ratio: f64 = row.get(0);
    assert!((0.9..1.1).contains(&ratio), "{ratio}");
    // With so much memory the build needs no file, with a little less it does.
    let needed = row.get::<_, i64>(1) / 1024;
    for (kilobytes, in_file) in [(needed + 1, false), (needed * 9 / 10, true)] {
        let before = temp_bytes(&mut db);
        let set = format!("SET maintenance_work_mem = {kilobytes}");
        db.batch_execute(&format!("DROP INDEX i; {set}; {CREATE}")).unwrap();
        assert_eq!(temp_bytes(&mut db) > before, in_file, "{kilobytes} kB");
    }
    let wrong = ["-1, 3", "1, 0", "1, 16001", "1, 3, 1", "1, 3, 101"];
    for arguments in wrong {
        let call = format!("SELECT * FROM vector_index_memory({arguments})");
        let error = db.query(&call, &[]).expect_err(arguments);
        assert_eq!(sqlstate(&error), "22023");
    }
}
