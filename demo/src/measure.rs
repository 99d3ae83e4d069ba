//! The index beside exact search: recall, speed, pages, size.

use std::time::Instant;

use pg_test::data::Sentence;
use pg_test::{Result, Vector, buffers, explain_analyze};
use postgres::Client;

use crate::terminal::{step, thousands};

/// Neighbors asked for.
const K: usize = 10;
/// Queries whose pages are counted, the first so many.
const COUNTED: usize = 50;

/// The way a series of queries is answered.
struct Method {
    name: &'static str,
    /// Statement that makes PostgreSQL answer this way.
    setting: &'static str,
    /// SQL for the size of what is read, and what that is.
    size: &'static str,
}

const METHODS: &[Method] = &[
    Method {
        name: "exact, sequential scan",
        setting: "SET enable_indexscan = off",
        size: "SELECT pg_size_pretty(pg_table_size('docs')) || ' table'",
    },
    Method {
        name: "hnsw, hnsw.ef_search = 40",
        setting: "SET hnsw.ef_search = 40",
        size: "SELECT pg_size_pretty(pg_relation_size('docs_embedding')) || ' index'",
    },
    Method {
        name: "hnsw, hnsw.ef_search = 100",
        setting: "SET hnsw.ef_search = 100",
        size: "SELECT ''",
    },
];

/// Answers the queries in each way and prints a table.  The first way gives the truth.
pub fn compare(client: &mut Client, queries: &[Sentence]) -> Result<()> {
    let count = thousands(queries.len() as f64);
    println!();
    step("Compare", &format!("{count} queries, the {K} nearest sentences of each, one connection"));
    println!();
    println!("  {:<28}{:>9}{:>11}{:>13}   size", "", "recall@10", "queries/s", "pages/query");
    let mut truth = Vec::new();
    for method in METHODS {
        client.batch_execute(&format!("RESET ALL; {}", method.setting))?;
        let (answers, per_second) = answer(client, queries)?;
        let pages = pages_per_query(client, &queries[..COUNTED])?;
        let size: String = client.query_one(method.size, &[])?.get(0);
        if truth.is_empty() {
            truth.clone_from(&answers);
        }
        println!(
            "  {:<28}{:>9.3}{:>11}{:>13}   {size}",
            method.name,
            recall(&answers, &truth),
            thousands(per_second),
            thousands(pages),
        );
    }
    println!();
    Ok(())
}

/// The distances of each query's nearest rows, ascending, and the queries answered in a second.
fn answer(client: &mut Client, queries: &[Sentence]) -> Result<(Vec<Vec<f64>>, f64)> {
    let sql = format!(
        "SELECT id, embedding <=> $1 AS distance FROM docs ORDER BY embedding <=> $1 LIMIT {K}"
    );
    let statement = client.prepare(&sql)?;
    let parameters: Vec<Vector> =
        queries.iter().map(|query| Vector(query.embedding.clone())).collect();
    let start = Instant::now();
    let mut answers = Vec::new();
    for parameter in &parameters {
        let rows = client.query(&statement, &[parameter])?;
        answers.push(rows.iter().map(|row| row.get(1)).collect());
    }
    Ok((answers, queries.len() as f64 / start.elapsed().as_secs_f64()))
}

/// The share of found rows that are no farther than the true K-th neighbor.
fn recall(answers: &[Vec<f64>], truth: &[Vec<f64>]) -> f64 {
    let found = answers.iter().zip(truth).map(|(answer, truth)| {
        let farthest = truth.last().copied().unwrap_or(f64::INFINITY);
        answer.iter().filter(|&&distance| distance <= farthest).count()
    });
    found.sum::<usize>() as f64 / (K * truth.len()) as f64
}

/// Shared buffers that a query touches, on average.
fn pages_per_query(client: &mut Client, queries: &[Sentence]) -> Result<f64> {
    let mut pages = 0;
    for query in queries {
        let plan = explain_analyze(
            client,
            &format!(
                "SELECT id FROM docs ORDER BY embedding <=> '{:?}' LIMIT {K}",
                query.embedding
            ),
        )?;
        pages += buffers(&plan);
    }
    Ok(pages as f64 / queries.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::recall;

    #[test]
    fn recall_counts_ties_with_the_farthest_as_found() {
        let truth = vec![(1..=10).map(f64::from).collect::<Vec<_>>()];
        assert_eq!(recall(&truth, &truth), 1.0);
        let ties = vec![vec![10.0; 10]];
        assert_eq!(recall(&ties, &truth), 1.0);
        let half = vec![vec![1.0, 2.0, 3.0, 4.0, 5.0, 11.0, 12.0, 13.0, 14.0, 15.0]];
        assert_eq!(recall(&half, &truth), 0.5);
    }
}
