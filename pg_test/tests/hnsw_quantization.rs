//! Storage parameter `quantization`: the form in which an index holds vectors.

use pg_test::data::{DIMENSIONS, documents, queries};
use pg_test::{
    TestDb, Vector, copy_vectors, hint, index_problems, message, random_vector, sqlstate,
};

const K: usize = 10;
const ROWS: usize = 2_000;
const QUERIES: usize = 40;

/// A value of the parameter, and what `vector_index_info` says of such an index on vectors of more
/// than 64 dimensions.
const FORMS: [(&str, &str); 4] = [
    ("auto", "16-bit floats"),
    ("none", "32-bit floats"),
    ("sq8", "8-bit codes"),
    ("rabitq", "4-bit codes"),
];

/// Operator classes, their operators, and the values that fit them.
const CLASSES: [(&str, &str, &[&str]); 4] = [
    ("vector_l2_ops", "<->", &["auto", "none", "sq8", "rabitq"]),
    ("vector_ip_ops", "<#>", &["auto", "none", "sq8", "rabitq"]),
    ("vector_cosine_ops", "<=>", &["auto", "none", "sq8", "rabitq"]),
    ("vector_l1_ops", "<+>", &["auto", "none"]),
];

/// Real sentences, of many lengths, with noise that no narrow form holds.
fn sentences() -> (Vec<Vec<f32>>, Vec<Vec<f32>>) {
    let inexact = |(row, seed): (Vec<f32>, u64)| -> Vec<f32> {
        let noise = random_vector(seed, DIMENSIONS + 1);
        let length = 1.0 + noise[DIMENSIONS].abs();
        row.iter().zip(&noise).map(|(x, noise)| length * (x + 1e-3 * noise)).collect()
    };
    let rows = documents().unwrap().into_iter().map(|row| row.embedding).take(ROWS);
    let asked = queries().unwrap().into_iter().map(|row| row.embedding).take(QUERIES);
    (rows.zip(0..).map(inexact).collect(), asked.zip(10_000..).map(inexact).collect())
}

/// What `vector_index_info` says the index holds.
fn held(db: &mut TestDb) -> String {
    let info = "SELECT value FROM vector_index_info('i') WHERE property = 'vectors held as'";
    db.query_one(info, &[]).unwrap().get(0)
}

/// Distances of the `K` nearest rows to each query, nearest first.
fn nearest(db: &mut TestDb, operator: &str, queries: &[Vec<f32>], by_index: bool) -> Vec<Vec<f64>> {
    let settings = format!(
        "SET hnsw.ef_search = 100; SET enable_seqscan = {}; SET enable_indexscan = {by_index}",
        !by_index
    );
    db.batch_execute(&settings).unwrap();
    let search = format!("SELECT v {operator} $1 FROM t ORDER BY v {operator} $1 LIMIT {K}");
    let search = db.prepare(&search).unwrap();
    let distances = |query: &Vec<f32>| {
        let rows = db.query(&search, &[&Vector(query.clone())]).unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    };
    queries.iter().map(distances).collect()
}

/// Searches return the distances of the operator in order, and most of the nearest.
fn expect_nearest(db: &mut TestDb, operator: &str, queries: &[Vec<f32>], what: &str) {
    let exact = nearest(db, operator, queries, false);
    let found = nearest(db, operator, queries, true);
    let mut hits = 0;
    for (found, exact) in found.iter().zip(&exact) {
        assert_eq!(found.len(), K, "{what}");
        assert!(found.is_sorted(), "{what}: {found:?}");
        hits += found.iter().filter(|&distance| distance <= &exact[K - 1]).count();
    }
    let recall = hits as f64 / (K * QUERIES) as f64;
    println!("{what}: recall {recall:.4}");
    assert!(recall >= 0.97, "{what}: recall {recall}");
}

#[test]
fn every_form_finds_the_nearest_in_exact_order() {
    let (rows, queries) = sentences();
    let mut db = TestDb::new();
    for (opclass, operator, values) in CLASSES {
        for value in values {
            let create = format!(
                "DROP TABLE IF EXISTS t; CREATE TABLE t (id int, v vector({DIMENSIONS})); \
                 CREATE INDEX i ON t USING hnsw (v {opclass}) WITH (quantization = {value})"
            );
            db.batch_execute(&create).unwrap();
            copy_vectors(&mut db, "t", 0, rows[..1_200].iter().map(Vec::as_slice)).unwrap();
            db.batch_execute("REINDEX INDEX i").unwrap();
            copy_vectors(&mut db, "t", 1_200, rows[1_200..].iter().map(Vec::as_slice)).unwrap();
            expect_nearest(&mut db, operator, &queries, &format!("{opclass} {value}"));
            db.batch_execute("DELETE FROM t WHERE id % 3 = 0").unwrap();
            db.batch_execute("VACUUM t").unwrap();
            expect_nearest(&mut db, operator, &queries, &format!("{opclass} {value} vacuumed"));
            assert_eq!(index_problems(&mut db, "i").unwrap(), [""; 0]);
        }
    }
}

#[test]
fn the_form_is_kept_until_the_index_is_rebuilt() {
    let mut db = TestDb::new();
    db.batch_execute(
        "CREATE TABLE t (id int, v vector(65)); \
         INSERT INTO t VALUES (1, array_fill(1, ARRAY[65])::vector); \
         CREATE INDEX i ON t USING hnsw (v vector_l2_ops)",
    )
    .unwrap();
    let mut before = FORMS[0].1;
    for (value, form) in FORMS {
        db.batch_execute(&format!("ALTER INDEX i SET (quantization = {value})")).unwrap();
        let definition: String =
            db.query_one("SELECT pg_get_indexdef('i'::regclass)", &[]).unwrap().get(0);
        assert!(
            definition.replace('\'', "").ends_with(&format!("quantization={value})")),
            "{definition}"
        );
        assert_eq!(held(&mut db), before);
        let insert = "INSERT INTO t VALUES (2, array_fill(2, ARRAY[65])::vector)";
        db.batch_execute(&format!("{insert}; REINDEX INDEX i")).unwrap();
        assert_eq!(held(&mut db), form);
        before = form;
    }
    let error = db.batch_execute("ALTER INDEX i SET (quantization = pq)").unwrap_err();
    let error = error.as_db_error().unwrap();
    assert_eq!(error.message(), "invalid value for enum option \"quantization\": pq");
    assert_eq!(
        error.detail(),
        Some("Valid values are \"auto\", \"none\", \"sq8\" and \"rabitq\".")
    );
}

#[test]
fn types_are_held_as_small_as_their_numbers_allow() {
    let mut db = TestDb::new();
    for (of, opclass, value, form) in [
        ("vector(64)", "vector_l2_ops", "auto", "32-bit floats"),
        ("vector(65)", "vector_l1_ops", "auto", "16-bit floats"),
        ("halfvec(3)", "halfvec_l2_ops", "none", "16-bit floats"),
        ("bf16vec(3)", "bf16vec_l2_ops", "auto", "16-bit floats"),
        ("bf16vec(3)", "bf16vec_l2_ops", "none", "32-bit floats"),
        ("i8vec(3)", "i8vec_l2_ops", "auto", "8-bit integers"),
        ("i8vec(3)", "i8vec_l1_ops", "sq8", "8-bit integers"),
        ("i8vec(3)", "i8vec_l2_ops", "rabitq", "4-bit codes"),
        ("bit(3)", "bit_hamming_ops", "none", "bits"),
    ] {
        let create = format!(
            "DROP TABLE IF EXISTS t; CREATE TABLE t (v {of}); \
             CREATE INDEX i ON t USING hnsw (v {opclass}) WITH (quantization = {value})"
        );
        db.batch_execute(&create).unwrap();
        assert_eq!(held(&mut db), form, "{of} {value}");
    }
}

#[test]
fn builds_hold_vectors_exactly_that_halves_do_not_tell_apart() {
    const CREATE: &str = "CREATE INDEX i ON t USING hnsw (v vector_l2_ops)";
    let dims = 80;
    let mut db = TestDb::new();
    db.batch_execute(&format!("CREATE TABLE t (id int, v vector({dims})); {CREATE}")).unwrap();
    let vectors = |first: u64, count: u64, offset: f32| -> Vec<Vec<f32>> {
        let moved = |row: Vec<f32>| row.iter().map(|x| x + offset).collect();
        (first..first + count).map(|seed| moved(random_vector(seed, dims))).collect()
    };
    for (offset, form) in [(0.0, "16-bit floats"), (1_000.0, "32-bit floats")] {
        let (rows, queries) = (vectors(0, 600, offset), vectors(1 << 20, 10, offset));
        db.batch_execute("TRUNCATE t").unwrap();
        copy_vectors(&mut db, "t", 0, rows.iter().map(Vec::as_slice)).unwrap();
        db.batch_execute("REINDEX INDEX i").unwrap();
        assert_eq!(held(&mut db), form);
        let exact = nearest(&mut db, "<->", &queries, false);
        let found = nearest(&mut db, "<->", &queries, true);
        let hits = found.iter().flatten().filter(|x| exact.iter().flatten().any(|y| y == *x));
        assert!(hits.count() >= K * queries.len() * 9 / 10, "{form}");
        db.batch_execute(&format!("DROP INDEX i; {CREATE}")).unwrap();
        assert_eq!(held(&mut db), form);
    }
    db.batch_execute("ALTER INDEX i SET (quantization = sq8); REINDEX INDEX i").unwrap();
    assert_eq!(held(&mut db), "8-bit codes", "only where the index may choose");
}

#[test]
fn narrower_forms_take_fewer_pages() {
    let mut db = TestDb::new();
    let mut pages = |dims: usize, of: &str, value: &str| -> f64 {
        let create = format!(
            "DROP TABLE IF EXISTS s, t; CREATE TABLE s (id int, v vector({dims})); \
             CREATE TABLE t (v {of}({dims})); \
             CREATE INDEX i ON t USING hnsw (v {of}_l2_ops) WITH (quantization = {value})"
        );
        db.batch_execute(&create).unwrap();
        let rows: Vec<Vec<f32>> = (0..200).map(|seed| random_vector(seed, dims)).collect();
        copy_vectors(&mut db, "s", 0, rows.iter().map(Vec::as_slice)).unwrap();
        db.batch_execute(&format!("INSERT INTO t SELECT v::{of} FROM s")).unwrap();
        db.batch_execute("REINDEX INDEX i").unwrap();
        let size = "SELECT pg_relation_size('i') / current_setting('block_size')::int";
        db.query_one(size, &[]).unwrap().get::<_, i64>(0) as f64
    };
    for dims in [768, 1_024, 2_000, 3_072] {
        let floats = pages(dims, "vector", "none");
        assert!(pages(dims, "halfvec", "none") <= 0.7 * floats, "{dims} dimensions");
        assert!(pages(dims, "vector", "auto") <= 0.7 * floats, "{dims} dimensions");
    }
    for dims in [384, 1_536] {
        let [auto, sq8, rabitq] =
            ["auto", "sq8", "rabitq"].map(|value| pages(dims, "vector", value));
        assert!(sq8 <= 0.8 * auto && rabitq <= 0.85 * sq8, "{auto} {sq8} {rabitq}");
    }
}

#[test]
fn forms_that_do_not_fit_a_distance_are_refused() {
    let mut db = TestDb::new();
    db.batch_execute("CREATE TABLE t (v vector(3), b bit(3))").unwrap();
    for (column, what) in
        [("v vector_l1_ops", "taxicab distance"), ("b bit_hamming_ops", "bit strings")]
    {
        for value in ["sq8", "rabitq"] {
            let create =
                format!("CREATE INDEX ON t USING hnsw ({column}) WITH (quantization = {value})");
            let error = db.batch_execute(&create).unwrap_err();
            assert_eq!(sqlstate(&error), "0A000");
            let refusal = format!("quantization \"{value}\" is not supported for {what}");
            assert_eq!(message(&error), refusal);
            assert_eq!(hint(&error), "Leave quantization at \"auto\", or set it to \"none\".");
        }
    }
}
