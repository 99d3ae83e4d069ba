//! The node of plans that searches a vector index behaves as PostgreSQL's scans do.

use std::thread;

use pg_test::{TestDb, explain_plan, scans_index, sqlstate, text, wait_until};
use postgres::{Client, SimpleQueryMessage};

const QUERY: &str = "v <-> '[0,0]'";

/// Rows at distances 1, 2, 3 and so on from the origin.
fn table() -> TestDb {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE w AS SELECT id, id % 10 AS doc, ARRAY[id, 0]::vector(2) v
             FROM generate_series(1, 300) id;
         CREATE INDEX i ON w USING hnsw (v vector_l2_ops); ANALYZE w",
    )
    .unwrap();
    by_index(&mut db, true);
    db
}

fn by_index(client: &mut Client, by_index: bool) {
    let settings = format!(
        "SET enable_indexscan = {by_index}; SET enable_seqscan = {0}; SET enable_sort = {0}",
        !by_index
    );
    client.batch_execute(&settings).unwrap();
}

fn rows(client: &mut Client, statements: &str) -> Vec<Vec<String>> {
    let messages = client.simple_query(statements).unwrap();
    let row = |message| {
        let SimpleQueryMessage::Row(row) = message else { return None };
        Some((0..row.len()).map(|i| row.get(i).unwrap_or("NULL").to_owned()).collect())
    };
    messages.into_iter().filter_map(row).collect()
}

/// What a statement returns that waits for another transaction, which then commits.
fn after_a_change(db: &mut TestDb, index: bool, change: &str, statement: &str) -> Vec<Vec<String>> {
    db.batch_execute(&format!("BEGIN; {change}")).unwrap();
    let mut other = db.connect();
    by_index(&mut other, index);
    let pid = text(&mut other, "SELECT pg_backend_pid()").unwrap();
    let statement = statement.to_owned();
    let waiting = thread::spawn(move || rows(&mut other, &format!("BEGIN; {statement}; ROLLBACK")));
    let query = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE pid = {pid} AND wait_event_type = 'Lock'"
    );
    let mut watcher = db.connect();
    wait_until("the statement waits", || Ok(text(&mut watcher, &query).unwrap() == "1")).unwrap();
    db.batch_execute("COMMIT").unwrap();
    waiting.join().unwrap()
}

#[test]
fn rows_that_change_meanwhile_are_tested_again() {
    for (change, statement) in [
        (
            "UPDATE w SET doc = 99 WHERE id = 2",
            "SELECT id, doc FROM w WHERE doc < 50 ORDER BY v <-> '[0,0]' LIMIT 3 FOR UPDATE",
        ),
        (
            "UPDATE w SET v = '[7,0]' WHERE id = 2",
            "SELECT id, v <-> '[0,0]', w FROM w ORDER BY v <-> '[0,0]' LIMIT 3 FOR UPDATE",
        ),
        (
            "UPDATE w SET v = '[700,0]', doc = 3 WHERE id = 2",
            "SELECT id, v <-> '[0,0]' FROM w WHERE v <-> '[0,0]' < 5 ORDER BY v <-> '[0,0]' \
             LIMIT 3 FOR SHARE",
        ),
        (
            "DELETE FROM w WHERE id = 1",
            "SELECT ctid, id FROM w ORDER BY v <-> '[0,0]' LIMIT 3 FOR UPDATE",
        ),
        (
            "UPDATE w SET doc = doc + 100 WHERE id = 3",
            "UPDATE w SET doc = 0 FROM (SELECT id, doc FROM w ORDER BY v <-> '[0,0]' LIMIT 5) n
             WHERE n.id = w.id RETURNING w.id, n.doc",
        ),
    ] {
        let [found, expected] = [true, false].map(|index| {
            let mut db = table();
            let mut rows = after_a_change(&mut db, index, change, statement);
            rows.sort();
            rows
        });
        assert_eq!(found, expected, "{change}; {statement}");
        assert!(!found.is_empty(), "{statement}");
    }
}

#[test]
fn the_row_at_a_cursor_can_be_changed() {
    let mut db = table();
    for locked in ["", " FOR UPDATE"] {
        let declare = format!("DECLARE c CURSOR FOR SELECT doc FROM w ORDER BY {QUERY}{locked}");
        let plan = explain_plan(&mut db, &format!("SELECT doc FROM w ORDER BY {QUERY}{locked}"));
        assert!(scans_index(&plan.unwrap(), "i"));
        let changed = rows(
            &mut db,
            &format!(
                "BEGIN; {declare}; MOVE 4 IN c; UPDATE w SET doc = -1 WHERE CURRENT OF c RETURNING id;
                 MOVE 2 IN c; DELETE FROM w WHERE CURRENT OF c RETURNING id; ROLLBACK"
            ),
        );
        assert_eq!(changed, [["4"], ["6"]], "{locked}");
    }
}

#[test]
fn a_plan_that_is_kept_is_made_anew_without_its_index() {
    let mut db = table();
    db.batch_execute(&format!(
        "SET plan_cache_mode = force_generic_plan;
         PREPARE near AS SELECT id FROM w ORDER BY {QUERY} LIMIT 2"
    ))
    .unwrap();
    let near = [["1"], ["2"]];
    assert_eq!(rows(&mut db, "EXECUTE near"), near);
    assert!(scans_index(&explain_plan(&mut db, "EXECUTE near").unwrap(), "i"));
    db.batch_execute("DROP INDEX i").unwrap();
    assert_eq!(rows(&mut db, "EXECUTE near"), near);
    assert!(!scans_index(&explain_plan(&mut db, "EXECUTE near").unwrap(), "i"));
}

#[test]
fn errors_of_conditions_keep_their_state() {
    let mut db = table();
    db.batch_execute(
        "CREATE FUNCTION fails(id int) RETURNS bool LANGUAGE plpgsql AS $$BEGIN
             IF id = 3 THEN RAISE 'no' USING ERRCODE = 'P1234'; END IF; RETURN true; END$$",
    )
    .unwrap();
    let query = format!("SELECT id FROM w WHERE fails(id) ORDER BY {QUERY} LIMIT");
    assert_eq!(rows(&mut db, &format!("{query} 2")).len(), 2);
    let error = db.simple_query(&format!("{query} 5")).unwrap_err();
    assert_eq!(sqlstate(&error), "P1234");
    // The session goes on, and the next scan is sound.
    assert_eq!(rows(&mut db, &format!("{query} 2")).len(), 2);
}

#[test]
fn it_is_there_in_the_first_statement_of_a_session() {
    let db = table();
    let mut fresh = db.connect();
    let query =
        format!("SET enable_seqscan = off; EXPLAIN SELECT id FROM w ORDER BY {QUERY} LIMIT 2");
    let plan = rows(&mut fresh, &query);
    assert!(plan.iter().any(|line| line[0].contains("Vector Index Scan")), "{plan:?}");
}

#[test]
fn snapshots_see_what_they_should() {
    let mut db = table();
    let query = format!("SELECT id FROM w ORDER BY {QUERY} LIMIT 2");
    for level in ["REPEATABLE READ", "SERIALIZABLE"] {
        db.batch_execute(&format!("BEGIN ISOLATION LEVEL {level}")).unwrap();
        assert_eq!(rows(&mut db, &query), [["1"], ["2"]]);
        let mut other = db.connect();
        other.batch_execute("BEGIN; DELETE FROM w WHERE id = 1").unwrap();
        other.batch_execute("INSERT INTO w VALUES (1000, 0, '[0.5,0]'); COMMIT").unwrap();
        assert_eq!(rows(&mut db, &query), [["1"], ["2"]], "{level}");
        db.batch_execute("COMMIT").unwrap();
        assert_eq!(rows(&mut db, &query), [["1000"], ["2"]], "{level}");
        let back = "DELETE FROM w WHERE id = 1000; INSERT INTO w VALUES (1, 1, '[1,0]')";
        db.batch_execute(back).unwrap();
    }
    // A cursor sees no row that its own transaction adds later.
    let declare = format!("BEGIN; DECLARE c CURSOR FOR SELECT id FROM w ORDER BY {QUERY}");
    db.batch_execute(&declare).unwrap();
    assert_eq!(rows(&mut db, "FETCH 1 FROM c"), [["1"]]);
    db.batch_execute("INSERT INTO w VALUES (1001, 0, '[1.5,0]')").unwrap();
    assert_eq!(rows(&mut db, "FETCH 1 FROM c"), [["2"]]);
    db.batch_execute("ROLLBACK").unwrap();
}

#[test]
fn parameters_of_an_outer_row_begin_a_new_search() {
    let mut db = table();
    // The limit, the filter, the radius and the query change with the outer row, or are NULL.
    let query =
        "SELECT o.n, near.id FROM (VALUES (1, 4.5::float8, '[0,0]'::vector), (2, NULL, '[0,0]'),
             (3, 3.5, NULL), (4, 'NaN', '[9,0]'), (5, '-1', '[9,0]')) AS o (n, most, q),
         LATERAL (SELECT id FROM w WHERE doc <> o.n AND v <-> o.q < o.most
                  ORDER BY v <-> o.q LIMIT o.n + 1) AS near ORDER BY 1, 2";
    assert!(scans_index(&explain_plan(&mut db, query).unwrap(), "i"));
    let found = rows(&mut db, query);
    by_index(&mut db, false);
    assert_eq!(found, rows(&mut db, query));
    assert_eq!(found.len(), 2 + 5);
}
