//! `embed_column` finds the trigger and the index of a column by what they are, whatever their names, and
//! replaces no other.

use model_server::ModelServer;
use pg_test::{TestDb, create_model, refusal, text};
use postgres::Client;

/// A database with the model `texts`.
fn start() -> (TestDb, ModelServer) {
    let (mut db, models) = (TestDb::new(), ModelServer::start());
    db.batch_execute(&create_model("texts", &models, ", dim '8'")).unwrap();
    (db, models)
}

fn embed_column(db: &mut Client, table: &str, source: &str, target: &str) {
    let call = format!("SELECT embed_column('{table}', '{source}', '{target}', 'texts')");
    db.batch_execute(&call).unwrap();
}

/// Sources and targets of a table, and the conditions of its partial indexes.
fn objects(db: &mut Client, table: &str) -> (String, String) {
    let columns = format!(
        "SELECT string_agg(source || ' ' || target, ', ' ORDER BY source, target) FROM embed_columns
         WHERE rel = '{table}'::regclass"
    );
    let indexes = format!(
        "SELECT string_agg(pg_get_expr(indpred, indrelid), ', ' ORDER BY indexrelid) FROM pg_index
         WHERE indrelid = '{table}'::regclass AND indpred IS NOT NULL"
    );
    (text(db, &columns).unwrap_or_default(), text(db, &indexes).unwrap_or_default())
}

fn pending(source: &str, target: &str) -> String {
    format!("(({target} IS NULL) AND ({source} IS NOT NULL))")
}

#[test]
fn a_renamed_column_keeps_its_trigger() {
    let (mut db, _models) = start();
    db.batch_execute("CREATE TABLE docs (body text, embedding vector(8))").unwrap();
    embed_column(&mut db, "docs", "body", "embedding");
    db.batch_execute(
        "ALTER TABLE docs RENAME embedding TO former; ALTER TABLE docs ADD embedding vector(8)",
    )
    .unwrap();
    embed_column(&mut db, "docs", "body", "embedding");
    let both = format!("{}, {}", pending("body", "former"), pending("body", "embedding"));
    let expected = ("body embedding, body former".to_owned(), both);
    assert_eq!(objects(&mut db, "docs"), expected);
    // Again, and with another name: nothing is made twice.
    db.batch_execute("ALTER TRIGGER vector_ext_embed_embedding_2 ON docs RENAME TO mine").unwrap();
    for target in ["former", "embedding"] {
        embed_column(&mut db, "docs", "body", target);
    }
    assert_eq!(objects(&mut db, "docs"), expected);
}

#[test]
fn another_source_takes_the_place_of_the_first() {
    let (mut db, _models) = start();
    db.batch_execute("CREATE TABLE docs (title text, \"Body\" text, embedding vector(8))").unwrap();
    for source in ["title", "Body"] {
        embed_column(&mut db, "docs", source, "embedding");
    }
    let expected = ("Body embedding".to_owned(), pending("\"Body\"", "embedding"));
    assert_eq!(objects(&mut db, "docs"), expected);
    let insert = "INSERT INTO docs VALUES ('tea', 'a green tea pot')";
    for statement in [insert, "CALL embed_pending('docs')"] {
        db.batch_execute(statement).unwrap();
    }
    let stale = "UPDATE docs SET title = 'pot'; SELECT 1 / count(embedding) FROM docs";
    db.batch_execute(stale).unwrap();
    assert_eq!(refusal(&mut db, &stale.replace("title", "\"Body\"")).0, "22012");
}

#[test]
fn names_do_not_collide() {
    let (mut db, _models) = start();
    let long = "e".repeat(62);
    db.batch_execute(&format!(
        "CREATE TABLE a (body text, b_c vector(8)); CREATE TABLE a_b (body text, c vector(8));
         CREATE TABLE docs (body text, {long}1 vector(8), {long}2 vector(8), embedding vector(8));
         CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
         CREATE TRIGGER vector_ext_embed_embedding BEFORE UPDATE ON docs
             FOR EACH ROW EXECUTE FUNCTION keep();"
    ))
    .unwrap();
    for (table, target) in [("a", "b_c"), ("a_b", "c")] {
        embed_column(&mut db, table, "body", target);
        let expected = (format!("body {target}"), pending("body", target));
        assert_eq!(objects(&mut db, table), expected);
    }
    let targets = [&*format!("{long}1"), &*format!("{long}2"), "embedding"];
    targets.iter().for_each(|target| embed_column(&mut db, "docs", "body", target));
    let (columns, indexes) = objects(&mut db, "docs");
    assert_eq!(columns, format!("body {long}1, body {long}2, body embedding"));
    assert_eq!(indexes, targets.map(|target| pending("body", target)).join(", "));
    let others = "SELECT count(*) FROM pg_trigger WHERE tgfoid = 'keep'::regproc";
    assert_eq!(text(&mut db, others).unwrap(), "1");
}
