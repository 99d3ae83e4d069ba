//! Tables and index.

use std::thread;
use std::time::{Duration, Instant};

use pg_test::data::{DIMENSIONS, Sentence, documents, queries};
use pg_test::{Cluster, Result, Vector};
use postgres::Client;
use postgres::binary_copy::BinaryCopyInWriter;
use postgres::types::Type;

use crate::terminal::{bar, detail, passed, passing, step, thousands};

const INDEX: &str = "CREATE INDEX docs_embedding ON docs USING hnsw (embedding vector_cosine_ops)";

/// Creates the extension and the tables `docs` and `queries`; returns the queries.
pub fn tables(client: &mut Client) -> Result<Vec<Sentence>> {
    let start = Instant::now();
    client.batch_execute("CREATE EXTENSION vector_ext")?;
    let (documents, queries) = (documents()?, queries()?);
    copy(client, "docs", &documents)?;
    copy(client, "queries", &queries)?;
    let (count, seconds) = (thousands(documents.len() as f64), start.elapsed().as_secs_f64());
    step("Data", &format!("{count} sentences with embeddings of {DIMENSIONS} dimensions"));
    detail(&format!("loaded in {seconds:.1} s"));
    Ok(queries)
}

fn copy(client: &mut Client, table: &str, sentences: &[Sentence]) -> Result<()> {
    client.batch_execute(&format!(
        "CREATE TABLE {table} (id int PRIMARY KEY, topic text, text text,
                               embedding vector({DIMENSIONS}))"
    ))?;
    // The type's oid is this database's own: the column tells.
    let columns = client.prepare(&format!("SELECT embedding FROM {table}"))?;
    let types = [Type::INT4, Type::TEXT, Type::TEXT, columns.columns()[0].type_().clone()];
    let writer = client.copy_in(&format!(
        "COPY {table} (id, topic, text, embedding) FROM STDIN (FORMAT binary)"
    ))?;
    let mut writer = BinaryCopyInWriter::new(writer, &types);
    for (id, sentence) in (0i32..).zip(sentences) {
        let embedding = Vector(sentence.embedding.clone());
        writer.write(&[&id, &sentence.topic, &sentence.text, &embedding])?;
    }
    writer.finish()?;
    client.batch_execute(&format!(
        "CREATE INDEX ON {table} USING inverted (text) WITH (analyzer = 'english')"
    ))?;
    Ok(client.batch_execute(&format!("VACUUM ANALYZE {table}"))?)
}

/// Builds the index in one connection and shows its progress from another.
pub fn index(cluster: &Cluster, client: &mut Client) -> Result<()> {
    step("Index", INDEX);
    let start = Instant::now();
    let mut watcher = cluster.connect()?;
    thread::scope(|scope| {
        let build = scope.spawn(|| client.batch_execute(INDEX));
        while !build.is_finished() {
            show_progress(&mut watcher)?;
            thread::sleep(Duration::from_millis(50));
        }
        passed();
        Ok::<_, pg_test::Error>(build.join().map_err(|_| "the build's thread panicked")??)
    })?;
    let size: String =
        client.query_one("SELECT pg_size_pretty(pg_relation_size('docs_embedding'))", &[])?.get(0);
    detail(&format!("built in {:.1} s, {size}", start.elapsed().as_secs_f64()));
    Ok(())
}

fn show_progress(watcher: &mut Client) -> Result<()> {
    let progress = "SELECT phase, tuples_done, tuples_total, blocks_done, blocks_total
                    FROM pg_stat_progress_create_index";
    if let Some(row) = watcher.query_opt(progress, &[])? {
        let phase: String = row.get(0);
        let (tuples, blocks): ((i64, i64), (i64, i64)) =
            ((row.get(1), row.get(2)), (row.get(3), row.get(4)));
        let (done, total) = if tuples.1 > 0 { tuples } else { blocks };
        passing(&format!("{} {phase}", bar(done, total)));
    }
    Ok(())
}
