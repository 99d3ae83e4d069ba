//! Builds beyond `maintenance_work_mem`: the same index, by way of a temporary file.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::thread;

use pg_test::data::{DIMENSIONS, documents};
use pg_test::{
    Cluster, TestDb, copy_vectors, counts_at_once, hint, index_problems, message, signal, sqlstate,
    wait_until,
};
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
    if !counts_at_once(&mut db) {
        return;
    }
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
        signal("KILL", own.try_into().unwrap()).unwrap();
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

/// What an index may be on, and made with: an expression of the column `v`, and what
/// `vector_index_memory` is asked.
const KINDS: [(&str, &str, &str, &str); 10] = [
    ("v", "vector_l2_ops", "auto", "384"),
    ("v", "vector_cosine_ops", "none", "384"),
    ("v", "vector_ip_ops", "sq8", "384"),
    ("v", "vector_l2_ops", "rabitq", "384"),
    ("v", "vector_l1_ops", "auto", "384"),
    ("v::halfvec(384)", "halfvec_cosine_ops", "auto", "384"),
    ("v::bf16vec(384)", "bf16vec_l2_ops", "none", "384"),
    ("bytes(v)::i8vec(384)", "i8vec_ip_ops", "auto", "384"),
    ("binary_quantize(v)::bit(384)", "bit_hamming_ops", "auto", "384"),
    ("sparse(v)::sparsevec(384)", "sparsevec_cosine_ops", "auto", "384, nonzero => 48"),
];

#[test]
fn sizes_are_estimated_before_the_build() {
    let mut db = TestDb::new();
    if !counts_at_once(&mut db) {
        return;
    }
    table(&mut db);
    db.batch_execute(
        "DELETE FROM t WHERE id >= 1500; \
         CREATE FUNCTION bytes(v vector) RETURNS i8vec LANGUAGE sql IMMUTABLE \
             SET search_path = public AS $$ \
             SELECT array_agg(least(round(250 * x), 127)::int ORDER BY i)::i8vec \
             FROM unnest(v::real[]) WITH ORDINALITY u(x, i) $$; \
         CREATE FUNCTION sparse(v vector) RETURNS sparsevec LANGUAGE sql IMMUTABLE \
             SET search_path = public AS $$ \
             SELECT (subvector(v, 1, 48) || array_fill(0, ARRAY[336])::vector)::sparsevec $$",
    )
    .unwrap();
    for (key, class, quantization, dims) in KINDS {
        let create = format!(
            "CREATE INDEX i ON t USING hnsw (({key}) {class}) WITH (quantization = {quantization})"
        );
        db.batch_execute(&create).unwrap();
        let estimate = format!(
            "SELECT index_size::float8 / pg_relation_size('i'), build_memory FROM \
             vector_index_memory(1500, {dims}, opclass => '{class}', \
                                 quantization => '{quantization}')"
        );
        let row = db.query_one(&estimate, &[]).unwrap();
        let ratio: f64 = row.get(0);
        println!("{class}, {quantization}: {ratio} {}", row.get::<_, i64>(1));
        assert!((0.9..1.1).contains(&ratio), "{class}, {quantization}: {ratio}");
        // With so much memory the build needs no file, with a little less it does.
        let needed = row.get::<_, i64>(1) / 1024;
        for (kilobytes, in_file) in [(needed + 1, false), (needed * 9 / 10, true)] {
            let before = temp_bytes(&mut db);
            // The least that can be set.
            let set = format!("SET maintenance_work_mem = {}", kilobytes.max(1024));
            db.batch_execute(&format!("DROP INDEX i; {set}; {create}")).unwrap();
            let in_file = in_file && kilobytes >= 1024;
            assert_eq!(temp_bytes(&mut db) > before, in_file, "{class}: {kilobytes} kB");
        }
        db.batch_execute("DROP INDEX i; RESET maintenance_work_mem").unwrap();
    }
}

#[test]
fn what_no_index_is_made_with_is_refused() {
    let mut db = TestDb::new();
    let wrong = [
        ("-1, 3", "22023"),
        ("9223372036854775807, 3", "22023"),
        ("40000000000, 2000", "22023"),
        ("9223372036854775807, 16000, opclass => 'sparsevec_l2_ops', nonzero => 16000", "22023"),
        ("1, 0", "22023"),
        ("1, 16001", "22023"),
        ("1, 3, 1", "22023"),
        ("1, 3, 101", "22023"),
        ("1, 64001, opclass => 'bit_hamming_ops'", "22023"),
        ("1, 3, opclass => 'bit_l2_ops'", "22023"),
        ("1, 3, opclass => 'vector_ops'", "22023"),
        ("1, 3, quantization => 'pq'", "22023"),
        ("1, 3, nonzero => -1", "22023"),
        ("1, 3, opclass => 'vector_l1_ops', quantization => 'sq8'", "0A000"),
    ];
    for (arguments, code) in wrong {
        let call = format!("SELECT * FROM vector_index_memory({arguments})");
        let error = db.query(&call, &[]).expect_err(arguments);
        assert_eq!(sqlstate(&error), code, "{arguments}");
        // What to give instead, where the number of rows is at fault.
        assert!(!message(&error).contains("rows") || !hint(&error).is_empty(), "{arguments}");
    }
    for arguments in ["0, 1", "9000000000, 384", "1, 64000, opclass => 'bit_jaccard_ops'"] {
        db.query(&format!("SELECT * FROM vector_index_memory({arguments})"), &[]).unwrap();
    }
}
