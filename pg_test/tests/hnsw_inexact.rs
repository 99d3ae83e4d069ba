//! Vectors that 16-bit floats do not hold: the index knows only bounds of their distances, and
//! looks at the table. Nobody is to notice.

use pg_test::{
    TestDb, buffers, copy_vectors, counts_at_once, explain_analyze, explain_plan, random_vector,
    scans_index, text,
};
use postgres::{Client, SimpleQueryMessage};

/// More than those up to which an index holds vectors exactly.
const DIMS: usize = 72;

/// Table `t` (id, v, note) of random vectors, and queries `q` (id, v), which are not among them.
fn tables(rows: usize, dims: usize) -> TestDb {
    let mut db = TestDb::new();
    db.batch_execute(&format!(
        "CREATE TABLE t (id int PRIMARY KEY, v vector({dims}), note text) WITH (fillfactor = 60);
         CREATE TABLE q (id int, v vector({dims}))"
    ))
    .unwrap();
    for (table, rows, seed) in [("t", rows, 0), ("q", 5, 1 << 20)] {
        let vectors: Vec<_> = (0..rows as u64).map(|row| random_vector(seed + row, dims)).collect();
        copy_vectors(&mut db, table, 0, vectors.iter().map(Vec::as_slice)).unwrap();
    }
    db.batch_execute("ANALYZE t, q; SET enable_seqscan = off; SET hnsw.ef_search = 1000").unwrap();
    db
}

/// All rows of all results of some statements, values parted by blanks.
fn rows(client: &mut Client, statements: &str) -> Vec<String> {
    let mut rows = Vec::new();
    for message in client.simple_query(statements).unwrap() {
        if let SimpleQueryMessage::Row(row) = message {
            let values: Vec<_> = (0..row.len()).map(|i| row.get(i).unwrap_or("NULL")).collect();
            rows.push(values.join(" "));
        }
    }
    rows
}

/// Fails unless `query` uses index `i` and gives what it gives without.
#[track_caller]
fn same_without_index(client: &mut Client, query: &str) {
    let plan = explain_plan(client, query).unwrap();
    assert!(scans_index(&plan, "i"), "{query}\n{plan}");
    let with = rows(client, query);
    client.batch_execute("SET enable_indexscan = off; SET enable_seqscan = on").unwrap();
    let without = rows(client, query);
    client.batch_execute("SET enable_indexscan = on; SET enable_seqscan = off").unwrap();
    assert!(!with.is_empty());
    assert_eq!(with, without, "{query}");
}

/// The ORDER BY of the query with this number.
fn near(query: u32) -> String {
    format!("ORDER BY v <-> (SELECT v FROM q WHERE id = {query})")
}

#[test]
fn rows_keep_their_addresses() {
    let mut db = tables(1000, DIMS);
    db.batch_execute("CREATE INDEX i ON t USING hnsw (v vector_l2_ops)").unwrap();
    let nearest = rows(&mut db, &format!("SELECT id FROM t {} LIMIT 20", near(0)));

    let again = format!(
        "SELECT t.id FROM (SELECT ctid, row_number() OVER () FROM (SELECT ctid FROM t {} LIMIT 20) AS a) AS n
           JOIN t ON t.ctid = n.ctid ORDER BY n.row_number",
        near(0)
    );
    assert_eq!(rows(&mut db, &again), nearest);
    assert_eq!(
        rows(&mut db, &format!("SELECT tableoid::regclass FROM t {} LIMIT 1", near(0))),
        ["t"]
    );

    let locked = rows(&mut db, &format!("SELECT id FROM t {} LIMIT 20 FOR UPDATE", near(0)));
    assert_eq!(locked, nearest);

    db.batch_execute(&format!(
        "BEGIN; DECLARE c CURSOR FOR SELECT * FROM t {} FOR UPDATE; FETCH 3 FROM c;
         UPDATE t SET note = 'third' WHERE CURRENT OF c; CLOSE c; COMMIT",
        near(0)
    ))
    .unwrap();
    assert_eq!(rows(&mut db, "SELECT id FROM t WHERE note = 'third'"), nearest[2..3]);

    let recall = "SELECT recall > 0.99 FROM vector_index_recall('i', 10, 20)";
    assert_eq!(text(&mut db, recall).unwrap(), "t");
}

#[test]
fn every_operator_gives_the_order_of_the_table() {
    let mut db = tables(600, DIMS);
    for (opclass, operator) in [
        ("vector_l2_ops", "<->"),
        ("vector_ip_ops", "<#>"),
        ("vector_cosine_ops", "<=>"),
        ("vector_l1_ops", "<+>"),
    ] {
        db.batch_execute(&format!(
            "DROP INDEX IF EXISTS i; CREATE INDEX i ON t USING hnsw (v {opclass})"
        ))
        .unwrap();
        for query in 0..3 {
            let near = near(query).replace("<->", operator);
            let distance = near.strip_prefix("ORDER BY ").unwrap();
            same_without_index(&mut db, &format!("SELECT id, {distance} FROM t {near} LIMIT 7"));
            same_without_index(&mut db, &format!("SELECT id FROM t {near} LIMIT 5 OFFSET 30"));
            same_without_index(&mut db, &format!("SELECT id FROM t {near}"));
        }
    }
}

#[test]
fn narrow_and_iterative_searches_keep_the_order() {
    let mut db = tables(3000, DIMS);
    db.batch_execute("CREATE INDEX i ON t USING hnsw (v vector_l2_ops); SET hnsw.ef_search = 10")
        .unwrap();
    for iterative in ["off", "strict_order"] {
        db.batch_execute(&format!("SET hnsw.iterative_scan = {iterative}")).unwrap();
        let query =
            format!("SELECT v <-> (SELECT v FROM q WHERE id = 1) FROM t {} LIMIT 500", near(1));
        let distances: Vec<f64> =
            rows(&mut db, &query).iter().map(|row| row.parse().unwrap()).collect();
        assert!(distances.is_sorted(), "{distances:?}");
        assert!(distances.len() == if iterative == "off" { 10 } else { 500 });
    }
    db.batch_execute("SET hnsw.iterative_scan = relaxed_order").unwrap();
    let mut all = rows(&mut db, &format!("SELECT id FROM t {}", near(1)));
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 3000);
}

#[test]
fn shapes_of_queries() {
    let mut db = tables(600, DIMS);
    db.batch_execute("CREATE INDEX i ON t USING hnsw (v vector_l2_ops)").unwrap();
    same_without_index(
        &mut db,
        "SELECT q.id, n.id, n.note FROM q, LATERAL (
           SELECT * FROM t ORDER BY t.v <-> q.v LIMIT 6) AS n ORDER BY q.id, n.v <-> q.v",
    );
    let (first, second) =
        ("v <-> (SELECT v FROM q WHERE id = 1)", "v <-> (SELECT v FROM q WHERE id = 2)");
    same_without_index(&mut db, &format!("SELECT id FROM t ORDER BY {first}, {second} LIMIT 9"));
    same_without_index(&mut db, &format!("SELECT id FROM t WHERE id % 3 = 1 {} LIMIT 9", near(3)));
    same_without_index(
        &mut db,
        &format!(
            "SELECT id FROM t WHERE v <-> (SELECT v FROM q WHERE id = 3) < 6.5 {} LIMIT 9",
            near(3)
        ),
    );

    // Row by row, and not to the end.
    db.batch_execute("BEGIN").unwrap();
    let query = format!("SELECT id FROM t {} LIMIT 12", near(4));
    let all = rows(&mut db, &query);
    db.batch_execute(&format!("DECLARE c CURSOR FOR SELECT id FROM t {}", near(4))).unwrap();
    for id in &all {
        assert_eq!(rows(&mut db, "FETCH c"), [id.as_str()]);
    }
    db.batch_execute("CLOSE c; COMMIT").unwrap();
}

#[test]
fn expressions_and_predicates() {
    let mut db = tables(600, DIMS);
    db.batch_execute(&format!(
        "CREATE TABLE e AS SELECT id, v::real[] AS numbers, 'x' || id AS note FROM t;
         CREATE INDEX i ON e USING hnsw ((numbers::vector({DIMS})) vector_l2_ops) WHERE id % 2 = 0"
    ))
    .unwrap();
    for query in 0..5 {
        let near = near(query).replace("v <->", &format!("numbers::vector({DIMS}) <->"));
        same_without_index(
            &mut db,
            &format!("SELECT id, note FROM e WHERE id % 2 = 0 {near} LIMIT 20"),
        );
    }
    // A column that old rows do not have: its default stands in the catalog.
    db.batch_execute(
        "DROP INDEX i; ALTER TABLE e ADD COLUMN v vector(2) DEFAULT '[0.1,0.7]';
         UPDATE e SET v = ARRAY[numbers[1], numbers[2]]::vector WHERE id < 20;
         CREATE INDEX i ON e USING hnsw (v vector_l2_ops)",
    )
    .unwrap();
    let order = "ORDER BY v <-> '[0.3,-0.2]'";
    same_without_index(
        &mut db,
        &format!("SELECT v <-> '[0.3,-0.2]' FROM e WHERE id < 50 {order} LIMIT 40"),
    );
}

#[test]
fn rows_that_changed() {
    let mut db = tables(600, DIMS);
    db.batch_execute("CREATE INDEX i ON t USING hnsw (v vector_l2_ops)").unwrap();
    let query = format!("SELECT id, note FROM t {} LIMIT 25", near(0));
    // On the same page with the same entry in the index, elsewhere with a new one, and none.
    db.batch_execute(
        "UPDATE t SET note = 'once' WHERE id % 2 = 0;
         UPDATE t SET note = note || ' and again' WHERE id % 4 = 0;
         UPDATE t SET v = v + v WHERE id % 5 = 0;
         DELETE FROM t WHERE id % 7 = 0",
    )
    .unwrap();
    same_without_index(&mut db, &query);
    let hot = "SELECT n_tup_hot_upd > 0 FROM pg_stat_user_tables WHERE relname = 't'";
    if counts_at_once(&mut db) {
        db.batch_execute("SELECT pg_stat_force_next_flush()").unwrap();
        assert_eq!(text(&mut db, hot).unwrap(), "t");
    }

    // A snapshot goes on to see what others change, and a cursor what its own transaction does.
    let mut other = db.connect();
    db.batch_execute(&format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ; DECLARE c CURSOR FOR {query}"
    ))
    .unwrap();
    let before = rows(&mut db, &query);
    other
        .batch_execute(
            "DELETE FROM t WHERE id % 3 = 0; UPDATE t SET note = 'other' WHERE id % 3 = 1;
             UPDATE t SET v = v * v WHERE id % 3 = 2",
        )
        .unwrap();
    other.batch_execute("VACUUM t").unwrap();
    assert_eq!(rows(&mut db, &query), before);
    assert_eq!(rows(&mut db, "FETCH 10 FROM c"), before[..10]);
    db.batch_execute("DELETE FROM t WHERE false; SAVEPOINT s").unwrap();
    assert_eq!(rows(&mut db, "FETCH 10 FROM c"), before[10..20]);
    db.batch_execute("ROLLBACK TO s").unwrap();
    db.batch_execute("COMMIT").unwrap();
    same_without_index(&mut db, &query);
    db.batch_execute("VACUUM t").unwrap();
    same_without_index(&mut db, &query);
}

#[test]
fn searches_that_fail_leave_nothing() {
    let mut db = tables(600, DIMS);
    db.batch_execute("CREATE INDEX i ON t USING hnsw (v vector_l2_ops)").unwrap();
    let ten = rows(&mut db, &format!("SELECT id FROM t {} LIMIT 10", near(0)));
    let failing = format!("SELECT 1 / (id - {}) FROM t {} LIMIT 10", ten[9], near(0));
    assert!(db.simple_query(&failing).is_err());
    db.batch_execute(&format!("BEGIN; DECLARE c CURSOR FOR SELECT id FROM t {}", near(0))).unwrap();
    db.batch_execute("FETCH 3 FROM c; SAVEPOINT s; FETCH 3 FROM c").unwrap();
    assert!(db.simple_query(&failing).is_err());
    db.batch_execute("ROLLBACK TO s").unwrap();
    assert_eq!(rows(&mut db, "FETCH 2 FROM c"), ten[6..8]);
    db.batch_execute("COMMIT").unwrap();
    let found = format!(
        "DO $$DECLARE r record; BEGIN
           FOR r IN SELECT id FROM t {} LOOP
             BEGIN PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN NULL; END;
             EXIT WHEN r.id = {};
           END LOOP;
         END$$",
        near(0),
        ten[5]
    );
    db.batch_execute(&found).unwrap();
    assert_eq!(rows(&mut db, &format!("SELECT id FROM t {} LIMIT 10", near(0))), ten);
    let log = db.cluster().log();
    assert!(!log.contains("leak") && !log.contains("was not closed"), "{log}");
}

#[test]
fn vectors_stored_apart_are_fetched_once() {
    const WIDE: usize = 784;
    let mut db = tables(400, WIDE);
    db.batch_execute("CREATE INDEX i ON t USING hnsw (v vector_l2_ops)").unwrap();
    let query = format!("SELECT id FROM t {} LIMIT 10", near(0));
    same_without_index(&mut db, &query);
    db.batch_execute("SET hnsw.ef_search = 40").unwrap();
    let plan = explain_analyze(&mut db, &query).unwrap();
    // 40 elements and more of the graph, and 10 rows and a few more: four pages each in the table
    // of vectors stored apart and its index, and two visits of their own page.
    let pages = buffers(&plan);
    assert!(pages < 300, "{pages} pages\n{plan}");
}
