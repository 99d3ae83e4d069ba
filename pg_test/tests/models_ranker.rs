//! `model_ranker`: the scores of a reranking model replace those of the legs.

use model_server::{Fault, ModelServer};
use pg_test::{TestDb, refusal, sent, text};
use postgres::Client;

const ITEMS: &str = "
CREATE TABLE items (id int PRIMARY KEY, g int, body text, e vector(2),
    words tsvector GENERATED ALWAYS AS (to_tsvector('english', body)) STORED);
INSERT INTO items VALUES (1, 1, 'green tea', '[9,0]'), (2, 1, 'tea pot', '[1,0]'), (3, 2, 'coffee', '[2,0]'),
    (4, 2, NULL, '[3,0]'), (5, 3, 'a pot of very green tea', '[30,0]');
CREATE INDEX ON items USING hnsw (e vector_l2_ops);
";

fn start() -> (TestDb, ModelServer) {
    let (mut db, models) = (TestDb::new(), ModelServer::start());
    db.batch_execute(ITEMS).unwrap();
    db.batch_execute(&format!(
        "CREATE SERVER judge FOREIGN DATA WRAPPER vector_ext_model
             OPTIONS (provider 'tei', url '{}')",
        models.url()
    ))
    .unwrap();
    (db, models)
}

fn found(db: &mut Client, arguments: &str) -> Vec<(i32, f32)> {
    let query = format!("SELECT (hit).id, score FROM hybrid_search(NULL::items, {arguments})");
    db.query(&query, &[]).unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[test]
fn scores_of_the_model_replace_those_of_the_legs() {
    let (mut db, models) = start();
    let legs = "ARRAY[ann('e', '[0,0]', k => 4), fts('words', to_tsquery('english', 'green'))]";
    let ranker = "model_ranker('judge', 'green tea', 'body')";
    // What both legs find is scored together and once, also what is not returned.
    let all = [(1, 1.0), (2, 0.5), (5, 2.0 / 6.0), (3, 0.0), (4, f32::NEG_INFINITY)];
    assert_eq!(found(&mut db, &format!("{legs}, {ranker}")), all);
    let mut requests = sent(&models);
    assert_eq!(requests.len(), 1, "{requests:?}");
    requests[0].sort_unstable();
    assert_eq!(requests[0], ["a pot of very green tea", "coffee", "green tea", "tea pot"]);
    assert_eq!(found(&mut db, &format!("{legs}, {ranker}, k => 2, skip => 1")), all[1..3]);
    // A search of one leg.
    let one = "ARRAY[ann('e', '[0,0]', k => 2)]";
    assert_eq!(found(&mut db, &format!("{one}, {ranker}")), [(2, 0.5), (3, 0.0)]);
    // Groups of the best rows.
    let groups = format!("{legs}, {ranker}, group_by => 'g', k => 2");
    assert_eq!(found(&mut db, &groups), [(1, 1.0), (5, 2.0 / 6.0)]);
    sent(&models);
    assert_eq!(found(&mut db, &format!("{legs}, {ranker}, filter => 'id > 100'")), []);
    assert!(sent(&models).is_empty());
}

#[test]
fn the_statement_shows_the_model() {
    let (mut db, models) = start();
    let statement = "SELECT hybrid_search_sql(NULL::items, ARRAY[ann('e', '[0,0]')],
        model_ranker('judge', 'green tea', 'body'))";
    let statement = text(&mut db, statement).unwrap();
    assert!(statement.contains("model_score('judge'::pg_catalog.text, 'green tea'"), "{statement}");
    assert!(sent(&models).is_empty());
    db.batch_execute(&format!("EXPLAIN {statement}")).unwrap();
    assert!(sent(&models).is_empty());
    assert_eq!(db.query(&statement, &[]).unwrap().len(), 5);
}

#[test]
fn what_does_not_fit_is_refused() {
    let (mut db, models) = start();
    let search = |ranker: &str| {
        format!("SELECT hybrid_search(NULL::items, ARRAY[ann('e', '[0,0]')], {ranker})")
    };
    for (ranker, state) in [
        ("model_ranker('judge', 'tea', 'g')", "42804"),
        ("model_ranker('judge', 'tea', 'nothing')", "42703"),
        ("model_ranker('nobody', 'tea', 'body')", "42704"),
        ("model_ranker(NULL, 'tea', 'body')", "22023"),
        ("'{\"strategy\": \"model\"}'", "22023"),
    ] {
        let (found, message, _) = refusal(&mut db, &search(ranker));
        assert_eq!(found, state, "{ranker}: {message}");
    }
    models.misbehave(Fault::Status { status: 400, times: usize::MAX, retry_after: None });
    let (state, message, _) = refusal(&mut db, &search("model_ranker('judge', 'tea', 'body')"));
    assert_eq!(state, "08004");
    assert!(message.contains("judge"), "{message}");
}
