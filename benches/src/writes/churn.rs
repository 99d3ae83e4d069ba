//! Ten rounds of replacing a tenth of the rows, beside an index built anew.

use std::collections::HashSet;

use postgres::Client;
use serde::Serialize;

use super::insert::insert_all;
use super::vacuum::vacuum;
use super::{Subject, Task, full_page_writes};
use crate::Result;
use crate::dataset::Dataset;
use crate::systems::System;
use crate::truth::kth_distances;

const ROUNDS: usize = 10;

/// One system after one round.
#[derive(Debug, Serialize)]
pub struct Churned {
    /// The system.
    pub subject: &'static str,
    /// Rounds so far.
    pub round: usize,
    /// Recall of the index that lived through the rounds.
    pub recall: f64,
    /// Recall of an index built on the same rows now.
    pub fresh_recall: f64,
    /// Size of the index that lived through the rounds.
    pub bytes: i64,
    /// Size of the new one.
    pub fresh_bytes: i64,
}

/// Loads the first half of the rows; in each round deletes a tenth of them, vacuums, and inserts
/// as many of the other half, so that in the end all have been replaced. Asks at `effort`.
pub fn run(task: &Task<'_>, effort: u32) -> Result<Vec<Churned>> {
    let Task { server, dataset, .. } = *task;
    let part = dataset.base.rows() / 2 / ROUNDS;
    let half = part * ROUNDS;
    let mut subjects = Subject::load(task, 0..half)?;
    subjects.pop(); // the table alone
    println!("\n{}: {half} rows, a tenth replaced each round, ef {effort}", dataset.name);
    println!("\nround subject        recall   fresh   index MB   fresh MB   ratio");
    full_page_writes(&mut subjects[0].client, true)?;
    let mut lines = Vec::new();
    let mut live: HashSet<usize> = (0..half).collect();
    for round in 0..ROUNDS {
        let new = half + round * part..half + (round + 1) * part;
        live.retain(|row| *row >= half || row % ROUNDS != round);
        live.extend(new.clone());
        let truth =
            kth_distances(dataset.metric, &dataset.base, &dataset.queries, dataset.k, &|row| {
                live.contains(&row)
            });
        for subject in &mut subjects {
            let delete = format!("DELETE FROM items WHERE id < {half} AND id % {ROUNDS} = {round}");
            subject.client.batch_execute(&delete)?;
            subject.client.batch_execute(&vacuum("items"))?;
            insert_all(server, subject, &dataset.base, new.clone())?;
            let client = &mut subject.client;
            client.batch_execute(&format!("SET {} = {effort}", subject.system.effort))?;
            let (recall, bytes) = look(client, dataset, &truth)?;
            // The new index lives in a transaction that is undone.
            client.batch_execute("BEGIN; DROP INDEX items_v")?;
            client.batch_execute(&subject.system.create_index(dataset.metric, live.len()))?;
            let (fresh_recall, fresh_bytes) = look(client, dataset, &truth)?;
            client.batch_execute("ROLLBACK")?;
            let subject = subject.name;
            let round = round + 1;
            println!(
                "{round:>5} {subject:<13} {recall:>7.4} {fresh_recall:>7.4} {:>10.1} {:>10.1} {:>7.2}",
                bytes as f64 / 1e6,
                fresh_bytes as f64 / 1e6,
                bytes as f64 / fresh_bytes as f64
            );
            lines.push(Churned { subject, round, recall, fresh_recall, bytes, fresh_bytes });
        }
    }
    Ok(lines)
}

/// Recall and size of the index `items_v`.
fn look(client: &mut Client, dataset: &Dataset, truth: &[f64]) -> Result<(f64, i64)> {
    client.batch_execute("SET enable_seqscan = off; SET enable_sort = off")?;
    let query = client.prepare(&System::query(dataset.metric, dataset.k))?;
    let mut answers = Vec::new();
    for vector in dataset.query_vectors() {
        let rows = client.query(&query, &[&vector])?;
        answers.push(rows.iter().map(|row| row.get(0)).collect());
    }
    let bytes = client.query_one("SELECT pg_relation_size('items_v')", &[])?.get(0);
    Ok((dataset.recall_by(truth, &answers), bytes))
}
