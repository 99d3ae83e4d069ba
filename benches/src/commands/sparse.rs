//! Compares HNSW indexes on `sparsevec`, on texts: build, recall, speed, pages.

use std::path::Path;
use std::time::Instant;

use pico_args::Arguments;
use postgres::Client;
use serde_json::{Value, json};

use super::Command;
use crate::options::{Options, finish, list};
use crate::pages::touched_of_index;
use crate::server::Server;
use crate::sparse::{Kind, Sparse, Vocabulary, product, to_text};
use crate::systems::System;
use crate::texts;
use crate::{Result, database, sparse};

pub(super) const COMMAND: Command = Command {
    usage: "sparse --data DIR",
    help: "\
Compares HNSW indexes on sparse vectors of texts: build, recall, speed, pages.
Makes sparse vectors of the texts in DIR/docs.tsv.gz (by their terms, and with related terms as
learned models add them) and asks for those nearest to DIR/queries.tsv.gz; the text is the last
column. Without --rows, of 20000 texts.

  --metrics A,B,...    l2, ip, cosine                   [ip,cosine,l2]
  --kinds A,B          terms, expanded                  [terms,expanded]
  --efs A,B,...        values of hnsw.ef_search         [40,100,200]
",
    run,
};

/// Passes of all queries; the fastest counts.
const ROUNDS: usize = 3;

/// What is indexed and asked for.
struct Task {
    metric: String,
    rows: Vec<Sparse>,
    queries: Vec<Sparse>,
    dims: usize,
    k: usize,
}

fn run(mut arguments: Arguments) -> Result<()> {
    let options = Options::take(&mut arguments)?;
    let metrics: Vec<String> = list(&mut arguments, "--metrics", "ip,cosine,l2")?;
    let kinds: Vec<Kind> = list(&mut arguments, "--kinds", "terms,expanded")?;
    let efs: Vec<u32> = list(&mut arguments, "--efs", "40,100,200")?;
    finish(arguments)?;
    let (run, server) = options.begin()?;
    let selection = &options.selection;
    let mut results = Vec::new();
    for dir in &options.data {
        let mut texts = texts::last_column(&Path::new(dir).join("docs.tsv.gz"))?;
        texts.truncate(selection.rows.unwrap_or(20_000));
        let mut queries = texts::last_column(&Path::new(dir).join("queries.tsv.gz"))?;
        queries.truncate(selection.queries.unwrap_or(300));
        let vocabulary = Vocabulary::new(texts.iter().map(String::as_str));
        for &kind in &kinds {
            let vectors = |texts: &[String]| -> Vec<Sparse> {
                texts.iter().map(|text| vocabulary.vector(text, kind)).collect()
            };
            let (rows, queries) = (vectors(&texts), vectors(&queries));
            let elements = rows.iter().map(Vec::len).sum::<usize>() as f64 / rows.len() as f64;
            println!(
                "\nPostgreSQL {}, {}: {dir}, {} texts, {kind:?}, {elements:.0} elements of {} on average",
                run.postgres,
                run.date,
                rows.len(),
                vocabulary.dims()
            );
            println!(
                "{:8} {:12} {:>8} {:>10} {:>5} {:>7} {:>8} {:>8}",
                "metric", "system", "build s", "bytes/row", "ef", "recall", "pages", "qps"
            );
            let mut task = Task {
                metric: String::new(),
                rows,
                queries,
                dims: vocabulary.dims(),
                k: selection.k,
            };
            for metric in &metrics {
                task.metric.clone_from(metric);
                for system in &options.systems {
                    let measured = measure(&server, system, &task, &options, &efs)?;
                    results.push(json!({
                        "data": dir, "kind": format!("{kind:?}"), "elements": elements,
                        "rows": task.rows.len(), "result": measured,
                    }));
                }
            }
        }
    }
    options.write_results(&run, &json!({ "results": results }))
}

/// Builds the index of one system and asks all queries at each width.
fn measure(
    server: &Server,
    system: &'static System,
    task: &Task,
    options: &Options,
    efs: &[u32],
) -> Result<Value> {
    let Task { metric, dims, .. } = task;
    let mut client = database::create_with(server, system, &format!("sparsevec({dims})"))?;
    sparse::load(&mut client, &task.rows, *dims)?;
    let (workers, memory) = (options.limits.workers, &options.limits.maintenance_work_mem);
    client.batch_execute(&format!(
        "SET maintenance_work_mem = '{memory}'; SET max_parallel_maintenance_workers = {workers}; \
         ALTER TABLE items SET (parallel_workers = {workers})"
    ))?;
    let start = Instant::now();
    client.batch_execute(&format!(
        "CREATE INDEX items_v ON items USING hnsw (v sparsevec_{metric}_ops)"
    ))?;
    let build_s = start.elapsed().as_secs_f64();
    client.batch_execute("ANALYZE items; SET enable_seqscan = off; SET enable_sort = off")?;
    let bytes: i64 = client.query_one("SELECT pg_relation_size('items_v')", &[])?.get(0);
    let per_row = bytes as f64 / task.rows.len() as f64;
    let truth: Vec<f64> = task.queries.iter().map(|query| task.kth(query)).collect();
    let mut points = Vec::new();
    for &ef in efs {
        client.batch_execute(&format!("SET hnsw.ef_search = {ef}"))?;
        let (recall, pages, qps) = search(&mut client, task, &truth)?;
        let name = system.name;
        println!(
            "{metric:8} {name:12} {build_s:8.1} {per_row:10.0} {ef:5} {recall:7.4} {pages:8.1} {qps:8.0}"
        );
        points.push(json!({"ef": ef, "recall": recall, "pages": pages, "qps": qps}));
    }
    drop(client);
    database::drop(server, system)?;
    Ok(json!({
        "system": system.name, "metric": metric, "build_s": build_s, "bytes_per_row": per_row,
        "points": points,
    }))
}

/// Recall, pages of the index a query, queries a second in the fastest round.
fn search(client: &mut Client, task: &Task, truth: &[f64]) -> Result<(f64, f64, f64)> {
    let operator = match task.metric.as_str() {
        "ip" => "<#>",
        "cosine" => "<=>",
        _ => "<->",
    };
    let query =
        format!("SELECT id FROM items ORDER BY v {operator} $1::text::sparsevec LIMIT {}", task.k);
    let statement = client.prepare(&query)?;
    let texts: Vec<String> = task.queries.iter().map(|query| to_text(query, task.dims)).collect();
    let (mut found, mut best) = (0, f64::INFINITY);
    let before = touched_of_index(client)?;
    for round in 0..ROUNDS {
        let start = Instant::now();
        let mut answers = Vec::new();
        for text in &texts {
            answers.push(client.query(&statement, &[text])?);
        }
        best = best.min(start.elapsed().as_secs_f64());
        if round == 0 {
            for ((query, rows), kth) in task.queries.iter().zip(answers).zip(truth) {
                let is_near = |id: i32| {
                    task.distance(query, &task.rows[id as usize]) <= kth + 1e-5 * kth.abs()
                };
                found += rows.iter().filter(|row| is_near(row.get(0))).count();
            }
        }
    }
    let asked = (ROUNDS * texts.len()) as f64;
    let pages = before.zip(touched_of_index(client)?);
    let pages = pages.map_or(f64::NAN, |(before, after)| (after - before) as f64 / asked);
    let recall = found as f64 / (task.k * texts.len()) as f64;
    Ok((recall, pages, texts.len() as f64 / best))
}

impl Task {
    fn distance(&self, a: &Sparse, b: &Sparse) -> f64 {
        let (ab, aa, bb) = (product(a, b), product(a, a), product(b, b));
        match self.metric.as_str() {
            "ip" => -ab,
            "cosine" if aa * bb == 0.0 => f64::INFINITY,
            "cosine" => 1.0 - ab / (aa * bb).sqrt(),
            _ => (aa + bb - 2.0 * ab).max(0.0).sqrt(),
        }
    }

    /// Distance of the k-th nearest row.
    fn kth(&self, query: &Sparse) -> f64 {
        let mut distances: Vec<f64> =
            self.rows.iter().map(|row| self.distance(query, row)).collect();
        *distances.select_nth_unstable_by(self.k - 1, f64::total_cmp).1
    }
}
