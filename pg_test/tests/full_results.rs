//! A query gets all the rows that it asks for, in order, as long as the index has them.

use pg_test::{Class, KINDS, Kind, TestDb, explain_plan, scans_index, text};
use postgres::Client;

const ROWS: i32 = 320;

/// Settings that search little: what is found at first is a small part of all.
const NARROW: &str = "SET hnsw.ef_search = 10; SET ivf.probes = 1;
    SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off";

/// Table `t (id, v)` with an index `i`.
fn table(db: &mut Client, kind: &Kind, method: &str, class: &str) {
    kind.create_table(db, "");
    kind.insert(db, 0..ROWS);
    let with = if method == "hnsw" { "" } else { "WITH (lists = 16)" };
    db.batch_execute(&format!("CREATE INDEX i ON t USING {method} (v {class}) {with}")).unwrap();
    db.batch_execute("VACUUM ANALYZE t").unwrap();
    db.batch_execute(NARROW).unwrap();
}

/// Calls `check` for every type and class that there are indexes on, with the name of the method.
fn each(mut check: impl FnMut(&mut Client, &Kind, &str, Class)) {
    let mut db = TestDb::new();
    for kind in KINDS {
        for &(class, operator) in kind.classes {
            table(&mut db, &kind, "hnsw", class);
            check(&mut db, &kind, "hnsw", (class, operator));
            let dense = ["vector", "halfvec", "bf16vec"].contains(&kind.name);
            if dense && operator != "<+>" {
                table(&mut db, &kind, "ivf", class);
                check(&mut db, &kind, "ivf", (class, operator));
            }
        }
    }
}

/// Identifiers and distances of a query, through the index.
fn search(db: &mut Client, query: &str) -> Vec<(i32, f64)> {
    let plan = explain_plan(db, query).unwrap();
    assert!(scans_index(&plan, "i"), "{plan}");
    db.query(query, &[]).unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[track_caller]
fn check_order(found: &[(i32, f64)], what: &str) {
    assert!(found.is_sorted_by(|a, b| a.1 <= b.1), "{what}: {found:?}");
}

#[test]
fn a_limit_beyond_the_table_gives_each_row_once_in_order() {
    each(|db, kind, method, (class, operator)| {
        let what = format!("{method} {class}");
        for seed in -5..0 {
            let distance = format!("v {operator} '{}'::{}", kind.value(seed), kind.column());
            for limit in [ROWS, 10_000] {
                let found = search(
                    db,
                    &format!("SELECT id, {distance} AS d FROM t ORDER BY d LIMIT {limit}"),
                );
                check_order(&found, &what);
                let mut ids: Vec<i32> = found.iter().map(|row| row.0).collect();
                ids.sort_unstable();
                assert_eq!(ids, (0..ROWS).collect::<Vec<_>>(), "{what} {limit}");
            }
        }
    });
}

#[test]
fn without_a_limit_each_row_comes_in_order() {
    each(|db, kind, method, (class, operator)| {
        for seed in -5..0 {
            let distance = format!("v {operator} '{}'::{}", kind.value(seed), kind.column());
            let query = format!("SELECT id, {distance} AS d FROM t ORDER BY {distance}");
            let found = search(db, &query);
            check_order(&found, &format!("{method} {class}"));
            let mut ids: Vec<i32> = found.iter().map(|row| row.0).collect();
            ids.sort_unstable();
            assert_eq!(ids, (0..ROWS).collect::<Vec<_>>(), "{method} {class}");
        }
    });
}

#[test]
fn a_filter_with_fewer_matches_than_the_limit_gets_all_in_order() {
    each(|db, kind, method, (class, operator)| {
        let what = format!("{method} {class}");
        for seed in -10..0 {
            let distance = format!("v {operator} '{}'::{}", kind.value(seed), kind.column());
            for (filter, limit, matches) in
                [("id % 8 = 3", 100, 40), ("id % 8 = 3", 40, 40), ("id % 100 = 7", 10, 4)]
            {
                let query = format!(
                    "SELECT id, {distance} AS d FROM t WHERE {filter} ORDER BY d LIMIT {limit}"
                );
                let found = search(db, &query);
                check_order(&found, &what);
                assert_eq!(found.len(), matches, "{what}: {filter}");
            }
        }
    });
}

#[test]
fn a_filter_that_one_row_passes_finds_it_whatever_the_query() {
    let mut db = TestDb::new();
    for method in ["hnsw", "ivf"] {
        table(&mut db, &KINDS[0], method, "vector_l2_ops");
        let missed = text(
            &mut db,
            "SELECT count(*) FROM t AS q, LATERAL (
                 SELECT count(*) FROM (
                     SELECT id FROM t WHERE id = (q.id * 37 + 11) % 320 ORDER BY v <-> q.v LIMIT 1
                 ) AS one) AS found
             WHERE found.count <> 1",
        );
        assert_eq!(missed.unwrap(), "0", "{method}");
    }
}

#[test]
fn deleted_rows_take_nobodys_place() {
    each(|db, kind, method, (class, operator)| {
        let what = format!("{method} {class}");
        db.batch_execute("DELETE FROM t WHERE id % 8 <> 3").unwrap();
        let distance = format!("v {operator} '{}'::{}", kind.value(-1), kind.column());
        for limit in [40, 50] {
            let query = format!("SELECT id, {distance} AS d FROM t ORDER BY d LIMIT {limit}");
            let found = search(db, &query);
            check_order(&found, &what);
            assert_eq!(found.len(), 40, "{what}");
        }
    });
}

#[test]
fn more_than_was_asked_for_at_first_comes_later() {
    each(|db, kind, method, (class, operator)| {
        let what = format!("{method} {class}");
        let distance = format!("v {operator} '{}'::{}", kind.value(-1), kind.column());
        let near =
            format!("SELECT id, {distance} AS d FROM t WHERE id % 2 = 0 ORDER BY {distance}");
        // The scan is to find 5 rows, and the join above needs most of them.
        let joined = format!(
            "SELECT a.id, a.d FROM (SELECT id, {distance} AS d FROM t WHERE id % 2 = 0) a
             WHERE (SELECT a.id % 64 = 2) ORDER BY a.d LIMIT 5"
        );
        let found = search(db, &joined);
        check_order(&found, &what);
        assert_eq!(found.len(), 5, "{what}");
        // A cursor does not say how many rows will be fetched.
        let cursor = format!("BEGIN; DECLARE c CURSOR FOR {near}");
        db.batch_execute(&cursor).unwrap();
        let mut ids = Vec::new();
        for count in [1, 7, 100, 1_000] {
            let rows = db.query(&format!("FETCH {count} FROM c"), &[]).unwrap();
            ids.extend(rows.iter().map(|row| row.get::<_, i32>(0)));
        }
        db.batch_execute("COMMIT").unwrap();
        ids.sort_unstable();
        assert_eq!(ids, (0..ROWS).step_by(2).collect::<Vec<_>>(), "{what}");
    });
}

#[test]
fn a_scan_of_postgresql_keeps_all_rows_too() {
    let mut db = TestDb::new();
    for method in ["hnsw", "ivf"] {
        table(&mut db, &KINDS[0], method, "vector_l2_ops");
        // Two distances are an order that our node does not take.
        let query = "SELECT id FROM t ORDER BY v <-> (SELECT v FROM t WHERE id = 5),
            v <-> (SELECT v FROM t WHERE id = 6)";
        let plan = explain_plan(&mut db, query).unwrap();
        assert!(plan.contains("Index Scan using i "), "{plan}");
        let rows = db.query(query, &[]).unwrap();
        let mut ids: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
        ids.sort_unstable();
        assert_eq!(ids, (0..ROWS).collect::<Vec<_>>(), "{method}");
    }
}

#[test]
fn beyond_its_memory_a_scan_loses_no_row() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE t AS SELECT id, ARRAY[sin(id), cos(id * 7), id % 13]::vector(3) v,
             repeat('wide', 500) || id AS note FROM generate_series(0, 999) id;
         CREATE INDEX i ON t USING hnsw (v vector_l2_ops);
         SET work_mem = '64kB'; SET hnsw.scan_mem_multiplier = 100",
    )
    .unwrap();
    db.batch_execute(NARROW).unwrap();
    let query = "SELECT id, v <-> '[0,0,5]', note FROM t WHERE id >= 0 ORDER BY v <-> '[0,0,5]'
        LIMIT 2000";
    let mut ids: Vec<i32> = search(&mut db, query).iter().map(|row| row.0).collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..1000).collect::<Vec<_>>());
}
