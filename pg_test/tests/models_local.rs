//! Transformer models in files of the database server: the server runs them itself, and they can be used
//! like models elsewhere, and stopped.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pg_test::{TestDb, copy_model, refusal, text};

/// Where the models of the crate's tests are.
fn data(model: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/models/tests/data/local").join(model)
}

/// Makes a foreign server `name` of a model, with more options; the folder of its files.
fn create(db: &mut TestDb, name: &str, model: &str, options: &str) -> PathBuf {
    let copy = format!("{}_{name}", db.name());
    let folder = copy_model(db.cluster(), &copy, &data(model)).unwrap();
    db.batch_execute(&format!(
        "CREATE SERVER {name} FOREIGN DATA WRAPPER vector_ext_model
             OPTIONS (provider 'local', path '{}' {options})",
        folder.display()
    ))
    .unwrap();
    folder
}

/// Makes a table `expected` with what sentence-transformers computes with a model, as JSON.
fn expect(db: &mut TestDb, model: &str) {
    let json = fs::read_to_string(data(model).join("expected.json")).unwrap();
    db.batch_execute("DROP TABLE IF EXISTS expected; CREATE TABLE expected (j jsonb)").unwrap();
    db.execute("INSERT INTO expected SELECT $1::text::jsonb", &[&json]).unwrap();
}

#[test]
fn vectors_are_those_of_sentence_transformers() {
    let mut db = TestDb::new();
    create(&mut db, "texts", "bert_mean", "");
    expect(&mut db, "bert_mean");
    db.batch_execute(
        "CREATE TABLE texts AS
         SELECT n, t.text, t.vector::text::vector(16) AS vector
         FROM expected,
              ROWS FROM (jsonb_array_elements_text(j->'texts'), jsonb_array_elements(j->'vectors'))
                  WITH ORDINALITY AS t(text, vector, n)",
    )
    .unwrap();
    let alone = "SELECT max(embed('texts', text) <-> vector) < 0.0001 AND count(*) > 20 FROM texts";
    assert_eq!(text(&mut db, alone).unwrap(), "t");
    let together = "SELECT max(v <-> vector) < 0.0001
        FROM (SELECT array_agg(text ORDER BY n) AS texts, array_agg(vector ORDER BY n) AS vectors
              FROM texts) e,
             unnest(embed('texts', texts), vectors) AS u(v, vector)";
    assert_eq!(text(&mut db, together).unwrap(), "t");
}

#[test]
fn documents_are_ranked_by_a_model() {
    let mut db = TestDb::new();
    create(&mut db, "judge", "bert_judge", "");
    create(&mut db, "texts", "bert_mean", "");
    expect(&mut db, "bert_judge");
    let scores = "SELECT bool_and(s[1] IS NULL AND abs(s[2] - score::float8) < 0.0001), count(*)
        FROM expected,
             ROWS FROM (jsonb_array_elements(j->'pairs'), jsonb_array_elements(j->'scores'))
                 AS p(pair, score),
             rerank('judge', pair->>0, ARRAY[NULL, pair->>1]) AS s";
    assert_eq!(text(&mut db, &format!("SELECT r::text FROM ({scores}) r")).unwrap(), "(t,10)");
    for (query, expected) in [
        ("SELECT embed('judge', 'tea')", "the model is a reranker"),
        ("SELECT rerank('texts', 'tea', ARRAY['tea'])", "the model is not a reranker"),
        ("SELECT embed('texts', '\\x00'::bytea)", "provider \"local\" cannot embed images"),
    ] {
        let (state, message, _) = refusal(&mut db, query);
        assert_eq!(state, "0A000", "{message}");
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_column_is_kept_current() {
    let mut db = TestDb::new();
    create(&mut db, "texts", "bert_mean", ", dim '8'");
    db.batch_execute(
        "CREATE TABLE docs (id int PRIMARY KEY, body text, embedding vector(8));
         SELECT embed_column('docs', source => 'body', target => 'embedding', server => 'texts');
         INSERT INTO docs SELECT i, 'green tea ' || i FROM generate_series(1, 200) i;",
    )
    .unwrap();
    db.batch_execute("CALL embed_pending('docs')").unwrap();
    let others = "SELECT count(*) FROM docs WHERE embedding <-> embed('texts', body) < 0.0001";
    assert_eq!(text(&mut db, others).unwrap(), "200");
}

#[test]
fn a_model_of_files_is_made_by_superusers() {
    let mut db = TestDb::new();
    let role = format!("modeller_{}", db.name());
    db.batch_execute(&format!(
        "CREATE ROLE {role};
         GRANT USAGE ON FOREIGN DATA WRAPPER vector_ext_model TO {role};
         SET ROLE {role};"
    ))
    .unwrap();
    let create = "CREATE SERVER s FOREIGN DATA WRAPPER vector_ext_model
                  OPTIONS (provider 'local', path '/etc')";
    let (_, message, _) = refusal(&mut db, create);
    assert_eq!(message, "only superusers may set the option \"path\"");
    db.batch_execute(&format!("RESET ROLE; DROP OWNED BY {role} CASCADE; DROP ROLE {role}"))
        .unwrap();
}

#[test]
fn a_call_ends_with_its_statement() {
    let mut db = TestDb::new();
    create(&mut db, "texts", "bert_mean", "");
    db.batch_execute(
        "CREATE TABLE many AS
         SELECT array_agg(i || repeat(' tea', 30)) AS texts FROM generate_series(1, 300000) i;
         SET statement_timeout = 2000;",
    )
    .unwrap();
    let slow = "SELECT cardinality(embed('texts', texts)) FROM many";
    let began = Instant::now();
    assert_eq!(refusal(&mut db, slow).0, "57014");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(text(&mut db, "SELECT embed('texts', 'tea')").is_some());
}

#[test]
fn bad_files_are_errors() {
    let mut db = TestDb::new();
    let folder = create(&mut db, "texts", "bert_mean", "");
    let query = "SELECT embed('texts', 'tea')";
    assert!(text(&mut db, query).is_some());
    let config = fs::read_to_string(folder.join("config.json")).unwrap();
    for (from, to, expected) in [
        ("\"bert\"", "\"mpnet\"", "model_type \"mpnet\" is not supported"),
        ("heads\": 4", "heads\": 0", "not a multiple of num_attention_heads"),
        ("layers\": 2", "layers\": 3", "no tensor \"encoder.layer.2"),
    ] {
        assert!(config.contains(from), "{from}");
        fs::write(folder.join("new.json"), config.replace(from, to)).unwrap();
        fs::rename(folder.join("new.json"), folder.join("config.json")).unwrap();
        let (state, message, _) = refusal(&mut db, query);
        assert_eq!(state, "58030", "{message}");
        assert!(message.contains(expected), "{message}");
    }
    let (state, message, _) = refusal(&mut db, "SELECT embed_immutable('texts', 'tea')");
    assert_eq!((&*state, &*message), ("55000", "server \"texts\" is not static"));
}
