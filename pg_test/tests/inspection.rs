//! What can be seen of indexes from outside: counters, recall, progress, and by whom.

use std::thread;

use pg_test::{
    Cluster, TestDb, Vector, copy_vectors, explain_analyze, hint, message, random_vector,
    scans_index, sqlstate, wait_until,
};
use postgres::{Client, Error, Row};

const DIMENSIONS: usize = 16;

/// A table `t` of `rows` random rows and an index `i`.
fn table(client: &mut Client, rows: i32) {
    let create = format!("CREATE TABLE t (id int, v vector({DIMENSIONS}))");
    client.batch_execute(&create).unwrap();
    let rows: Vec<Vec<f32>> = (0..rows).map(|id| random_vector(id as u64, DIMENSIONS)).collect();
    copy_vectors(client, "t", 0, rows.iter().map(Vec::as_slice)).unwrap();
    client.batch_execute("CREATE INDEX i ON t USING hnsw (v vector_l2_ops); ANALYZE t").unwrap();
}

fn search(client: &mut Client, limit: i64) -> usize {
    let query = "SELECT id FROM t ORDER BY v <-> $1 LIMIT $2";
    client.query(query, &[&Vector(random_vector(1 << 40, DIMENSIONS)), &limit]).unwrap().len()
}

fn recall(client: &mut Client, arguments: &str) -> Result<Row, Error> {
    client.query_one(&format!("SELECT * FROM vector_index_recall({arguments})"), &[])
}

#[track_caller]
fn refused(result: Result<Row, Error>, code: &str, says: &str) {
    let error = result.expect_err(says);
    assert_eq!((sqlstate(&error), message(&error).as_str()), (code, says));
}

#[test]
fn recall_grows_with_the_width_of_the_search() {
    let mut db = TestDb::new();
    table(&mut db, 3000);
    // A search that goes on where the row itself is left out finds more than its width says.
    db.batch_execute("SET hnsw.iterative_scan = off").unwrap();
    let mut measure = |ef: u32| {
        db.batch_execute(&format!("SET hnsw.ef_search = {ef}")).unwrap();
        let row = recall(&mut db, "'i', 10, 500").unwrap();
        assert_eq!(row.get::<_, i64>("queries"), 500);
        (row.get::<_, f64>("recall"), row.get::<_, f64>("pages"))
    };
    let [(low, cheap), (high, dear)] = [10, 400].map(&mut measure);
    assert!(low < 0.999 && high > 0.999, "{low} {high}");
    assert!(cheap > 10.0 && dear > 2.0 * cheap, "{cheap} {dear}");
    // The settings it changes for itself are as before.
    let settings: Vec<String> = ["enable_seqscan", "enable_sort", "enable_indexscan"]
        .map(|name| db.query_one(&format!("SHOW {name}"), &[]).unwrap().get(0))
        .into();
    assert_eq!(settings, ["on", "on", "on"]);
}

#[test]
fn recall_of_what_cannot_be_measured() {
    let mut db = TestDb::new();
    table(&mut db, 0);
    let row = recall(&mut db, "'i'").unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, Option<f64>>(1)), (0, None));
    refused(recall(&mut db, "'i', 0"), "22023", "k and sample must be at least 1");
    refused(recall(&mut db, "'t'"), "42809", "public.t is not a vector index");
    db.batch_execute(
        "INSERT INTO t SELECT i, array_fill(i, ARRAY[16])::vector FROM generate_series(1, 5) AS i",
    )
    .unwrap();
    // Fewer rows than asked for: all that there are.
    let row = recall(&mut db, "'i'").unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, Option<f64>>(1)), (5, Some(1.0)));
    db.batch_execute("CREATE INDEX j ON t USING hnsw (v vector_l2_ops) WITH (m = 4)").unwrap();
    // Which of them the planner takes does not matter, nor does one of another type.
    db.batch_execute("CREATE INDEX h ON t USING hnsw ((v::halfvec(16)) halfvec_l2_ops)").unwrap();
    db.batch_execute("CREATE INDEX l ON t USING ivf (v vector_l2_ops) WITH (lists = 1)").unwrap();
    for index in ["'i'", "'j'", "'h'", "'l'", "'i'"] {
        let row = recall(&mut db, index).unwrap();
        assert_eq!((row.get::<_, i64>(0), row.get::<_, Option<f64>>(1)), (5, Some(1.0)), "{index}");
        let measured = "SELECT index::oid = $1::text::regclass FROM vector_scan_stats()";
        let last = db.query_one(measured, &[&index.trim_matches('\'')]).unwrap();
        assert!(last.get::<_, bool>(0), "{index}");
    }
    // A build that fails leaves it behind.
    let mut invalid = |statement: &str| db.batch_execute(statement);
    invalid("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'j'::regclass").unwrap();
    let says = "a search does not use index public.j";
    refused(recall(&mut db, "'j'"), "55000", says);
}

/// The refusal to look into an index: SQLSTATE, message, hint.
fn refusal(client: &mut Client, function: &str, index: &str) -> (String, String, String) {
    let result = client.query(&format!("SELECT {function}({index})"), &[]);
    let error = result.expect_err(index);
    (sqlstate(&error).into(), message(&error), hint(&error).into())
}

#[test]
fn inspection_of_what_is_no_index() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE p (id int, v vector(3)) PARTITION BY LIST (id);
        CREATE TABLE \"P 1\" PARTITION OF p DEFAULT;
        CREATE INDEX \"it's\" ON p USING hnsw (v vector_l2_ops);
        CREATE INDEX b ON p (id); CREATE INDEX ON p USING ivf (v vector_l2_ops);
        CREATE VIEW w AS SELECT 1; CREATE SEQUENCE q",
    )
    .unwrap();
    for function in ["vector_index_info", "vector_index_check", "vector_index_recall"] {
        for unknown in ["0", "987654321"] {
            let (state, says, _) = refusal(&mut db, function, unknown);
            let expected = format!("there is no relation with OID {unknown}");
            assert_eq!((state, says), ("22023".into(), expected), "{function}");
        }
        for other in ["p", "b", "w", "q", "pg_class"] {
            let (state, says, hint) = refusal(&mut db, function, &format!("'{other}'"));
            assert_eq!(state, "42809", "{function} {says}");
            assert!(says.ends_with("is not a vector index"), "{says}");
            assert!(!hint.is_empty());
        }
        for partitioned in ["\"it''s\"", "p_v_idx"] {
            let (state, says, hint) = refusal(&mut db, function, &format!("'{partitioned}'"));
            assert_eq!(state, "42809", "{function} {says}");
            assert!(says.ends_with("is partitioned"), "{says}");
            // The hint runs, and names what can be looked into.
            let (_, query) = hint.split_once(": ").unwrap();
            let rows = db.query(query.trim_end_matches('.'), &[]).unwrap();
            assert_eq!(rows.len(), 1);
            let leaf =
                format!("SELECT {function}(relid) FROM ({}) AS l", query.trim_end_matches('.'));
            db.query(&leaf, &[]).unwrap();
        }
    }
}

#[test]
fn recall_of_an_expression_and_of_some_rows() {
    let mut db = TestDb::new();
    db.batch_execute(
        r#"CREATE SCHEMA "My Schema";
        CREATE TABLE "My Schema"."T" (id int, "V" vector);
        INSERT INTO "My Schema"."T" SELECT i, ARRAY[i, i % 7, i % 5]::vector FROM generate_series(1, 600) AS i;
        INSERT INTO "My Schema"."T" VALUES (0, '[1]'), (700, NULL);
        CREATE INDEX "I" ON "My Schema"."T" USING hnsw (("V"::vector(3)) vector_cosine_ops)
            WHERE id BETWEEN 1 AND 500"#,
    )
    .unwrap();
    let row = recall(&mut db, r#"'"My Schema"."I"', sample => 1000"#).unwrap();
    assert_eq!(row.get::<_, i64>("queries"), 500);
    assert!(row.get::<_, f64>("recall") > 0.9, "{row:?}");
}

/// PostgreSQL lets an extension add to a plan from 18 on.
#[test]
fn a_plan_shows_what_the_search_did() {
    let mut db = TestDb::new();
    table(&mut db, 500);
    db.batch_execute("SET enable_seqscan = off").unwrap();
    let query = "SELECT id FROM t ORDER BY v <-> (SELECT v FROM t WHERE id = 5) LIMIT 10";
    let plan = explain_analyze(&mut db, query).unwrap();
    assert!(scans_index(&plan, "i"), "{plan}");
    let figure = |label: &str| -> Option<u64> {
        let (_, rest) = plan.split_once(&format!("{label}: "))?;
        Some(rest.lines().next()?.parse().unwrap())
    };
    let labels = ["Nodes Expanded", "Codes Scored", "Exact Distances"];
    assert_eq!((figure("Search Width"), figure("Rows Found Late")), (Some(40), Some(0)), "{plan}");
    assert!(labels.iter().all(|label| figure(label).unwrap() >= 40), "{plan}");
}

/// Every byte of an index is of some kind.
#[test]
fn bytes_of_an_index_add_up() {
    let mut db = TestDb::new();
    table(&mut db, 800);
    db.batch_execute("INSERT INTO t SELECT -1, v FROM t, generate_series(1, 200) WHERE id = 7; DELETE FROM t WHERE id % 4 = 1")
        .unwrap();
    db.batch_execute("VACUUM t").unwrap();
    let mut bytes = |property: &str| {
        let query = "SELECT value FROM vector_index_info('i') WHERE property = $1";
        db.query_one(query, &[&property]).unwrap().get::<_, &str>(0).parse::<i64>().unwrap()
    };
    let kinds = ["elements", "upper levels", "overflow records", "dying elements", "free records"];
    let kinds: i64 = kinds.map(|kind| bytes(&format!("bytes of {kind}"))).iter().sum();
    let (all, page) = (bytes("bytes"), 8192);
    assert_eq!(all, bytes("pages") * page);
    // The metapage, and of each page PostgreSQL's part and what is too short for a record.
    let unused = bytes("pages") * (page - bytes("records per page") * bytes("bytes per record"));
    assert_eq!(kinds + unused + page - (unused / bytes("pages")), all);
    assert!(bytes("bytes of overflow records") > 0 && bytes("bytes of free records") > 0);
}

/// Who may not read the table learns nothing.
#[test]
fn inspection_needs_the_right_to_read() {
    let mut db = TestDb::new();
    table(&mut db, 500);
    db.batch_execute(
        "CREATE INDEX lists ON t USING ivf (v vector_cosine_ops);
        CREATE ROLE reader; CREATE ROLE outsider; CREATE ROLE watcher;
        GRANT pg_stat_scan_tables TO watcher;
        GRANT SELECT ON t TO reader",
    )
    .unwrap();
    let functions = ["vector_index_info", "vector_index_check", "vector_index_recall"];
    let mut ask = |role: &str, function: &str, index: &str| {
        db.batch_execute(&format!("SET ROLE {role}")).unwrap();
        let rows = db.query(&format!("SELECT {function}('{index}')"), &[]);
        db.batch_execute("RESET ROLE").unwrap();
        rows.map(drop)
    };
    for (function, index) in functions.iter().flat_map(|f| [(f, "i"), (f, "lists")]) {
        let error = ask("outsider", function, index).expect_err(function);
        assert_eq!(
            (sqlstate(&error), message(&error).as_str()),
            ("42501", "permission denied for table t")
        );
        ask("reader", function, index).unwrap();
        assert_eq!(ask("watcher", function, index).is_ok(), *function != "vector_index_recall");
    }
    db.batch_execute(
        "DROP OWNED BY reader, outsider, watcher; DROP ROLE reader, outsider, watcher",
    )
    .unwrap();
}

/// One row of `pg_stat_vector_indexes`; PostgreSQL writes its own counters when it is idle.
fn counters(client: &mut Client, index: &str) -> Row {
    let query = "SELECT * FROM pg_stat_vector_indexes WHERE indexrelname = $1";
    client.query_one(query, &[&index]).unwrap()
}

#[test]
fn scans_are_counted_without_preloading() {
    let mut db = TestDb::new();
    table(&mut db, 500);
    let mut other = db.connect();
    other.batch_execute("SET enable_seqscan = off").unwrap();
    assert_eq!(search(&mut other, 10), 10);
    drop(other);
    let mut client = db.connect();
    wait_until("the scan to be counted", || {
        Ok(counters(&mut client, "i").get::<_, i64>("scans") == 1)
    })
    .unwrap();
    let row = counters(&mut client, "i");
    assert_eq!((row.get::<_, &str>("relname"), row.get::<_, &str>("method")), ("t", "hnsw"));
    assert!(row.get::<_, i64>("bytes") > 500 * 100);
    assert!(row.get::<_, i64>("blocks_hit") > 10);
    assert_eq!(row.get::<_, Option<i64>>("expanded"), None);
}

#[test]
fn counters_of_all_sessions_add_up() {
    let preload = [("shared_preload_libraries", "vector_ext")];
    let cluster = Cluster::new("hnsw-counters", &preload).unwrap();
    let mut client = cluster.connect().unwrap();
    client.batch_execute("CREATE EXTENSION vector_ext").unwrap();
    table(&mut client, 500);
    client.batch_execute("CREATE INDEX unused ON t USING hnsw (v vector_cosine_ops)").unwrap();
    thread::scope(|scope| {
        for session in 0..4 {
            let mut client = cluster.connect().unwrap();
            scope.spawn(move || {
                client.batch_execute("SET enable_seqscan = off").unwrap();
                for id in 0..25 {
                    assert_eq!(search(&mut client, 10), 10);
                    let vector = Vector(random_vector(1000 + session * 25 + id, DIMENSIONS));
                    client.execute("INSERT INTO t VALUES (-1, $1)", &[&vector]).unwrap();
                }
                // What an error ends is counted too.
                let failing = "SELECT 1 / (id - id) FROM t ORDER BY v <-> $1 LIMIT 1";
                let query = Vector(random_vector(1, DIMENSIONS));
                assert_eq!(sqlstate(&client.query(failing, &[&query]).unwrap_err()), "22012");
            });
        }
    });
    client.batch_execute("DELETE FROM t WHERE id = -1").unwrap();
    client.batch_execute("VACUUM t").unwrap();
    let row = counters(&mut client, "i");
    let count = |name: &str| row.get::<_, i64>(name);
    // The executor may look one row ahead.
    assert!((4 * (25 * 10 + 1)..4 * 26 * 11).contains(&count("tuples")), "{row:?}");
    assert_eq!((count("inserts"), count("vacuums"), count("removed")), (100, 1, 100));
    assert!(count("expanded") > 104 * 10 && count("scored") > count("expanded"), "{row:?}");
    assert!(count("pages") > count("expanded") && row.get::<_, f64>("time_ms") > 0.0, "{row:?}");
    let unused = counters(&mut client, "unused");
    assert_eq!((unused.get::<_, i64>("expanded"), unused.get::<_, i64>("inserts")), (0, 100));

    // A server that begins anew after the crash of a backend has its memory elsewhere.
    let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0);
    pg_test::signal("KILL", pid as u32).unwrap();
    let mut client = wait_for_restart(&cluster);
    assert_eq!(counters(&mut client, "i").get::<_, Option<i64>>("inserts"), None);
    client.batch_execute("SET enable_seqscan = off").unwrap();
    assert_eq!(search(&mut client, 10), 10);
    assert!((10..=11).contains(&counters(&mut client, "i").get::<_, i64>("tuples")));
}

/// A connection to the server as it is after the recovery that it is about to begin.
fn wait_for_restart(cluster: &Cluster) -> Client {
    let mut client = None;
    wait_until("the server to begin anew", || {
        let recovered = cluster.log().contains("all server processes terminated; reinitializing");
        client = cluster.connect().ok().filter(|_| recovered);
        Ok(client.is_some())
    })
    .unwrap();
    client.unwrap()
}

/// A build that waits in the middle of the table, for as long as a lock is held.
#[test]
fn progress_tells_how_many_rows_there_are() {
    let mut db = TestDb::new();
    table(&mut db, 2500);
    db.batch_execute(
        "DROP INDEX i;
        CREATE FUNCTION held(v vector, id int) RETURNS vector LANGUAGE plpgsql IMMUTABLE AS $$
        BEGIN
            IF id = 2000 THEN PERFORM pg_advisory_lock(1); END IF;
            RETURN v;
        END $$",
    )
    .unwrap();
    let mut watcher = db.connect();
    watcher.batch_execute("SELECT pg_advisory_lock(1)").unwrap();
    thread::scope(|scope| {
        let build = format!(
            "CREATE INDEX i ON t USING hnsw ((held(v, id)::vector({DIMENSIONS})) vector_l2_ops)"
        );
        let build = scope.spawn(move || db.batch_execute(&build));
        let progress = "SELECT tuples_done, tuples_total FROM pg_stat_progress_create_index
            WHERE phase = 'building index: loading tuples'";
        let mut seen = None;
        let waited = wait_until("the build to be held", || {
            seen = watcher.query_opt(progress, &[])?.map(|row| (row.get(0), row.get(1)));
            Ok(seen == Some((2000_i64, 2500_i64)))
        });
        watcher.batch_execute("SELECT pg_advisory_unlock(1)").unwrap();
        build.join().unwrap().unwrap();
        waited.unwrap_or_else(|error| panic!("{error}: {seen:?}"));
    });
}

#[test]
fn pages_found_where_they_were_seen_are_counted() {
    let mut db = TestDb::new();
    table(&mut db, 3000);
    db.batch_execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off").unwrap();
    let search = db.prepare("SELECT id FROM t ORDER BY v <-> $1 LIMIT 10").unwrap();
    let counted = "SELECT pg_stat_get_xact_blocks_fetched('i'::regclass),
                          pg_stat_get_xact_blocks_hit('i'::regclass)";
    let mut searches = |from: u64| {
        let mut transaction = db.transaction().unwrap();
        let mut query = |seed| {
            let query = Vector(random_vector(seed, DIMENSIONS));
            transaction.query(&search, &[&query]).unwrap();
            let row = transaction.query_one("SELECT pages FROM vector_scan_stats()", &[]).unwrap();
            let counts = transaction.query_one(counted, &[]).unwrap();
            [row.get::<_, i64>(0), counts.get(0), counts.get(1)]
        };
        let first = query(from);
        let (mut pages, mut last) = (0, first);
        for seed in from + 1..from + 100 {
            last = query(seed);
            pages += last[0];
        }
        (pages, last[1] - first[1], last[2] - first[2])
    };
    searches(0);
    let (pages, fetched, hit) = searches(1000);
    assert!(pages > 1000, "{pages}");
    assert_eq!((fetched, hit), (pages, pages));
}
