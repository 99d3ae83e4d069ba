//! The order of results is that of the operator, to the last bit of a distance.

use pg_test::data::{DIMENSIONS, documents, queries};
use pg_test::{TestDb, Vector, copy_vectors, explain_plan, random_vector, scans_index};

const OPERATORS: [(&str, &str); 4] = [
    ("vector_l2_ops", "<->"),
    ("vector_ip_ops", "<#>"),
    ("vector_cosine_ops", "<=>"),
    ("vector_l1_ops", "<+>"),
];

/// Sentences, with noise that a 16-bit float cannot hold, and of many lengths.
fn inexact(embedding: Vec<f32>, seed: u64) -> Vec<f32> {
    let noise = random_vector(seed, DIMENSIONS + 1);
    let length = 1.0 + 1000.0 * noise[DIMENSIONS].abs();
    embedding.iter().zip(&noise).map(|(x, noise)| length * (x + 1e-4 * noise)).collect()
}

#[test]
fn distances_never_fall() {
    for (opclass, operator) in OPERATORS {
        let mut db = TestDb::new();
        db.batch_execute(&format!("CREATE TABLE t (id int, v vector({DIMENSIONS}))")).unwrap();
        let rows = documents().unwrap().into_iter().take(1500).zip(0..);
        let rows: Vec<_> = rows.map(|(row, seed)| inexact(row.embedding, seed)).collect();
        copy_vectors(&mut db, "t", 0, rows.iter().map(Vec::as_slice)).unwrap();
        db.batch_execute(&format!(
            "CREATE INDEX i ON t USING hnsw (v {opclass}); SET enable_seqscan = off"
        ))
        .unwrap();

        let search = |limit| {
            format!("SELECT id, v {operator} $1 FROM t ORDER BY v {operator} $1 LIMIT {limit}")
        };
        let plan = explain_plan(&mut db, &search(1).replace("$1", "'[0]'")).unwrap();
        assert!(scans_index(&plan, "i"), "{plan}");
        // The second limit goes on beyond the first beam, twice.
        for (limit, least) in [(10, 10), (300, 300)] {
            let search = db.prepare(&search(limit)).unwrap();
            for (query, seed) in queries().unwrap().into_iter().take(15).zip(10_000..) {
                let query = Vector(inexact(query.embedding, seed));
                let rows = db.query(&search, &[&query]).unwrap();
                assert!(rows.len() >= least, "{} rows", rows.len());
                let distances: Vec<f64> = rows.iter().map(|row| row.get(1)).collect();
                assert!(distances.is_sorted(), "{operator} {distances:?}");
            }
        }
    }
}
