//! Searches do not compute the distance of the rows that the index has put in order, and give what
//! they give without the index.

use pg_test::{TestDb, copy_vectors, counts_at_once, explain_plan, scans_index};
use postgres::{Client, SimpleQueryMessage};

const DIMS: usize = 700;

/// A table of whole numbers, so wide that they are stored apart from their rows; the index knows
/// their distances exactly.
fn table(rows: usize) -> TestDb {
    let mut db = TestDb::new();
    let mixed = |n: usize| (n as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    let number = |row: usize, i: usize| (mixed(row * DIMS + i) % 100) as f32;
    let vectors: Vec<Vec<f32>> =
        (0..rows).map(|row| (0..DIMS).map(|i| number(row, i)).collect()).collect();
    db.batch_execute(&format!("CREATE TABLE t (id int, v vector({DIMS}))")).unwrap();
    copy_vectors(&mut db, "t", 0, vectors.iter().map(Vec::as_slice)).unwrap();
    db.batch_execute(
        "CREATE INDEX i ON t USING hnsw (v vector_l2_ops);
         CREATE TABLE q AS SELECT * FROM t WHERE id = 5;
         CREATE TABLE sink (id int)",
    )
    .unwrap();
    db.batch_execute("VACUUM ANALYZE t").unwrap();
    db
}

/// All rows of all results of some statements.
fn rows(client: &mut Client, statements: &str) -> Vec<Vec<Option<String>>> {
    let messages = client.simple_query(statements).unwrap();
    let row = |message| {
        let SimpleQueryMessage::Row(row) = message else { return None };
        Some((0..row.len()).map(|i| row.get(i).map(str::to_owned)).collect())
    };
    messages.into_iter().filter_map(row).collect()
}

/// Pages of vectors stored apart from their rows that were looked at so far.
fn toast_pages(client: &mut Client) -> i64 {
    client.batch_execute("SELECT pg_stat_force_next_flush()").unwrap();
    let query = "SELECT toast_blks_hit + toast_blks_read FROM pg_statio_user_tables
                 WHERE relname = 't'";
    rows(client, query)[0][0].as_ref().unwrap().parse().unwrap()
}

#[test]
fn exact_distances_need_no_look_at_the_vectors() {
    let mut db = table(600);
    if !counts_at_once(&mut db) {
        return;
    }
    let query = "SELECT id FROM t ORDER BY v <-> (SELECT v FROM q) LIMIT 10";
    let plan = explain_plan(&mut db, query).unwrap();
    assert!(scans_index(&plan, "i"), "{plan}");
    // Loads the library and the catalogs.
    assert_eq!(rows(&mut db, query).len(), 10);
    let before = toast_pages(&mut db);
    assert_eq!(rows(&mut db, query).len(), 10);
    assert_eq!(toast_pages(&mut db), before);
    // The index knows the distance.
    for distance in ["v <-> (SELECT v FROM q)", "(SELECT v FROM q) <-> v"] {
        let nearest = format!("SELECT id, {distance} AS d FROM t ORDER BY d LIMIT 10");
        assert_eq!(rows(&mut db, &nearest).len(), 10);
        assert_eq!(rows(&mut db, &format!("SELECT 1 - d FROM ({nearest}) near")).len(), 10);
    }
    assert_eq!(toast_pages(&mut db), before);
    assert_eq!(rows(&mut db, &query.replace("id", "id, v")).len(), 10);
    assert!(toast_pages(&mut db) >= before + 10);
}

#[test]
fn every_shape_of_query_gives_what_it_gives_without_the_index() {
    let mut db = table(300);
    db.batch_execute(
        "CREATE FUNCTION f() RETURNS SETOF int LANGUAGE sql AS
           'SELECT id FROM t ORDER BY v <-> (SELECT v FROM q) LIMIT 4';
         CREATE FUNCTION one(x vector) RETURNS int LANGUAGE sql VOLATILE AS
           'SELECT id FROM t ORDER BY v <-> x LIMIT 1';
         CREATE FUNCTION g(x vector, OUT id int, OUT d float8) RETURNS SETOF record
           LANGUAGE plpgsql AS $$BEGIN FOR id, d IN SELECT t.id, v <-> x FROM t ORDER BY v <-> x
           LIMIT 3 LOOP RETURN NEXT; END LOOP; END$$",
    )
    .unwrap();
    let near = "FROM t ORDER BY v <-> (SELECT v FROM q)";
    let shapes = [
        format!("SELECT id {near} LIMIT 5"),
        format!("SELECT id {near} LIMIT 5 OFFSET 3"),
        format!("SELECT id, v <-> (SELECT v FROM q) AS d {near} LIMIT 5"),
        format!("SELECT v <-> (SELECT v FROM q) AS d {near} LIMIT 5"),
        format!("SELECT * {near} LIMIT 2"),
        format!("SELECT 1 {near} LIMIT 2"),
        "SELECT FROM t ORDER BY v <-> (SELECT v FROM q) LIMIT 2".to_owned(),
        format!("SELECT id {near}, id LIMIT 5"),
        format!("SELECT id {near} FETCH FIRST 5 ROWS WITH TIES"),
        format!("SELECT id {near} LIMIT 5 FOR UPDATE"),
        "SELECT id FROM t WHERE id % 7 = 1 ORDER BY v <-> (SELECT v FROM q) LIMIT 5".to_owned(),
        format!("SELECT count(*), sum(id) FROM (SELECT id {near} LIMIT 9) s"),
        format!("SELECT id FROM (SELECT id {near} LIMIT 9) s ORDER BY id"),
        format!("SELECT * FROM (SELECT id {near} LIMIT 3) a UNION ALL (SELECT id {near} LIMIT 4)"),
        format!("WITH c AS MATERIALIZED (SELECT id {near} LIMIT 5) SELECT * FROM c, c d"),
        format!("SELECT ARRAY(SELECT id {near} LIMIT 5)"),
        format!("SELECT (SELECT id {near} LIMIT 1)"),
        "SELECT q.id, n.id FROM t q, LATERAL (SELECT id FROM t ORDER BY v <-> q.v LIMIT 2) n
         WHERE q.id < 20 ORDER BY 1, 2"
            .to_owned(),
        format!("INSERT INTO sink SELECT id {near} LIMIT 5 RETURNING id"),
        format!("INSERT INTO sink (SELECT id {near} LIMIT 3) RETURNING *"),
        format!("BEGIN; DECLARE c CURSOR FOR SELECT id {near}; FETCH 4 FROM c; COMMIT"),
        format!(
            "BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT id {near} LIMIT 6; COMMIT;
                 FETCH 4 FROM c; CLOSE c"
        ),
        format!("CREATE TEMP TABLE copy AS SELECT id {near} LIMIT 5; TABLE copy; DROP TABLE copy"),
        "SELECT * FROM f()".to_owned(),
        "SELECT one(v) FROM t WHERE id < 5 ORDER BY id".to_owned(),
        "SELECT * FROM q, g(q.v)".to_owned(),
        "SET plan_cache_mode = force_generic_plan;
         PREPARE p AS SELECT id FROM t ORDER BY v <-> (SELECT v FROM q) LIMIT $1;
         EXECUTE p(3); EXECUTE p(4); DEALLOCATE p; RESET plan_cache_mode"
            .to_owned(),
    ];
    for shape in shapes {
        db.batch_execute("SET enable_indexscan = off").unwrap();
        let expected = rows(&mut db, &shape);
        db.batch_execute("SET enable_indexscan = on; SET enable_seqscan = off").unwrap();
        assert_eq!(rows(&mut db, &shape), expected, "{shape}");
        db.batch_execute("RESET enable_indexscan; RESET enable_seqscan").unwrap();
        assert!(!expected.is_empty(), "{shape}");
    }
}
