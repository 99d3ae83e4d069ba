//! Scores of full text equal BM25 computed from the definition, whatever has happened to the index.

use std::collections::HashMap;

use pg_test::{TestDb, explain_plan, index_problems};
use postgres::Client;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const K1: f64 = 1.2;
const B: f64 = 0.75;

/// Words with the frequencies of a language: the first are in nearly every text.
pub(crate) fn word(random: &mut SmallRng) -> String {
    let rank = (3_000.0_f64.ln() * random.random::<f64>()).exp() as u32;
    format!("w{rank}")
}

pub(crate) fn text(random: &mut SmallRng) -> String {
    let words = random.random_range(0..40);
    (0..words).map(|_| word(random)).collect::<Vec<_>>().join(" ")
}

/// What BM25 is, over all rows of the table.
struct Naive {
    rows: HashMap<i32, Vec<String>>,
}

impl Naive {
    fn of(client: &mut Client) -> Self {
        let rows = client.query("SELECT id, body FROM t WHERE body IS NOT NULL", &[]).unwrap();
        let words = |body: &str| body.split_whitespace().map(str::to_owned).collect();
        Self { rows: rows.iter().map(|row| (row.get(0), words(row.get(1)))).collect() }
    }

    /// Matching rows with their scores, the best first.
    fn search(&self, query: &str) -> Vec<(i32, f64)> {
        let n = self.rows.len() as f64;
        let average = self.rows.values().map(Vec::len).sum::<usize>() as f64 / n;
        let mut scores: HashMap<i32, f64> = HashMap::new();
        for term in query.split_whitespace() {
            let holds = |words: &&Vec<String>| words.iter().any(|word| word == term);
            let holding = self.rows.values().filter(holds).count() as f64;
            let idf = (1.0 + (n - holding + 0.5) / (holding + 0.5)).ln();
            for (&id, words) in &self.rows {
                let tf = words.iter().filter(|word| *word == term).count() as f64;
                if tf > 0.0 {
                    let norm = K1 * (1.0 - B + B * words.len() as f64 / average);
                    *scores.entry(id).or_default() += idf * tf * (K1 + 1.0) / (tf + norm);
                }
            }
        }
        let mut scores: Vec<_> = scores.into_iter().collect();
        scores.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        scores
    }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-5 * b.abs()
}

/// Fails unless searches find what the definition says, by the index and by the operator alone.
#[track_caller]
pub(crate) fn check(client: &mut Client, seed: u64) {
    assert_eq!(index_problems(client, "i").unwrap(), [""; 0]);
    let naive = Naive::of(client);
    let mut random = SmallRng::seed_from_u64(seed);
    for round in 0..30 {
        let words = random.random_range(1..6);
        let query = (0..words).map(|_| word(&mut random)).collect::<Vec<_>>().join(" ");
        let expected = naive.search(&query);
        let limit = [1, 10, 100, 100_000][round % 4];
        let search = "SELECT id, -(body <@> $1), -bm25_distance(body, bm25query('i', $1))
                      FROM t ORDER BY body <@> $1 LIMIT $2";
        let rows = client.query(search, &[&query, &i64::from(limit)]).unwrap();
        let found: Vec<(i32, f64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        assert_eq!(found.len(), expected.len().min(limit as usize), "{query}");
        let score: HashMap<i32, f64> = expected.iter().copied().collect();
        for ((&(id, found), row), (_, best)) in found.iter().zip(&rows).zip(&expected) {
            assert!(near(found, score[&id]) && near(found, *best), "{query}: {id} {found} {best}");
            assert_eq!(found, row.get::<_, f64>(2), "{query}");
        }
    }
}

fn table(rows: i32, options: &str) -> TestDb {
    let mut db = TestDb::new();
    db.batch_execute("CREATE TABLE t (id int, body text)").unwrap();
    insert(&mut db, 0..rows);
    db.batch_execute(&format!("CREATE INDEX i ON t USING inverted (body) {options}")).unwrap();
    db
}

fn insert(client: &mut Client, ids: std::ops::Range<i32>) {
    let ids: Vec<i32> = ids.collect();
    let bodies: Vec<String> =
        ids.iter().map(|&id| text(&mut SmallRng::seed_from_u64(id as u64))).collect();
    let insert = "INSERT INTO t SELECT * FROM unnest($1::int[], $2::text[])";
    client.execute(insert, &[&ids, &bodies]).unwrap();
}

#[test]
fn of_an_index_that_was_built() {
    check(&mut table(3_000, ""), 1);
    check(&mut table(500, "WITH (positions = false)"), 2);
}

#[test]
fn of_an_index_that_grows_and_is_vacuumed() {
    let mut db = table(0, "");
    insert(&mut db, 0..1);
    check(&mut db, 1);
    for round in 0..6 {
        insert(&mut db, round * 2_000 + 1..round * 2_000 + 2_001);
        check(&mut db, 2);
        db.execute("DELETE FROM t WHERE id % 7 = $1", &[&round]).unwrap();
        db.execute("UPDATE t SET body = body || ' w1 new' WHERE id % 50 = $1", &[&round]).unwrap();
        db.batch_execute("VACUUM t").unwrap();
        check(&mut db, 3);
    }
    db.batch_execute("DELETE FROM t").unwrap();
    db.batch_execute("VACUUM t").unwrap();
    assert_eq!(index_problems(&mut db, "i").unwrap(), [""; 0]);
    insert(&mut db, 0..100);
    check(&mut db, 4);
    db.batch_execute("REINDEX INDEX CONCURRENTLY i").unwrap();
    check(&mut db, 5);
}

#[test]
fn in_the_statement_that_inserted_and_not_after_it_was_rolled_back() {
    let mut db = table(100, "");
    let find = "SELECT id FROM t ORDER BY body <@> 'unique' LIMIT 3";
    let ids = |client: &mut Client| -> Vec<i32> {
        client.query(find, &[]).unwrap().iter().map(|row| row.get(0)).collect()
    };
    db.batch_execute("BEGIN; INSERT INTO t VALUES (7000, 'unique w1'), (7001, NULL)").unwrap();
    assert_eq!(ids(&mut db), [7_000]);
    db.batch_execute("SAVEPOINT s; INSERT INTO t VALUES (7002, 'unique')").unwrap();
    assert_eq!(ids(&mut db), [7_002, 7_000]);
    db.batch_execute("ROLLBACK TO s").unwrap();
    assert_eq!(ids(&mut db), [7_000]);
    db.batch_execute("ROLLBACK").unwrap();
    assert_eq!(ids(&mut db), [0; 0]);
}

#[test]
fn of_arrays_that_are_one_document_and_of_long_texts() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE a (id int, body text[]);
         INSERT INTO a SELECT i, ARRAY['alpha beta', NULL, 'gamma ' || i] FROM generate_series(1, 50) i;
         INSERT INTO a VALUES (51, '{}'), (52, NULL), (53, '{gamma}');
         CREATE INDEX ON a USING inverted (body)",
    )
    .unwrap();
    let search = "SELECT id FROM a ORDER BY body <@> 'gamma 7' LIMIT 2";
    let ids: Vec<i32> = db.query(search, &[]).unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(ids, [7, 53]);
    // Longer than a page, and longer than the write buffer.
    let long = (0..200_000).map(|i| format!("x{}", i % 30_000)).collect::<Vec<_>>().join(" ");
    db.execute("INSERT INTO a VALUES (60, ARRAY[$1, 'needle'])", &[&long]).unwrap();
    let search = "SELECT id FROM a ORDER BY body <@> 'needle x29999' LIMIT 5";
    let ids: Vec<i32> = db.query(search, &[]).unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(ids, [60]);
}

#[test]
fn sparse_vectors_come_in_the_order_of_the_operator() {
    let mut db = TestDb::new();
    db.batch_execute("CREATE TABLE s (id int, v sparsevec(1000))").unwrap();
    let mut random = SmallRng::seed_from_u64(9);
    let mut vector = || {
        let mut elements: Vec<String> = (0..20)
            .map(|part| {
                let (dimension, weight) = (random.random_range(1..=50), random.random::<f32>());
                format!("{}:{}", part * 50 + dimension, weight - 0.2)
            })
            .collect();
        elements.dedup();
        format!("{{{}}}/1000", elements.join(","))
    };
    for id in 0..2_000 {
        db.execute("INSERT INTO s VALUES ($1, $2::text::sparsevec)", &[&id, &vector()]).unwrap();
        if id == 1_000 {
            db.batch_execute("CREATE INDEX ON s USING inverted (v); SET enable_sort = off")
                .unwrap();
        }
    }
    let queries: Vec<String> = (0..20).map(|_| vector()).collect();
    let plan = "SELECT id FROM s ORDER BY v <#> '{1:1}/1000' LIMIT 10";
    assert!(explain_plan(&mut db, plan).unwrap().contains("Vector Index Scan"));
    for query in &queries {
        let by = |order: &str| {
            format!("SELECT id, v <#> $1::text::sparsevec FROM s ORDER BY {order} LIMIT 25")
        };
        let mut rows = |order: &str| -> Vec<(i32, f64)> {
            let rows = db.query(&by(order), &[query]).unwrap();
            rows.iter().map(|row| (row.get(0), row.get(1))).collect()
        };
        let exact = rows("(v <#> $1::text::sparsevec) + 0, id");
        assert_eq!(rows("v <#> $1::text::sparsevec"), exact);
    }
}

#[test]
fn small_weights_of_a_query_can_be_dropped() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE s (id int, v sparsevec(9)); CREATE INDEX ON s USING inverted (v);
         INSERT INTO s VALUES (1, '{1:1}/9'), (2, '{2:1}/9'), (3, '{1:2,2:1}/9'); SET enable_sort = off",
    )
    .unwrap();
    let mut ids = |ratio: &str| -> Vec<i32> {
        db.batch_execute(&format!("SET inverted.drop_ratio_search = {ratio}")).unwrap();
        let query = "SELECT id FROM s ORDER BY v <#> '{1:1,2:0.5,3:0.1}/9'";
        db.query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect()
    };
    assert_eq!(ids("0"), [3, 1, 2]);
    assert_eq!(ids("0.4"), [3, 1, 2]);
    assert_eq!(ids("0.7"), [3, 1]);
}
