//! Indexes built as on a GPU, by the CPU, and what is told where a GPU is asked for and there is none.

use std::sync::{Arc, Mutex};
use std::thread;

use pg_test::data::{DIMENSIONS, documents, queries};
use pg_test::{
    KINDS, Search, TestDb, Vector, copy_vectors, index_problems, refusal, sqlstate, wait_until,
};
use postgres::{Client, NoTls};

const EMULATE: &str = "SET vector_ext.gpu_build = 'emulate'; SET maintenance_work_mem = '256MB'";

/// A table `t` of the first `rows` sentences.
fn table(client: &mut Client, rows: usize) {
    let create = format!("CREATE TABLE t (id int, v vector({DIMENSIONS}))");
    client.batch_execute(&create).unwrap();
    let sentences = documents().unwrap();
    copy_vectors(client, "t", 0, sentences[..rows].iter().map(|row| &row.embedding[..])).unwrap();
}

/// What the server says of where it builds, with details, in a session where `settings` were made.
fn notices(db: &TestDb, settings: &str, statement: &str) -> Vec<(String, String)> {
    let notices = Arc::new(Mutex::new(Vec::new()));
    let heard = notices.clone();
    let mut config = db.cluster().config();
    let hear = move |notice: postgres::error::DbError| {
        let detail = notice.detail().unwrap_or_default().to_owned();
        if notice.message().starts_with("building") {
            heard.lock().unwrap().push((notice.message().to_owned(), detail));
        }
    };
    let mut client = config.dbname(db.name()).notice_callback(hear).connect(NoTls).unwrap();
    client.batch_execute(settings).unwrap();
    client.batch_execute(statement).unwrap();
    notices.lock().unwrap().clone()
}

/// The ten nearest of each of some sentences.
fn answers(client: &mut Client, settings: &str) -> Vec<Vec<i32>> {
    client.batch_execute(settings).unwrap();
    let search = client.prepare("SELECT id FROM t ORDER BY v <-> $1 LIMIT 10").unwrap();
    let mut answer = |row: &pg_test::data::Sentence| {
        let found = client.query(&search, &[&Vector(row.embedding.clone())]).unwrap();
        found.iter().map(|row| row.get(0)).collect()
    };
    queries().unwrap().iter().map(&mut answer).collect()
}

fn exact_answers(client: &mut Client) -> Vec<Vec<i32>> {
    answers(client, "SET enable_indexscan = off; SET enable_seqscan = on")
}

/// Share of the exact answers that an index gives under a setting.
fn recall(client: &mut Client, exact: &[Vec<i32>], setting: &str) -> f64 {
    let settings = format!("RESET enable_indexscan; SET enable_seqscan = off; {setting}");
    let found = answers(client, &settings);
    let hits = |(found, exact): (&Vec<i32>, &Vec<i32>)| {
        found.iter().filter(|id| exact.contains(id)).count()
    };
    found.iter().zip(exact).map(hits).sum::<usize>() as f64 / (10 * exact.len()) as f64
}

#[test]
fn searches_find_as_much_as_after_an_ordinary_build() {
    let mut db = TestDb::new();
    table(&mut db, 6_000);
    let exact = exact_answers(&mut db);
    db.batch_execute("SET maintenance_work_mem = '256MB'").unwrap();
    for with in ["", "WITH (quantization = rabitq)", "WITH (m = 8, ef_construction = 32)"] {
        let mut recalls = Vec::new();
        for build in ["off", "emulate"] {
            let create = format!(
                "SET vector_ext.gpu_build = {build}; DROP INDEX IF EXISTS i;
                 CREATE INDEX i ON t USING hnsw (v vector_l2_ops) {with}"
            );
            db.batch_execute(&create).unwrap();
            assert_eq!(index_problems(&mut db, "i").unwrap(), [""; 0]);
            let at = |ef| format!("SET hnsw.ef_search = {ef}");
            recalls.push([10, 40, 160].map(|ef| recall(&mut db, &exact, &at(ef))));
        }
        // Threads that build as usual do not build the same graph twice, and its recall varies with that.
        for (usual, emulated) in recalls[0].iter().zip(recalls[1]) {
            assert!(emulated >= usual - 0.01, "{with}: {recalls:?}");
        }
    }
}

#[test]
fn indexes_on_all_types_hold_every_row() {
    let mut db = TestDb::new();
    db.batch_execute(EMULATE).unwrap();
    for kind in KINDS {
        for rows in [0, 1, 2, 700] {
            kind.create_table(&mut db, "");
            kind.insert(&mut db, 0..rows);
            for (class, operator) in kind.classes {
                kind.create_index(&mut db, class, "");
                kind.check_whole(&mut db, operator);
            }
        }
    }
}

#[test]
fn rows_are_inserted_and_vacuumed_after_an_emulated_build() {
    let mut db = TestDb::new();
    db.batch_execute(EMULATE).unwrap();
    let kind = KINDS[0];
    let (class, operator) = kind.classes[0];
    for options in ["", "quantization = sq8"] {
        kind.create_table(&mut db, "");
        kind.insert(&mut db, 0..1_500);
        kind.create_index(&mut db, class, options);
        kind.insert(&mut db, 1_500..2_000);
        db.batch_execute("DELETE FROM t WHERE id % 3 = 0").unwrap();
        db.batch_execute("VACUUM t").unwrap();
        kind.check_whole(&mut db, operator);
        db.batch_execute("REINDEX INDEX i; INSERT INTO t SELECT id, v FROM t LIMIT 100").unwrap();
        kind.check_whole(&mut db, operator);
        db.batch_execute("SET hnsw.ef_search = 200").unwrap();
        let recall = kind.recall(&mut db, &Search { operator, condition: "true", limit: 10 });
        assert!(recall >= 0.95, "{options}: {recall}");
        db.batch_execute("RESET hnsw.ef_search").unwrap();
    }
}

#[test]
fn an_emulated_build_is_cancelled() {
    let mut db = TestDb::new();
    table(&mut db, 12_000);
    db.batch_execute(EMULATE).unwrap();
    let pid: i32 = db.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0);
    let mut watcher = db.connect();
    for create in [
        "CREATE INDEX i ON t USING hnsw (v vector_l2_ops)",
        "CREATE INDEX i ON t USING ivf (v vector_l2_ops) WITH (lists = 500)",
    ] {
        thread::scope(|scope| {
            let watcher = &mut watcher;
            scope.spawn(move || {
                let running = "SELECT phase NOT LIKE '%loading%' FROM pg_stat_progress_create_index
                               WHERE pid = $1 AND phase LIKE 'building index: %'";
                let progress = || {
                    let row = watcher.query_opt(running, &[&pid])?;
                    Ok(row.is_some_and(|row| row.get(0)))
                };
                wait_until("the build to get there", progress).unwrap();
                watcher.execute("SELECT pg_cancel_backend($1)", &[&pid]).unwrap();
            });
            let error = db.batch_execute(create).expect_err("a cancelled build");
            assert_eq!(sqlstate(&error), "57014");
        });
        let left = "SELECT count(*) FROM pg_class WHERE relname = 'i'";
        assert_eq!(db.query_one(left, &[]).unwrap().get::<_, i64>(0), 0);
    }
    db.batch_execute("CREATE INDEX i ON t USING hnsw (v vector_l2_ops)").unwrap();
    assert_eq!(index_problems(&mut db, "i").unwrap(), [""; 0]);
}

#[test]
fn lists_are_trained_and_assigned() {
    let mut db = TestDb::new();
    table(&mut db, 6_000);
    let exact = exact_answers(&mut db);
    db.batch_execute("SET maintenance_work_mem = '256MB'").unwrap();
    for class in ["vector_l2_ops", "vector_cosine_ops"] {
        let mut recalls = Vec::new();
        for build in ["off", "emulate"] {
            let create = format!(
                "SET vector_ext.gpu_build = {build}; DROP INDEX IF EXISTS i;
                 CREATE INDEX i ON t USING ivf (v {class}) WITH (lists = 100)"
            );
            db.batch_execute(&create).unwrap();
            assert_eq!(index_problems(&mut db, "i").unwrap(), [""; 0]);
            if class == "vector_l2_ops" {
                let at = |n| format!("SET ivf.probes = {n}");
                recalls.push([1, 4, 16].map(|n| recall(&mut db, &exact, &at(n))));
            }
        }
        if let [usual, emulated] = recalls[..] {
            let less = usual.iter().zip(emulated).map(|(usual, found)| usual - found);
            assert!(less.fold(0.0, f64::max) <= 0.02, "{usual:?} {emulated:?}");
        }
    }
    db.batch_execute("DELETE FROM t WHERE id % 2 = 0").unwrap();
    db.batch_execute("VACUUM t").unwrap();
    db.batch_execute("REINDEX INDEX i").unwrap();
    assert_eq!(index_problems(&mut db, "i").unwrap(), [""; 0]);
}

#[test]
fn builds_tell_where_they_run() {
    let mut db = TestDb::new();
    table(&mut db, 1_500);
    let create = "DROP INDEX IF EXISTS i; CREATE INDEX i ON t USING hnsw (v vector_l2_ops)";
    let none =
        notices(&db, "SET vector_ext.gpu_build = auto; SET vector_ext.gpu_min_rows = 0", create);
    assert_eq!(none, []);
    assert_eq!(notices(&db, "SET vector_ext.gpu_build = off", create), []);
    let says = notices(&db, EMULATE, create);
    let expected =
        format!("building index public.i on CPU: 1500 vectors of {DIMENSIONS} dimensions");
    assert_eq!(says, [(expected, String::new())]);
    let small = "SET vector_ext.gpu_build = emulate; SET maintenance_work_mem = '1MB'";
    let says = notices(&db, small, create);
    assert_eq!(says.len(), 1, "{says:?}");
    assert_eq!(says[0].0, "building index public.i without a GPU");
    assert!(says[0].1.ends_with(" MB of maintenance_work_mem."), "{says:?}");
    // What no device compares is silent.
    let other = "DROP INDEX IF EXISTS i; CREATE INDEX i ON t USING hnsw (v vector_l1_ops)";
    assert_eq!(notices(&db, EMULATE, other), []);
}

#[test]
fn a_gpu_that_is_asked_for_and_missing_is_an_error() {
    let mut db = TestDb::new();
    table(&mut db, 10);
    db.batch_execute("SET vector_ext.gpu_build = on").unwrap();
    for method in ["hnsw", "ivf"] {
        let create = format!("CREATE INDEX i ON t USING {method} (v vector_l2_ops)");
        let (code, message, _) = refusal(&mut db, &create);
        assert_eq!(code, "0A000", "{message}");
        assert_eq!(message, "could not build index public.i on a GPU");
    }
    let error = db.batch_execute("CREATE INDEX i ON t USING hnsw (v vector_l2_ops)");
    let error = error.expect_err("no GPU");
    let error = error.as_db_error().unwrap();
    assert_eq!(error.hint(), Some("Set vector_ext.gpu_build to \"auto\" or \"off\"."));
    assert!(error.detail().is_some_and(|detail| detail.ends_with('.')));
    let (code, message, detail) =
        refusal(&mut db, "CREATE INDEX i ON t USING hnsw (v vector_l1_ops)");
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("0A000", "could not build index public.i on a GPU")
    );
    assert!(!detail.is_empty());
    // Nothing to compare.
    db.batch_execute("TRUNCATE t; CREATE INDEX ON t USING hnsw (v vector_l2_ops)").unwrap();
}

#[test]
fn only_superusers_choose_the_gpu_and_its_memory() {
    let mut db = TestDb::new();
    let role = format!("{}_user", db.name());
    db.batch_execute(&format!("CREATE ROLE {role}; SET ROLE {role}")).unwrap();
    for setting in ["gpu_device", "gpu_memory_limit"] {
        let (code, ..) = refusal(&mut db, &format!("SET vector_ext.{setting} = 1"));
        assert_eq!(code, "42501", "{setting}");
    }
    db.batch_execute("SET vector_ext.gpu_build = off; SET vector_ext.gpu_min_rows = 1").unwrap();
    db.batch_execute(&format!("RESET ROLE; DROP ROLE {role}")).unwrap();
}
