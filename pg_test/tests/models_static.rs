//! Static models are files of the database server: `embed_immutable` computes with them in indexes and
//! generated columns, as long as they are the files that the options of the server tell.

use std::fs;
use std::path::{Path, PathBuf};

use model_server::ModelServer;
use pg_test::{TestDb, copy_model, create_model, explain_plan, refusal, scans_index, text};

/// That of `cat config.json model.safetensors tokenizer.json`.
const SHA256: &str = "a98a8208806341c17f1240cb1148559f3059e0d430cf8ae2fb4e0075fc74b118";

/// A small model where the server can read it, and the options of its foreign server.
fn model(db: &TestDb) -> (PathBuf, String) {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/models/tests/data/wordpiece");
    let folder = copy_model(db.cluster(), db.name(), &files).unwrap();
    let options = format!("provider 'static', path '{}'", folder.display());
    (folder, options)
}

fn create(db: &mut TestDb, name: &str, options: &str) {
    let wrapper = "FOREIGN DATA WRAPPER vector_ext_model";
    db.batch_execute(&format!("CREATE SERVER {name} {wrapper} OPTIONS ({options})")).unwrap();
}

#[test]
fn a_static_model_serves_columns_and_indexes() {
    let mut db = TestDb::new();
    let (_, options) = model(&db);
    create(&mut db, "words", &format!("{options}, sha256 '{SHA256}'"));
    db.batch_execute(
        "CREATE TABLE docs (id int PRIMARY KEY, body text,
             v vector(8) GENERATED ALWAYS AS (embed_immutable('words', body)) STORED);
         INSERT INTO docs VALUES (1, 'a green tea pot'), (2, 'green tea'), (3, 'database indexes'), (4, NULL);
         CREATE INDEX docs_v ON docs
             USING hnsw ((embed_immutable('words', body)::vector(8)) vector_cosine_ops);
         UPDATE docs SET body = 'green table' WHERE id = 1;",
    )
    .unwrap();
    let nearest = "SELECT id FROM docs
        ORDER BY embed_immutable('words', body)::vector(8) <=> embed('words', 'green tea') LIMIT 1";
    db.batch_execute("SET enable_seqscan = off").unwrap();
    let plan = explain_plan(&mut db, nearest).unwrap();
    assert!(scans_index(&plan, "docs_v"), "{plan}");
    assert_eq!(text(&mut db, nearest).unwrap(), "2");
    // A long text, which a thread embeds, and the first one of a session.
    let long =
        "SELECT embed('words', repeat('green tea ', 1000)) <=> embed('words', 'green tea') < 0.001";
    assert_eq!(text(&mut db, long).unwrap(), "t");
    assert_eq!(text(&mut db.connect(), long).unwrap(), "t");
    let others = "SELECT count(*) FROM docs WHERE v IS DISTINCT FROM embed('words', body)";
    assert_eq!(text(&mut db, others).unwrap(), "0");
    let all =
        "SELECT embed('words', array_agg(body ORDER BY id)) = array_agg(v ORDER BY id) FROM docs";
    assert_eq!(text(&mut db, all).unwrap(), "t");
}

#[test]
fn other_files_are_an_error() {
    let mut db = TestDb::new();
    let (folder, options) = model(&db);
    create(&mut db, "words", &format!("{options}, sha256 '{SHA256}'"));
    let query = "SELECT embed_immutable('words', 'green tea')";
    assert!(text(&mut db, query).is_some());
    fs::write(folder.join("new.json"), "{\"normalize\": false}").unwrap();
    fs::rename(folder.join("new.json"), folder.join("config.json")).unwrap();
    let (state, message, _) = refusal(&mut db, query);
    assert_eq!(state, "58030", "{message}");
    assert!(message.contains("sha256"), "{message}");
}

#[test]
fn what_may_change_is_not_immutable() {
    let (mut db, models) = (TestDb::new(), ModelServer::start());
    let (_, options) = model(&db);
    create(&mut db, "words", &options);
    db.batch_execute(&create_model("texts", &models, "")).unwrap();
    assert!(text(&mut db, "SELECT embed('words', 'tea')").is_some());
    for (server, lack) in
        [("words", "does not tell the hash of its files"), ("texts", "is not static")]
    {
        let (state, message, _) =
            refusal(&mut db, &format!("SELECT embed_immutable('{server}', 'tea')"));
        assert_eq!((&*state, message), ("55000", format!("server \"{server}\" {lack}")));
    }
    assert!(models.requests().is_empty());
}
