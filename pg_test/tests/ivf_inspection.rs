//! What can be seen of indexes of inverted lists from outside, as of those of hnsw (`inspection.rs`).

use std::thread;

use pg_test::{
    Cluster, TestDb, Vector, copy_vectors, explain_analyze, random_vector, scans_index, sqlstate,
};
use postgres::{Client, Row};

const DIMENSIONS: usize = 16;
const LISTS: i64 = 20;
/// Rows of each table.
const ROWS: i64 = 2_000;
/// Both access methods; `ivf` has codes.
const METHODS: [&str; 2] = ["ivf", "ivfflat"];

/// A table `t` of random rows and an index `i`, of which a scan searches `probes` lists.
fn table(client: &mut Client, method: &str) {
    client.batch_execute(&format!("CREATE TABLE t (id int, v vector({DIMENSIONS}))")).unwrap();
    let rows: Vec<Vec<f32>> = (0..ROWS).map(|id| random_vector(id as u64, DIMENSIONS)).collect();
    copy_vectors(client, "t", 0, rows.iter().map(Vec::as_slice)).unwrap();
    let create = format!("CREATE INDEX i ON t USING {method} (v vector_l2_ops)");
    client.batch_execute(&format!("{create} WITH (lists = {LISTS}); ANALYZE t")).unwrap();
    client.batch_execute("SET ivf.iterative_scan = off; SET enable_seqscan = off").unwrap();
}

fn probe(client: &mut Client, method: &str, probes: i64) {
    client.batch_execute(&format!("SET {method}.probes = {probes}")).unwrap();
}

fn search(client: &mut Client, limit: i64) -> usize {
    let query = "SELECT id FROM t ORDER BY v <-> $1 LIMIT $2";
    client.query(query, &[&Vector(random_vector(1 << 40, DIMENSIONS)), &limit]).unwrap().len()
}

/// Figures of the last search.
fn figures<const N: usize>(client: &mut Client, names: [&str; N]) -> [Option<i64>; N] {
    let row = client.query_one("SELECT * FROM vector_scan_stats()", &[]).unwrap();
    names.map(|name| row.get(name))
}

#[test]
fn a_search_tells_of_its_lists() {
    for method in METHODS {
        let mut db = TestDb::new();
        table(&mut db, method);
        let mut last = 0;
        for probes in [1, 5, LISTS, 2 * LISTS] {
            probe(&mut db, method, probes);
            assert_eq!(search(&mut db, 10), 10);
            let lists = figures(&mut db, ["lists", "probes", "probed"]);
            assert_eq!(lists, [LISTS, probes, probes.min(LISTS)].map(Some), "{method}");
            let [scored, exact, pages] = figures(&mut db, ["scored", "exact", "pages"])
                .map(|figure| figure.expect("a number"));
            // Entries of the lists; without codes all their vectors are read.
            let entries = if method == "ivf" { scored } else { exact };
            assert!(entries > last || probes > LISTS, "{method}: {entries} after {last}");
            last = entries;
            if method == "ivf" {
                assert!((10..=scored).contains(&exact), "{exact} of {scored}");
            } else {
                assert_eq!(scored, 0);
            }
            assert!(pages > probes.min(LISTS), "{method}: {pages} of {probes} lists");
            // Where the next may be as near, the scan looks one row ahead.
            let [tuples, late] = figures(&mut db, ["tuples", "late"]);
            assert!((Some(10)..=Some(11)).contains(&tuples), "{method}: {tuples:?}");
            assert_eq!(late, Some(0), "{method}");
            assert_eq!(figures(&mut db, ["ef", "beam", "expanded"]), [None; 3]);
        }
        assert_eq!(last, ROWS, "{method}: all lists have all rows");
    }
}

#[test]
fn a_search_that_goes_on_tells_of_all_its_lists() {
    for (method, iterative) in
        [("ivf", "strict_order"), ("ivf", "relaxed_order"), ("ivfflat", "relaxed_order")]
    {
        let mut db = TestDb::new();
        table(&mut db, method);
        probe(&mut db, method, 2);
        db.batch_execute(&format!("SET {method}.iterative_scan = {iterative}")).unwrap();
        let found = search(&mut db, ROWS) as i64;
        let lists = figures(&mut db, ["lists", "probes", "probed"]);
        assert_eq!(lists, [LISTS, 2, LISTS].map(Some), "{method} {iterative}");
        let [tuples] = figures(&mut db, ["tuples"]).map(Option::unwrap);
        assert_eq!((tuples, found), (ROWS, ROWS), "{method} {iterative}");
    }
}

#[test]
fn figures_of_lists_are_not_those_of_a_graph() {
    let mut db = TestDb::new();
    table(&mut db, "ivf");
    db.batch_execute("DROP INDEX i; CREATE INDEX i ON t USING hnsw (v vector_l2_ops)").unwrap();
    search(&mut db, 10);
    assert_eq!(figures(&mut db, ["lists", "probes", "probed"]), [None; 3]);
    assert_eq!(figures(&mut db, ["ef"]), [Some(40)]);
    let row = recall(&mut db);
    assert_eq!(row.get::<_, Option<f64>>("probed"), None);
    assert!(row.get::<_, f64>("expanded") > 10.0);
}

fn recall(client: &mut Client) -> Row {
    client.query_one("SELECT * FROM vector_index_recall('i', 10, 100)", &[]).unwrap()
}

#[test]
fn recall_grows_with_the_lists_searched() {
    for method in METHODS {
        let mut db = TestDb::new();
        table(&mut db, method);
        let [few, some, all] = [1, 5, LISTS].map(|probes| {
            probe(&mut db, method, probes);
            let row = recall(&mut db);
            assert_eq!(row.get::<_, i64>("queries"), 100);
            assert_eq!(row.get::<_, f64>("probed"), probes as f64, "{method}");
            assert_eq!(row.get::<_, Option<f64>>("expanded"), None);
            assert!(row.get::<_, f64>("pages") > probes as f64, "{method}: {row:?}");
            row.get::<_, f64>("recall")
        });
        println!("{method}: recall {few}, {some}, {all}");
        assert!(few > 0.05 && few < 0.8, "{method}: {few}");
        assert!(some > few && some < 0.98, "{method}: {few} {some}");
        assert!(all > 0.95 && (method == "ivf" || all == 1.0), "{method}: {all}");
    }
}

#[test]
fn a_plan_tells_of_lists() {
    let mut db = TestDb::new();
    table(&mut db, "ivf");
    probe(&mut db, "ivf", 3);
    let query = "SELECT id FROM t ORDER BY v <-> (SELECT v FROM t WHERE id = 5) LIMIT 10";
    let plan = explain_analyze(&mut db, query).unwrap();
    assert!(scans_index(&plan, "i"), "{plan}");
    let figure = |label: &str| -> Option<u64> {
        let (_, rest) = plan.split_once(&format!(" {label}: "))?;
        Some(rest.lines().next()?.parse().unwrap())
    };
    let lists = ["Lists", "Probes", "Lists Searched", "Rows Found Late"].map(figure);
    let (scored, exact) = (figure("Codes Scored"), figure("Exact Distances"));
    assert_eq!(lists, [LISTS as u64, 3, 3, 0].map(Some), "{plan}");
    assert!(exact >= Some(10) && scored > exact, "{plan}");
}

/// One row of `pg_stat_vector_indexes`.
fn counters(client: &mut Client, index: &str) -> Row {
    let query = "SELECT * FROM pg_stat_vector_indexes WHERE indexrelname = $1";
    client.query_one(query, &[&index]).unwrap()
}

#[test]
fn counters_of_all_sessions_add_up() {
    let preload = [("shared_preload_libraries", "vector_ext")];
    let cluster = Cluster::new("ivf-counters", &preload).unwrap();
    let mut client = cluster.connect().unwrap();
    client.batch_execute("CREATE EXTENSION vector_ext").unwrap();
    table(&mut client, "ivf");
    client.batch_execute("CREATE INDEX flat ON t USING ivfflat (v vector_cosine_ops)").unwrap();
    thread::scope(|scope| {
        for session in 0..4 {
            let mut client = cluster.connect().unwrap();
            scope.spawn(move || {
                client
                    .batch_execute("SET enable_seqscan = off; SET ivf.iterative_scan = off")
                    .unwrap();
                probe(&mut client, "ivf", 3);
                for id in 0..25 {
                    assert_eq!(search(&mut client, 10), 10);
                    let vector = Vector(random_vector(10_000 + session * 25 + id, DIMENSIONS));
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
    assert_eq!((row.get::<_, &str>("relname"), row.get::<_, &str>("method")), ("t", "ivf"));
    // What fails at its first row may have read fewer lists.
    assert!((4 * (25 * 3 + 1)..=4 * 26 * 3).contains(&count("probed")), "{row:?}");
    assert_eq!(row.get::<_, Option<i64>>("expanded"), None);
    assert!((4 * (25 * 10 + 1)..4 * 26 * 11).contains(&count("tuples")), "{row:?}");
    assert_eq!((count("inserts"), count("vacuums"), count("removed")), (100, 1, 100));
    assert!(count("exact") > count("tuples") && count("scored") > count("exact"), "{row:?}");
    assert!(count("pages") > count("probed") && row.get::<_, f64>("time_ms") > 0.0, "{row:?}");
    assert!(count("bytes") > ROWS * 2 * DIMENSIONS as i64, "{row:?}");
    let flat = counters(&mut client, "flat");
    let count = |name: &str| flat.get::<_, i64>(name);
    assert_eq!(flat.get::<_, &str>("method"), "ivfflat");
    assert_eq!((count("probed"), count("exact"), count("inserts")), (0, 0, 100));
    assert_eq!((count("vacuums"), count("removed")), (1, 100));
}
