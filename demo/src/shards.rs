//! One table on one, two, and three servers: recall, speed, and what the servers send.

use std::sync::Arc;
use std::time::Instant;

use pg_test::data::{DIMENSIONS, Sentence, documents, queries};
use pg_test::{Cluster, Result, Vector, copy_vectors, random_vector};
use postgres::Client;

use crate::relay::{PORT, Sent, relay};
use crate::terminal::{passed, passing, step, thousands};

/// Servers at most.
const SERVERS: usize = 3;
/// Neighbors asked for.
const K: usize = 10;
/// Queries whose rows and bytes are counted, the first so many.
const COUNTED: usize = 50;
/// Rows that are made at once.
const BATCH: usize = 10_000;

/// The ways to ask.
const METHODS: &[(&str, &str)] = &[
    ("ORDER BY … LIMIT 10", "SELECT id FROM docs ORDER BY v <=> $1::vector LIMIT 10"),
    (
        "vector_search",
        "SELECT (hit).id FROM vector_search(NULL::docs, ann('v', $1::vector,
             params => '{\"metric_type\": \"COSINE\"}'), k => 10)",
    ),
];

/// Spreads `rows` vectors, by default the demo's sentences, over servers, and measures searches.
pub fn show(rows: Option<usize>) -> Result<()> {
    let (documents, queries) = (documents()?, queries()?);
    let queries: Vec<Vector> = queries.into_iter().map(|query| Vector(query.embedding)).collect();
    let rows = rows.unwrap_or(documents.len());
    let sent = Arc::default();
    let servers: Vec<Cluster> =
        (0..SERVERS).map(|_| Cluster::new("demo-shard", &[])).collect::<Result<_>>()?;
    servers.iter().try_for_each(|server| relay(server, &sent))?;
    let coordinator = Cluster::new("demo-coordinator", &[])?;
    step("Servers", &format!("a coordinator and up to {SERVERS} shards"));
    let (count, queried) = (thousands(rows as f64), queries.len());
    step(
        "Data",
        &format!("{count} vectors of {DIMENSIONS} dimensions, {queried} queries, one connection"),
    );
    println!();
    println!("  shards  {:<22}recall@{K}  queries/s  rows/query  kB/query", "");
    let mut truth = Vec::new();
    for count in 1..=SERVERS {
        let shards = &servers[..count];
        load(shards, &documents, rows)?;
        if truth.is_empty() {
            truth = exact(&shards[0], &queries)?;
        }
        let mut client = connect(&coordinator, shards, rows)?;
        for (name, sql) in METHODS {
            client.batch_execute(&ports(count, 5432))?;
            let (answers, per_second) = answer(&mut client, sql, &queries)?;
            client.batch_execute(&ports(count, PORT))?;
            answer(&mut client, sql, &queries[..1])?;
            sent.take();
            answer(&mut client, sql, &queries[..COUNTED])?;
            let (sent_rows, bytes) = Sent::take(&sent);
            println!(
                "  {count:<8}{name:<22}{:>9.3}{:>11}{:>12.0}{:>10.0}",
                recall(&answers, &truth),
                thousands(per_second),
                sent_rows as f64 / COUNTED as f64,
                bytes as f64 / 1e3 / COUNTED as f64,
            );
        }
    }
    println!();
    Ok(())
}

/// The first row of a shard, and that of the next.
fn bounds(rows: usize, shards: usize, number: usize) -> (usize, usize) {
    (rows * number / shards, rows * (number + 1) / shards)
}

/// Gives each server its share of the rows, and builds its index.
fn load(shards: &[Cluster], documents: &[Sentence], rows: usize) -> Result<()> {
    for (number, shard) in shards.iter().enumerate() {
        let mut client = shard.connect()?;
        client.batch_execute(&format!(
            "DROP TABLE IF EXISTS docs; CREATE EXTENSION IF NOT EXISTS vector_ext;
             CREATE TABLE docs (id int PRIMARY KEY, v vector({DIMENSIONS}))"
        ))?;
        let (mut first, end) = bounds(rows, shards.len(), number);
        while first < end {
            passing(&format!("{} rows", thousands(first as f64)));
            let batch: Vec<Vec<f32>> =
                (first..end.min(first + BATCH)).map(|id| vector(documents, id)).collect();
            copy_vectors(&mut client, "docs", i32::try_from(first)?, batch.iter().map(|v| &v[..]))?;
            first += batch.len();
        }
        passing("indexes");
        client.batch_execute(
            "SET maintenance_work_mem = '1GB';
             CREATE INDEX ON docs USING hnsw (v vector_cosine_ops)",
        )?;
        client.batch_execute("VACUUM ANALYZE docs")?;
    }
    passed();
    Ok(())
}

/// A sentence's embedding. Beyond the last, rows lie between two sentences, or near that.
fn vector(documents: &[Sentence], id: usize) -> Vec<f32> {
    let (round, number) = (id / documents.len(), id % documents.len());
    let own = &documents[number].embedding;
    if round == 0 {
        return own.clone();
    }
    let other = &documents[(number + 7919 * round) % documents.len()].embedding;
    let noise = random_vector(id as u64, DIMENSIONS);
    own.iter().zip(other).zip(noise).map(|((a, b), noise)| a + b + 0.02 * noise).collect()
}

/// A table on the coordinator, whose partitions are the tables of the shards.
fn connect(coordinator: &Cluster, shards: &[Cluster], rows: usize) -> Result<Client> {
    let mut client = coordinator.connect()?;
    client.batch_execute(&format!(
        "DROP EXTENSION IF EXISTS postgres_fdw, vector_ext CASCADE; DROP TABLE IF EXISTS docs;
         CREATE EXTENSION vector_ext; CREATE EXTENSION postgres_fdw;
         CREATE TABLE docs (id int, v vector({DIMENSIONS})) PARTITION BY RANGE (id)"
    ))?;
    for (number, shard) in shards.iter().enumerate() {
        let host = shard.socket_dir().display();
        let (first, end) = bounds(rows, shards.len(), number);
        client.batch_execute(&format!(
            "CREATE SERVER shard_{number} FOREIGN DATA WRAPPER postgres_fdw OPTIONS (
                 host '{host}', port '5432', dbname 'postgres', extensions 'vector_ext',
                 async_capable 'true', options '-c cursor_tuple_fraction=0.01');
             CREATE USER MAPPING FOR CURRENT_USER SERVER shard_{number} OPTIONS (user 'postgres');
             CREATE FOREIGN TABLE docs_{number} PARTITION OF docs FOR VALUES FROM ({first}) TO ({end})
                 SERVER shard_{number} OPTIONS (table_name 'docs');
             ANALYZE docs_{number}"
        ))?;
    }
    Ok(client)
}

/// Statements that lead to the servers by another port.
fn ports(shards: usize, port: u16) -> String {
    let set = |number| format!("ALTER SERVER shard_{number} OPTIONS (SET port '{port}');");
    (0..shards).map(set).collect()
}

/// The nearest rows of a server that has all of them, without an index.
fn exact(shard: &Cluster, queries: &[Vector]) -> Result<Vec<Vec<i32>>> {
    let mut client = shard.connect()?;
    client.batch_execute("SET enable_indexscan = off")?;
    passing("exact answers");
    let (answers, _) = answer(&mut client, METHODS[0].1, queries)?;
    passed();
    Ok(answers)
}

/// The rows found for each query, and the queries answered in a second.
fn answer(client: &mut Client, sql: &str, queries: &[Vector]) -> Result<(Vec<Vec<i32>>, f64)> {
    let statement = client.prepare(sql)?;
    let start = Instant::now();
    let mut answers = Vec::new();
    for query in queries {
        let rows = client.query(&statement, &[query])?;
        answers.push(rows.iter().map(|row| row.get(0)).collect());
    }
    Ok((answers, queries.len() as f64 / start.elapsed().as_secs_f64()))
}

/// The share of the true neighbors that were found.
fn recall(answers: &[Vec<i32>], truth: &[Vec<i32>]) -> f64 {
    let found = answers
        .iter()
        .zip(truth)
        .map(|(answer, truth)| answer.iter().filter(|id| truth.contains(id)).count());
    found.sum::<usize>() as f64 / truth.iter().map(Vec::len).sum::<usize>() as f64
}
