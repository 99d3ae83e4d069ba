//! Indexes on `sparsevec`: real sentences by their words, vectors of all lengths, refusals.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use pg_test::data::documents;
use pg_test::{TestDb, index_problems, message, sqlstate};

/// Dimensions; words are hashed to one of them.
const DIMS: u64 = 250_000;

/// The words of a text, counted, and the beginnings of words, as learned models add related ones.
fn sparse(text: &str) -> String {
    let mut elements = BTreeMap::new();
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 2);
    for word in words.map(str::to_lowercase) {
        for len in 2..=word.chars().count() {
            let part: String = word.chars().take(len).collect();
            let mut hasher = DefaultHasher::new();
            part.hash(&mut hasher);
            *elements.entry(1 + hasher.finish() % DIMS).or_insert(0.0) += len as f32 / 4.0;
        }
    }
    let elements: Vec<String> = elements.iter().map(|(i, x)| format!("{i}:{x}")).collect();
    format!("{{{}}}/{DIMS}", elements.join(","))
}

/// Table `t (id, v)` with the first sentences, and the next few to ask for.
fn sentences(rows: usize) -> (TestDb, Vec<String>) {
    let mut db = TestDb::new();
    let texts: Vec<String> = documents().unwrap().iter().map(|row| sparse(&row.text)).collect();
    let ids: Vec<i32> = (0..rows as i32).collect();
    db.batch_execute(&format!("CREATE TABLE t (id int, v sparsevec({DIMS}))")).unwrap();
    let insert =
        "INSERT INTO t SELECT id, v::sparsevec FROM unnest($1::int[], $2::text[]) r(id, v)";
    db.execute(insert, &[&ids, &&texts[..rows]]).unwrap();
    (db, texts[rows..rows + 40].to_vec())
}

fn nearest(db: &mut TestDb, operator: &str, query: &str, by_index: bool) -> Vec<f64> {
    let settings = format!("SET enable_seqscan = {}; SET enable_indexscan = {by_index}", !by_index);
    db.batch_execute(&settings).unwrap();
    let distance = format!("v {operator} '{query}'::sparsevec");
    let search = format!("SELECT {distance} FROM t ORDER BY {distance} LIMIT 10");
    db.query(&search, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

fn recall(db: &mut TestDb, operator: &str, queries: &[String]) -> f64 {
    let mut found = 0;
    for query in queries {
        let exact = nearest(db, operator, query, false);
        let by_index = nearest(db, operator, query, true);
        found += by_index.iter().filter(|&distance| distance <= &exact[9]).count();
    }
    found as f64 / (10 * queries.len()) as f64
}

#[test]
fn sentences_are_found_by_their_words() {
    let (mut db, queries) = sentences(3_000);
    // One thread builds the same index each time.
    db.batch_execute("SET max_parallel_maintenance_workers = 0").unwrap();
    // Products favor long sentences; angles between sentences are nearly all right ones.
    for (class, operator, floor) in
        [("l2", "<->", 0.9), ("ip", "<#>", 0.7), ("cosine", "<=>", 0.5), ("l1", "<+>", 0.9)]
    {
        let create = format!("CREATE INDEX i ON t USING hnsw (v sparsevec_{class}_ops)");
        db.batch_execute(&create).unwrap();
        let built = recall(&mut db, operator, &queries);
        db.batch_execute("DELETE FROM t WHERE id % 4 = 0").unwrap();
        db.batch_execute("VACUUM t").unwrap();
        db.batch_execute("INSERT INTO t SELECT id + 10000, v FROM t").unwrap();
        assert_eq!(index_problems(&mut db, "i").unwrap(), [""; 0], "{class}");
        let later = recall(&mut db, operator, &queries);
        println!("{class}: recall {built} built, {later} later");
        assert!(built >= floor && later >= floor, "{class}: recall {built}, {later}");
        let measured = db.query_one("SELECT recall FROM vector_index_recall('i', 10, 30)", &[]);
        let measured = measured.unwrap().get::<_, f64>(0);
        assert!(measured >= floor, "{class}: measured {measured}");
        db.batch_execute("DROP INDEX i; DELETE FROM t WHERE id >= 10000").unwrap();
    }
}

#[test]
fn a_target_recall_is_reached() {
    let (mut db, queries) = sentences(3_000);
    db.batch_execute(
        "CREATE INDEX i ON t USING hnsw (v sparsevec_cosine_ops); \
         SET vector_ext.target_recall = 0.95",
    )
    .unwrap();
    let recall = recall(&mut db, "<=>", &queries);
    assert!(recall >= 0.93, "{recall}");
}

#[test]
fn vectors_may_have_any_number_of_elements() {
    let mut db = TestDb::new();
    // Ones at every 60,000th index; a query that is a row finds it first.
    let make = "CREATE FUNCTION ones(n int) RETURNS sparsevec LANGUAGE sql AS $$ \
        SELECT ('{' || coalesce(string_agg(i * 60000 + n + 1 || ':1', ','), '') || '}/1000000000') \
            ::sparsevec FROM generate_series(0, n - 1) i $$; \
        CREATE TABLE t (n int, v sparsevec(1000000000)); \
        INSERT INTO t SELECT n, ones(n) FROM unnest('{0,1,2,100,209,210,1000,1001}'::int[]) n; \
        CREATE INDEX i ON t USING hnsw (v sparsevec_l2_ops); \
        INSERT INTO t SELECT n, ones(n) FROM unnest('{3,200,211,2000,16000}'::int[]) n; \
        SET enable_seqscan = off";
    db.batch_execute(make).unwrap();
    for n in [1, 2, 3, 100, 200, 209, 210, 211, 1_000, 1_001, 2_000, 16_000] {
        let search = format!("SELECT n, v <-> ones({n}) FROM t ORDER BY v <-> ones({n}) LIMIT 1");
        let row = db.query_one(&search, &[]).unwrap();
        assert_eq!((row.get::<_, i32>(0), row.get::<_, f64>(1)), (n, 0.0));
    }
    assert_eq!(index_problems(&mut db, "i").unwrap(), [""; 0]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut db = TestDb::new();
    db.batch_execute("CREATE TABLE t (v sparsevec); INSERT INTO t VALUES ('{1:1}/5'), ('{1:1}/6')")
        .unwrap();
    let create = |db: &mut TestDb, key: &str, with: &str| {
        let create = format!("CREATE INDEX ON t USING hnsw ({key} sparsevec_l2_ops) {with}");
        let error = db.batch_execute(&create).unwrap_err();
        (sqlstate(&error).to_string(), message(&error))
    };
    let none = ("22023".into(), "column does not have dimensions".into());
    assert_eq!(create(&mut db, "v", ""), none);
    let other = ("22000".into(), "expected 5 dimensions, not 6".into());
    assert_eq!(create(&mut db, "(v::sparsevec(5))", ""), other);
    db.batch_execute("TRUNCATE t; INSERT INTO t VALUES ('{1:1}/5')").unwrap();
    let coarse = "quantization \"sq8\" is not supported for sparse vectors";
    let refused = create(&mut db, "(v::sparsevec(5))", "WITH (quantization = sq8)");
    assert_eq!(refused, ("0A000".into(), coarse.into()));
    db.batch_execute("CREATE INDEX ON t USING hnsw ((v::sparsevec(5)) sparsevec_l2_ops)").unwrap();
    let query = "SET enable_seqscan = off; SELECT FROM t ORDER BY v::sparsevec(5) <-> '{1:1}/6'";
    let error = db.batch_execute(query).unwrap_err();
    assert_eq!(message(&error), "different sparsevec dimensions 5 and 6");
}

#[test]
fn zero_vectors_have_no_direction() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE t (v sparsevec(9)); INSERT INTO t VALUES ('{}/9'), ('{1:1}/9'), (NULL); \
         CREATE INDEX i ON t USING hnsw (v sparsevec_cosine_ops); \
         INSERT INTO t VALUES ('{}/9'), ('{2:1}/9'); SET enable_seqscan = off",
    )
    .unwrap();
    let rows = db.query("SELECT FROM t ORDER BY v <=> '{1:2,2:1}/9'", &[]).unwrap();
    assert_eq!(rows.len(), 2);
}
