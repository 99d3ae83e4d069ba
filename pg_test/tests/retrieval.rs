//! What searches are worth to people: sentences whose relevant documents are known.

use std::collections::HashSet;

use pg_test::data::{DIMENSIONS, Sentence, documents, queries};
use pg_test::{TestDb, Vector};
use postgres::Client;

/// Results that count.
const K: usize = 10;

fn load(db: &mut Client, documents: &[Sentence]) {
    db.batch_execute(&format!(
        "CREATE TABLE docs (id int PRIMARY KEY, text text, embedding vector({DIMENSIONS}),
            words tsvector GENERATED ALWAYS AS (to_tsvector('english', text)) STORED)"
    ))
    .unwrap();
    let insert = db.prepare("INSERT INTO docs VALUES ($1, $2, $3)").unwrap();
    let mut load = db.transaction().unwrap();
    for (id, document) in (0i32..).zip(documents) {
        let embedding = Vector(document.embedding.clone());
        load.execute(&insert, &[&id, &document.text, &embedding]).unwrap();
    }
    load.commit().unwrap();
    db.batch_execute(
        "CREATE INDEX ON docs USING hnsw (embedding vector_cosine_ops);
        CREATE INDEX ON docs USING gin (words);
        ANALYZE docs",
    )
    .unwrap();
}

/// The documents that define a word: definitions begin with the words they are of.
fn relevant(documents: &[Sentence], word: &str) -> HashSet<i32> {
    let defines = |document: &Sentence| {
        let words = document.text.split(": ").next().unwrap_or_default();
        words.split(", ").any(|defined| defined == word)
    };
    (0i32..).zip(documents).filter(|(_, document)| defines(document)).map(|(id, _)| id).collect()
}

/// The discounted gain of a result, as a share of that of the best one (nDCG@10).
fn gain(found: &[i32], relevant: &HashSet<i32>) -> f64 {
    let discounted = |rank: usize| 1.0 / (rank as f64 + 2.0).log2();
    let gains = found.iter().enumerate().filter(|(_, id)| relevant.contains(id));
    let best: f64 = (0..relevant.len().min(K)).map(discounted).sum();
    gains.map(|(rank, _)| discounted(rank)).sum::<f64>() / best
}

/// Embeddings find what means the same, words what is said in the same words: both together find
/// more than either.
#[test]
fn two_searches_find_more_than_one() {
    let mut db = TestDb::new();
    let (documents, questions) = (documents().unwrap(), queries().unwrap());
    load(&mut db, &documents);
    let (near, alike) = ("ann('embedding', $1, 50)", "fts('words', question, 50)");
    let searches = [
        format!("vector_search(NULL::docs, {near})"),
        format!("vector_search(NULL::docs, {alike})"),
        format!("hybrid_search(NULL::docs, ARRAY[{near}, {alike}])"),
        format!(
            "hybrid_search(NULL::docs, ARRAY[{near}, {alike}], weighted_ranker('{{0.7, 0.3}}'))"
        ),
        format!(
            "hybrid_search(NULL::docs, ARRAY[{near}, {alike}], min_max_ranker('{{0.6, 0.4}}'))"
        ),
    ];
    // Documents with any of the words, those with most of them first.
    let any = "replace(plainto_tsquery('english', $2)::text, '&', '|')::tsquery";
    let gains = searches.map(|search| {
        let query = format!(
            "SELECT (found.hit).id FROM (SELECT $1::vector, {any} AS question) AS q, {search} AS found"
        );
        let query = db.prepare(&query).unwrap();
        let mut total = 0.0;
        for question in &questions {
            let embedding = Vector(question.embedding.clone());
            let rows = db.query(&query, &[&embedding, &question.text]).unwrap();
            let found: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
            assert!(found.len() <= K);
            total += gain(&found, &relevant(&documents, &question.topic));
        }
        total / questions.len() as f64
    });
    let [near, alike, by_ranks, by_scores, by_scaled_scores] = gains;
    println!(
        "nDCG@10: embeddings {near:.3}, words {alike:.3}, both by ranks {by_ranks:.3}, \
         scores {by_scores:.3}, scaled scores {by_scaled_scores:.3}"
    );
    let alone = near.max(alike);
    assert!(by_ranks > alone + 0.01 && by_scores > alone, "{gains:?}");
    assert!(by_scaled_scores > by_ranks && by_scaled_scores > by_scores, "{gains:?}");
}
