//! Recall, expansions and pages of searches in a bulk-built index, in a store in memory, by width
//! and by target recall.
//!
//! `cargo run --release -p graph --example paged_search -- DIR {l2|cosine|ip} [ROWS]`, where DIR
//! holds `base.*bin.gz` and `query.*bin.gz`; exact neighbors are computed here.

#[path = "support/data.rs"]
mod data;

use std::time::Instant;

use data::{kth_distance, read};
use graph::{Bulk, Hnsw, IndexOptions, Iterative, Scan, ScanOptions};
use pages::{HeapTid, mem::MemStore};
use space::Space;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let metric = data::metric(&arguments[1]);
    let limit = arguments.get(2).map_or(Ok(usize::MAX), |rows| rows.parse())?;
    let (dims, base) = read(&arguments[0], "base", limit)?;
    let (_, queries) = read(&arguments[0], "query", 1_000)?;
    let options = IndexOptions {
        metric,
        form: vectors::Form::Halves,
        dims,
        m: 16,
        ef_construction: 64,
        seed: 1,
    };
    let mut bulk = Bulk::new(options, Space::unlimited())?;
    let start = Instant::now();
    for (i, vector) in base.chunks_exact(dims).enumerate() {
        bulk.push(vector, HeapTid { block: i as u32, offset: 1 })?;
    }
    println!("rows {} in {:?}", bulk.len(), start.elapsed());
    let store = MemStore::new();
    bulk.write(2, &mut |_, _, _| true, &mut |body| {
        store.append(body);
        Ok(())
    })?;
    let hnsw = Hnsw::open(&store)?;
    println!("built in {:?}; {:?}", start.elapsed(), hnsw.meta().geometry);
    let searches = |k: usize| -> Vec<(&[f32], f64)> {
        let bound = |query| kth_distance(metric, query, &base, k);
        queries.chunks_exact(dims).map(|query| (query, bound(query))).collect()
    };
    println!("{:>6} {:>7} {:>9} {:>7} {:>9}", "ef", "recall", "expanded", "pages", "us");
    let tens = searches(10);
    for ef in [5, 10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 640] {
        println!("{ef:>6} {}", measure(&store, &tens, 10, &ScanOptions { ef, ..SCAN })?);
    }
    let start = Instant::now();
    graph::calibrate(&store)?;
    let calibration = Hnsw::open(&store)?.meta().calibration;
    println!("calibrated in {:?}: {calibration:.4?}", start.elapsed());
    for (k, searches) in [(1, searches(1)), (10, tens), (100, searches(100))] {
        println!("{k} nearest by target");
        for target in [0.8, 0.9, 0.95, 0.99] {
            let options = ScanOptions { target_recall: Some(target), ..SCAN };
            println!("{target:>6} {}", measure(&store, &searches, k, &options)?);
        }
    }
    Ok(())
}

const SCAN: ScanOptions = ScanOptions {
    ef: 40,
    target_recall: None,
    iterative: Iterative::On,
    wanted: 0,
    filtered: false,
    max_tuples: usize::MAX,
    memory: usize::MAX,
};

/// Recall, expansions, pages and microseconds of a search, on average; the best time of three.
fn measure(
    store: &MemStore,
    searches: &[(&[f32], f64)],
    k: usize,
    options: &ScanOptions,
) -> Result<String, pages::Error> {
    let (mut found, mut expanded) = (0, 0);
    let reads = store.reads();
    let mut best = f64::INFINITY;
    for round in 0..3 {
        let start = Instant::now();
        for (query, bound) in searches {
            let mut scan = Scan::new(Hnsw::open(store)?, Some(*query), *options);
            for _ in 0..k {
                let Some(hit) = scan.next(store)? else { break };
                if round == 0 && hit.distance <= bound * (1.0 + 1e-6) + 1e-9 {
                    found += 1;
                }
            }
            if round == 0 {
                expanded += scan.stats().expanded;
            }
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    let n = searches.len() as f64;
    Ok(format!(
        "{:>7.4} {:>9.1} {:>7.1} {:>9.1}",
        f64::from(found) / n / k as f64,
        expanded as f64 / n,
        (store.reads() - reads) as f64 / n / 3.0,
        best / n * 1e6
    ))
}
