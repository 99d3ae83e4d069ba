//! Searches around rows that are deleted but not vacuumed.

use serde::Serialize;

use super::{Subject, Task};
use crate::Result;
use crate::systems::System;

/// How many of a query's nearest rows are deleted.
const DELETED: usize = 100;

/// One system's answers once each query's nearest rows are deleted.
#[derive(Debug, Serialize)]
pub struct AfterDelete {
    /// The system.
    pub subject: &'static str,
    /// Queries asked.
    pub queries: usize,
    /// Least number of rows that a query returned; `k` were asked for.
    pub fewest: usize,
    /// Rows returned a query.
    pub mean: f64,
    /// Share of the true neighbors among the rows left.
    pub recall: f64,
}

/// Deletes each query's 100 nearest rows in a transaction of its own, asks for the nearest, and
/// undoes the deletion; default settings of the systems.
pub fn run(task: &Task<'_>) -> Result<Vec<AfterDelete>> {
    let Task { dataset, .. } = *task;
    let rows = dataset.base.rows();
    let mut subjects = Subject::load(task, 0..rows)?;
    subjects.pop(); // the table alone
    println!("\n{}: the {DELETED} nearest deleted, LIMIT {}", dataset.name, dataset.k);
    println!("\nsubject        queries  fewest rows  mean rows  recall");
    let nearest = System::query(dataset.metric, DELETED + dataset.k);
    let query = System::query(dataset.metric, dataset.k);
    let mut lines = Vec::new();
    for Subject { name, client, .. } in &mut subjects {
        let (mut fewest, mut returned, mut found) = (usize::MAX, 0, 0);
        for vector in dataset.query_vectors() {
            client.batch_execute("BEGIN; SET LOCAL enable_indexscan = off")?;
            let ids: Vec<i32> =
                client.query(&nearest, &[&vector])?.iter().map(|row| row.get(0)).collect();
            let (gone, truth) = ids.split_at(DELETED.min(ids.len()));
            client.execute("DELETE FROM items WHERE id = ANY ($1)", &[&gone])?;
            client
                .batch_execute("SET LOCAL enable_indexscan = on; SET LOCAL enable_seqscan = off")?;
            let left = client.query(&query, &[&vector])?;
            client.batch_execute("ROLLBACK")?;
            fewest = fewest.min(left.len());
            returned += left.len();
            found += left.iter().filter(|row| truth.contains(&row.get(0))).count();
        }
        let queries = dataset.queries.rows();
        let mean = returned as f64 / queries as f64;
        let recall = found as f64 / (queries * dataset.k) as f64;
        println!("{name:<13} {queries:>8} {fewest:>12} {mean:>10.2} {recall:>7.4}");
        lines.push(AfterDelete { subject: name, queries, fewest, mean, recall });
    }
    Ok(lines)
}
