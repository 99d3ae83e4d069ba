//! What searches are worth to people: sentences whose relevant documents are known.

use std::collections::HashSet;
use std::path::Path;

use pg_test::data::{DIMENSIONS, STATIC_MODEL, Sentence, documents, queries};
use pg_test::{TestDb, Vector, copy_model};
use postgres::Client;

/// Results that count for the gain.
const K: usize = 10;
/// Rows that each search finds.
const ROWS: usize = 100;

fn load(db: &mut Client, documents: &[Sentence]) {
    db.batch_execute(&format!(
        "CREATE TABLE docs (id int PRIMARY KEY, text text, embedding vector({DIMENSIONS}))"
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
        CREATE INDEX ON docs USING inverted (text) WITH (analyzer = 'english');
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

/// How good a search is, on average over all questions.
#[derive(Clone, Copy, Debug, Default)]
struct Quality {
    /// Discounted gain of the first results, as a share of that of the best ones (nDCG@10).
    gain: f64,
    /// Share of the relevant documents among all rows found (recall@100).
    recall: f64,
}

impl Quality {
    fn of(found: &[i32], relevant: &HashSet<i32>) -> Quality {
        let discounted = |rank: usize| 1.0 / (rank as f64 + 2.0).log2();
        let hits = || found.iter().enumerate().filter(|(_, id)| relevant.contains(id));
        let gains: f64 = hits().filter(|hit| hit.0 < K).map(|(rank, _)| discounted(rank)).sum();
        let best: f64 = (0..relevant.len().min(K)).map(discounted).sum();
        Quality { gain: gains / best, recall: hits().count() as f64 / relevant.len() as f64 }
    }
}

/// The quality of a search with parameters: `$1`, the embedding of a question, and `$2`, its text.
fn measure(
    db: &mut Client,
    documents: &[Sentence],
    questions: &[Sentence],
    search: &str,
) -> Quality {
    let query = format!("SELECT (hit).id FROM {search}");
    let query = db.prepare(&query).unwrap();
    let mut total = Quality::default();
    for question in questions {
        let embedding = Vector(question.embedding.clone());
        let rows = db.query(&query, &[&embedding, &question.text]).unwrap();
        let found: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
        assert!(found.len() <= ROWS);
        let one = Quality::of(&found, &relevant(documents, &question.topic));
        total = Quality { gain: total.gain + one.gain, recall: total.recall + one.recall };
    }
    let count = questions.len() as f64;
    let mean = Quality { gain: total.gain / count, recall: total.recall / count };
    println!("nDCG@10 {:.3}, recall@100 {:.3}: {search}", mean.gain, mean.recall);
    mean
}

/// Embeddings find what means the same, words what is said in the same words: both together find
/// more than either.
#[test]
fn two_searches_find_more_than_one() {
    let mut db = TestDb::new();
    let (documents, questions) = (documents().unwrap(), queries().unwrap());
    load(&mut db, &documents);
    let (near, alike) = ("ann('embedding', $1::vector, 100)", "bm25('text', $2::text, 100)");
    let one = |leg| {
        format!("(SELECT $1::vector, $2::text) AS q, vector_search(NULL::docs, {leg}, k => {ROWS})")
    };
    let both = |ranker| {
        let legs = format!("ARRAY[{near}, {alike}]");
        format!("hybrid_search(NULL::docs, {legs}, {ranker}, k => {ROWS})")
    };
    let mut quality = |search: String| measure(&mut db, &documents, &questions, &search);
    let by_meaning = quality(one(near));
    let by_words = quality(one(alike));
    let by_ranks = quality(both("rrf_ranker()"));
    let by_scores = quality(both("min_max_ranker('{0.4, 0.6}')"));
    assert!(by_ranks.gain >= by_meaning.gain + 0.06);
    assert!(by_ranks.recall > by_words.recall && by_words.recall > by_meaning.recall + 0.1);
    assert!(by_scores.gain >= by_words.gain + 0.015);
    assert!(by_scores.gain > by_ranks.gain && by_scores.recall > by_words.recall);
}

/// The demo's static model, computed in the database, puts as much in front as the model it was made of, and
/// finds somewhat less.
#[test]
fn a_static_model_is_nearly_as_good_as_its_teacher() {
    let mut db = TestDb::new();
    let (documents, questions) = (documents().unwrap(), queries().unwrap());
    load(&mut db, &documents);
    let folder = copy_model(db.cluster(), db.name(), Path::new(STATIC_MODEL)).unwrap();
    db.batch_execute(&format!(
        "CREATE SERVER words FOREIGN DATA WRAPPER vector_ext_model
             OPTIONS (provider 'static', path '{}');
         CREATE TABLE notes AS SELECT id, embed('words', text)::vector(256) AS v FROM docs;
         CREATE INDEX ON notes USING hnsw (v vector_cosine_ops)",
        folder.display()
    ))
    .unwrap();
    let search = |question: &str| {
        format!("(SELECT $1::vector, $2::text) AS q, vector_search({question}, k => {ROWS})")
    };
    let mut quality = |question| measure(&mut db, &documents, &questions, &search(question));
    let teacher = quality("NULL::docs, ann('embedding', $1::vector, 100)");
    let own = quality("NULL::notes, ann('v', embed('words', $2::text), 100)");
    assert!(own.gain >= teacher.gain && own.recall >= 0.85 * teacher.recall);
}
