//! A sentence of the user's own, which the database embeds with the small model in `model/`.

use std::env;
use std::path::Path;
use std::time::Instant;

use pg_test::data::STATIC_MODEL;
use pg_test::{Cluster, MODEL_FILES, Result, copy_model};
use postgres::Client;

use crate::terminal::{cut, detail, step, thousands};

/// What is asked where the environment has no `SENTENCE`.
const SENTENCE: &str = "a doctor who treats animals";

const TABLE: &str = "CREATE TABLE notes (text text, embedding vector(256)
    GENERATED ALWAYS AS (embed_immutable('words', text)) STORED)";

const SEARCH: &str = "SELECT text FROM notes ORDER BY embedding <=> embed('words', $1) LIMIT 5";

/// Has all sentences embedded, and finds those nearest to one that needs no embedding.
pub fn example(cluster: &Cluster, client: &mut Client) -> Result<()> {
    let folder = copy_model(cluster, "words", Path::new(STATIC_MODEL))?;
    let folder = folder.display();
    let contents = MODEL_FILES.map(|file| format!("pg_read_binary_file('{folder}/{file}')"));
    let sha256 = format!("SELECT encode(sha256({}), 'hex')", contents.join(" || "));
    let sha256: String = client.query_one(&sha256, &[])?.get(0);
    client.batch_execute(&format!(
        "CREATE SERVER words FOREIGN DATA WRAPPER vector_ext_model
         OPTIONS (provider 'static', path '{folder}', sha256 '{sha256}')"
    ))?;
    println!();
    step("Own words", "CREATE SERVER words … OPTIONS (provider 'static', path '…/demo/model')");
    TABLE.lines().for_each(detail);
    client.batch_execute(TABLE)?;
    let start = Instant::now();
    let count = client.execute("INSERT INTO notes SELECT text FROM docs", &[])?;
    let (count, seconds) = (thousands(count as f64), start.elapsed().as_secs_f64());
    detail(&format!("{count} sentences embedded by the database in {seconds:.1} s"));
    client.batch_execute("CREATE INDEX ON notes USING hnsw (embedding vector_cosine_ops)")?;
    detail(SEARCH);
    let given = env::var("SENTENCE").ok().filter(|sentence| !sentence.trim().is_empty());
    let sentence = given.as_deref().unwrap_or(SENTENCE);
    let hint = if given.is_none() { "  (make demo SENTENCE=\"…\" asks another one)" } else { "" };
    detail(&format!("\"{sentence}\"{hint}"));
    for row in client.query(SEARCH, &[&sentence])? {
        detail(&format!("  {}", cut(row.get(0), 80)));
    }
    Ok(())
}
