//! Vectors of any length the type allows: found, stored in as few pages as said, vacuumed, reused.

use std::sync::LazyLock;

use pg_test::data::{Sentence, documents, queries};
use pg_test::{TestDb, Vector, copy_vectors, explain_plan, index_problems, scans_index};
use postgres::Client;

const K: usize = 10;

static DOCUMENTS: LazyLock<Vec<Sentence>> = LazyLock::new(|| documents().unwrap());
static QUERIES: LazyLock<Vec<Sentence>> = LazyLock::new(|| queries().unwrap());

/// A sentence's embedding with every number used several times, each time weighted anew.
fn widened(sentence: &Sentence, dims: usize) -> Vec<f32> {
    let weight = |i: usize| 0.5 + (i.wrapping_mul(2_654_435_761) >> 7 & 0xFF) as f32 / 256.0;
    sentence.embedding.iter().cycle().take(dims).enumerate().map(|(i, x)| x * weight(i)).collect()
}

/// Ids of the nearest rows.
fn nearest(client: &mut Client, query: &[f32]) -> Vec<i32> {
    let search = format!("SELECT id FROM t ORDER BY v <-> $1 LIMIT {K}");
    let rows = client.query(&search, &[&Vector(query.to_vec())]).unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Share of the nearest rows, as a sequential scan finds them, that the index finds.
fn recall(client: &mut Client, dims: usize) -> f64 {
    let queries: Vec<Vec<f32>> = QUERIES[..20].iter().map(|row| widened(row, dims)).collect();
    let mut found = [false, true].map(|by_index| {
        let setting = if by_index { "enable_seqscan" } else { "enable_indexscan" };
        client.batch_execute(&format!("SET {setting} = off")).unwrap();
        let plan = "SELECT id FROM t ORDER BY v <-> (SELECT v FROM t LIMIT 1) LIMIT 10";
        let plan = explain_plan(client, plan).unwrap();
        assert_eq!(scans_index(&plan, "i"), by_index, "{plan}");
        let found: Vec<_> = queries.iter().map(|query| nearest(client, query)).collect();
        client.batch_execute(&format!("RESET {setting}")).unwrap();
        found
    });
    let [exact, found] = &mut found;
    let hits = exact
        .iter()
        .zip(found)
        .map(|(exact, found)| found.iter().filter(|id| exact.contains(id)).count());
    hits.sum::<usize>() as f64 / (K * queries.len()) as f64
}

/// Builds over half of the rows, inserts the others, replaces a third.
fn lives(dims: usize, rows: usize, pages_a_row: f64) {
    let mut db = TestDb::new();
    let vectors: Vec<Vec<f32>> = DOCUMENTS[..rows].iter().map(|row| widened(row, dims)).collect();
    let half = rows / 2;
    db.batch_execute(&format!("CREATE TABLE t (id int, v vector({dims}))")).unwrap();
    copy_vectors(&mut db, "t", 0, vectors[..half].iter().map(Vec::as_slice)).unwrap();
    db.batch_execute("CREATE INDEX i ON t USING hnsw (v vector_l2_ops)").unwrap();
    copy_vectors(&mut db, "t", half as i32, vectors[half..].iter().map(Vec::as_slice)).unwrap();
    assert_eq!(index_problems(&mut db, "i").unwrap(), [""; 0]);
    let pages = |db: &mut TestDb| -> i64 {
        db.query_one("SELECT pg_relation_size('i') / 8192", &[]).unwrap().get(0)
    };
    let before = pages(&mut db);
    let actual = before as f64 / rows as f64;
    assert!((pages_a_row..pages_a_row * 1.1).contains(&actual), "{dims}: {actual} pages a row");
    let built = recall(&mut db, dims);
    assert!(built >= 0.92, "{dims} dimensions: recall {built}");

    db.batch_execute("CREATE TABLE old AS SELECT * FROM t WHERE id % 3 = 0").unwrap();
    db.batch_execute("DELETE FROM t WHERE id % 3 = 0").unwrap();
    db.batch_execute("VACUUM t").unwrap();
    assert_eq!(index_problems(&mut db, "i").unwrap(), [""; 0]);
    db.batch_execute("INSERT INTO t SELECT * FROM old").unwrap();
    let churned = recall(&mut db, dims);
    assert!(churned >= 0.92, "{dims} dimensions: recall {churned} after vacuum");
    assert!(pages(&mut db) <= before + before / 50, "{before} pages grew to {}", pages(&mut db));
}

#[test]
fn dimensions_1536() {
    lives(1_536, 1_500, 1.0);
}

#[test]
fn dimensions_3072() {
    lives(3_072, 1_000, 1.0);
}

#[test]
fn dimensions_4096() {
    lives(4_096, 900, 2.0);
}

#[test]
fn dimensions_16000() {
    lives(16_000, 150, 5.0);
}
