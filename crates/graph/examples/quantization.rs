//! What each form of vectors costs and gives: pages, build time, and for the ten nearest at
//! `ef_search` 40 recall, pages read, and rows that must be fetched to know their distances.
//!
//! `cargo run --release -p graph --example quantization -- DIR {l2|cosine|ip} [ROWS [INSERTED]]`,
//! where DIR holds `base.*bin.gz` and `query.*bin.gz`, and the last INSERTED rows are added one by
//! one; exact neighbors are computed here.

#[path = "support/data.rs"]
mod data;

use std::time::Instant;

use data::{kth_distance, read};
use graph::{Bulk, Hnsw, IndexOptions, Iterative, Scan, ScanOptions};
use pages::{HeapTid, PageStore, mem::MemStore};
use quant::Metric;
use space::Space;
use vectors::Form;

const K: usize = 10;
const SCAN: ScanOptions = ScanOptions {
    ef: 40,
    target_recall: None,
    iterative: Iterative::On,
    wanted: 0,
    filtered: false,
    max_tuples: usize::MAX,
    memory: usize::MAX,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let metric = data::metric(&arguments[1]);
    let limit = arguments.get(2).map_or(Ok(usize::MAX), |rows| rows.parse())?;
    let later = arguments.get(3).map_or(Ok(0), |rows| rows.parse())?;
    let (dims, base) = read(&arguments[0], "base", limit)?;
    let (_, queries) = read(&arguments[0], "query", 500)?;
    let bound = |query| kth_distance(metric, query, &base, K);
    let searches: Vec<(&[f32], f64)> =
        queries.chunks_exact(dims).map(|query| (query, bound(query))).collect();
    println!("form     pages  build s  recall  pages a query  rows fetched  out of order  us");
    for form in [Form::Floats, Form::Halves, Form::Sq8, Form::Rabitq] {
        let options = IndexOptions { metric, form, dims, m: 16, ef_construction: 64, seed: 1 };
        let mut bulk = Bulk::new(options, Space::unlimited())?;
        let start = Instant::now();
        let tid = |i: usize| HeapTid { block: i as u32, offset: 1 };
        let rows = base.len() / dims;
        let bulk_rows = rows - later.min(rows);
        for (i, vector) in base.chunks_exact(dims).enumerate().take(bulk_rows) {
            bulk.push(vector, tid(i))?;
        }
        let store = MemStore::new();
        bulk.write(2, &mut |_, _, _| true, &mut |body| {
            store.append(body);
            Ok(())
        })?;
        for (i, vector) in base.chunks_exact(dims).enumerate().skip(bulk_rows) {
            graph::insert(&store, vector, tid(i))?;
        }
        let built = start.elapsed().as_secs_f64();
        let reads = store.reads();
        let (mut found, mut fetched, mut disordered) = (0, 0, 0);
        let start = Instant::now();
        for (query, bound) in &searches {
            let nearest = nearest(&store, metric, query, &base, &mut fetched)?;
            disordered += nearest.windows(2).filter(|two| two[0] > two[1]).count();
            let limit = bound + 1e-6 * bound.abs() + 1e-9;
            found += nearest.iter().filter(|&&distance| distance <= limit).count();
        }
        let n = searches.len() as f64;
        println!(
            "{:<7} {:>6} {built:>8.1} {:>7.4} {:>14.1} {:>13.1} {disordered:>13} {:>5.0}",
            format!("{form:?}"),
            store.blocks()?,
            found as f64 / n / K as f64,
            (store.reads() - reads) as f64 / n,
            fetched as f64 / n,
            start.elapsed().as_secs_f64() / n * 1e6,
        );
    }
    Ok(())
}

/// Distances of the nearest rows in the order of a host's that fetches a row where the index knows a
/// bound of its distance only.
fn nearest(
    store: &MemStore,
    metric: Metric,
    query: &[f32],
    base: &[f32],
    fetched: &mut usize,
) -> pages::Result<Vec<f64>> {
    let mut scan = Scan::new(Hnsw::open(store)?, Some(query), SCAN);
    let mut waiting: Vec<f64> = Vec::new();
    let mut returned = Vec::new();
    while returned.len() < K {
        let hit = scan.next(store)?;
        let reached = hit.map_or(f64::INFINITY, |hit| hit.distance);
        waiting.sort_unstable_by(f64::total_cmp);
        let ready = waiting.iter().take_while(|&&distance| distance <= reached).count();
        returned.extend(waiting.drain(..ready));
        let Some(hit) = hit else { break };
        if returned.len() < K {
            *fetched += usize::from(!hit.exact);
            let row = &base[hit.tid.block as usize * query.len()..][..query.len()];
            waiting.push(kth_distance(metric, query, row, 1));
        }
    }
    returned.truncate(K);
    Ok(returned)
}
