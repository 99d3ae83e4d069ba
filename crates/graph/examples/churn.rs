//! Recall, time and size of an index whose rows are replaced, a tenth a round, beside one built
//! anew of the same rows; and of one half of whose rows were inserted.
//!
//! `cargo run --release -p graph --example churn -- DIR {l2|cosine|ip} ROWS [ROUNDS]`, where DIR
//! holds `base.*bin.gz` of at least ROWS · (1 + ROUNDS / 10) rows and `query.*bin.gz`.

#[path = "support/data.rs"]
mod data;

use std::collections::HashSet;
use std::time::Instant;

use data::{kth_distance, read};
use graph::{Bulk, Hnsw, IndexOptions, Iterative, Scan, ScanOptions, vacuum};
use pages::{HeapTid, PageStore, mem::MemStore};
use quant::{Metric, splitmix64};
use space::Space;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const WIDTHS: [usize; 3] = [20, 40, 100];

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let metric = data::metric(&arguments[1]);
    let count: usize = arguments[2].parse()?;
    let rounds: usize = arguments.get(3).map_or(Ok(10), |rounds| rounds.parse())?;
    let (dims, base) = read(&arguments[0], "base", count + count / 10 * rounds)?;
    let (_, queries) = read(&arguments[0], "query", 300)?;
    let options = IndexOptions {
        metric,
        form: vectors::Form::Halves,
        dims,
        m: 16,
        ef_construction: 64,
        seed: 42,
    };
    let set = Set { options, base, queries };
    let mut rows: Vec<usize> = (0..count).collect();
    let store = set.built(&rows)?;
    let grown = set.built(&rows[..count / 2])?;
    set.insert(&grown, count / 2..count)?;
    println!("{:>24} recall {:?}", "built", set.recall(&store, &rows)?);
    println!("{:>24} recall {:?}", "half inserted", set.recall(&grown, &rows)?);
    let pages = store.blocks()?;
    for round in 0..rounds {
        rows.sort_unstable_by_key(|&row| splitmix64((row * 100 + round) as u64));
        let dead: HashSet<usize> = rows.drain(..count / 10).collect();
        let start = Instant::now();
        let mut is_dead = |tid: HeapTid| dead.contains(&(tid.block as usize));
        let (emptied, _) = vacuum::clear(&store, &mut is_dead)?;
        vacuum::unlink(&store, &emptied)?;
        vacuum::free(&store, emptied)?;
        println!("round {round}: vacuum {:?}", start.elapsed());
        let new = count + round * (count / 10)..count + (round + 1) * (count / 10);
        set.insert(&store, new.clone())?;
        rows.extend(new);
        println!("{:>24} recall {:?}", "replaced", set.recall(&store, &rows)?);
    }
    println!("pages: {pages}, then {}", store.blocks()?);
    println!("{:>24} recall {:?}", "built anew", set.recall(&set.built(&rows)?, &rows)?);
    Ok(())
}

/// Vectors, and what is asked of them.
struct Set {
    options: IndexOptions,
    base: Vec<f32>,
    queries: Vec<f32>,
}

impl Set {
    fn vector(&self, row: usize) -> &[f32] {
        &self.base[row * self.options.dims..][..self.options.dims]
    }

    fn built(&self, rows: &[usize]) -> Outcome<MemStore> {
        let mut bulk = Bulk::new(self.options, Space::unlimited())?;
        for &row in rows {
            bulk.push(self.vector(row), tid(row))?;
        }
        let store = MemStore::new();
        bulk.write(2, &mut |_, _, _| true, &mut |body| {
            store.append(body);
            Ok(())
        })?;
        Ok(store)
    }

    fn insert(&self, store: &MemStore, rows: std::ops::Range<usize>) -> Outcome<()> {
        let (start, count, commits) = (Instant::now(), rows.len() as u32, store.commits());
        for row in rows {
            graph::insert(store, self.vector(row), tid(row))?;
        }
        let batches = (store.commits() - commits) as f64 / f64::from(count);
        println!("{count} inserts: {:?} and {batches:.1} batches each", start.elapsed() / count);
        Ok(())
    }

    /// Recall at 10 and elements expanded, for each width of the search.
    fn recall(&self, store: &MemStore, rows: &[usize]) -> Outcome<Vec<(usize, f64, f64)>> {
        let metric: Metric = self.options.metric;
        let live: Vec<f32> = rows.iter().flat_map(|&row| self.vector(row)).copied().collect();
        let queries: Vec<&[f32]> = self.queries.chunks_exact(self.options.dims).collect();
        let truth: Vec<f64> =
            queries.iter().map(|query| kth_distance(metric, query, &live, 10)).collect();
        let mut outcomes = Vec::new();
        for ef in WIDTHS {
            let (mut found, mut expanded) = (0, 0);
            for (query, &bound) in queries.iter().zip(&truth) {
                let (max_tuples, memory) = (usize::MAX, usize::MAX);
                let scan = ScanOptions {
                    ef,
                    target_recall: None,
                    iterative: Iterative::Off,
                    wanted: 0,
                    filtered: false,
                    max_tuples,
                    memory,
                };
                let mut scan = Scan::new(Hnsw::open(store)?, Some(*query), scan);
                for _ in 0..10 {
                    let Some(hit) = scan.next(store)? else { break };
                    found += u32::from(hit.distance <= bound * (1.0 + 1e-6) + 1e-9);
                }
                expanded += scan.stats().expanded;
            }
            let n = queries.len() as f64;
            outcomes.push((ef, f64::from(found) / n / 10.0, expanded as f64 / n));
        }
        Ok(outcomes)
    }
}

fn tid(row: usize) -> HeapTid {
    HeapTid { block: row as u32, offset: 1 }
}
