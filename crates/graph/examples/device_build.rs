//! Builds an index in memory, with threads and as on a device, and tells the times and what searches find.
//!
//! ```text
//! cargo run --release -p graph --example device_build -- DIR l2|ip|cosine [ROWS [THREADS]]
//! ```
//!
//! DIR holds `base` and `query`, compressed.

#[path = "support/data.rs"]
mod data;

use std::error::Error;
use std::time::Instant;

use data::{kth_distance, metric, read};
use gpu::{CpuDevice, Device, Job, NoDevice, Provider, Refusal};
use graph::{Bulk, Hnsw, IndexOptions, Iterative, Phase, Scan, ScanOptions};
use pages::HeapTid;
use pages::mem::MemStore;
use quant::Metric;
use space::Space;

use vectors::Form;

/// Queries that are asked.
const QUERIES: usize = 300;

/// Gives a build the CPU.
struct Cpu(usize);

impl Provider for Cpu {
    fn open(&mut self, _job: &Job) -> Option<Box<dyn Device>> {
        Some(Box::new(CpuDevice::new(self.0)))
    }

    fn refused(&mut self, why: &Refusal) {
        println!("not used: {why}");
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [dir, metric_name, rest @ ..] = args.as_slice() else {
        return Err("usage: device_build DIR l2|ip|cosine [ROWS [THREADS]]".into());
    };
    let numbers: Vec<usize> = rest.iter().map(|arg| arg.parse()).collect::<Result<_, _>>()?;
    let number = |i: usize, default| numbers.get(i).copied().unwrap_or(default);
    let (limit, threads, metric) = (number(0, usize::MAX), number(1, 2), metric(metric_name));
    let (dims, base) = read(dir, "base", limit)?;
    let (_, queries) = read(dir, "query", QUERIES)?;
    let bounds: Vec<f64> =
        queries.chunks_exact(dims).map(|query| kth_distance(metric, query, &base, 10)).collect();
    let form = Form::of_floats(dims);
    let options = IndexOptions { metric, form, dims, m: 16, ef_construction: 64, seed: 1 };
    println!("{} rows of {dims} dimensions, {threads} threads", base.len() / dims);
    measure("threads", &mut NoDevice, options, threads, (&base, &queries, &bounds))?;
    measure("device", &mut Cpu(threads), options, threads, (&base, &queries, &bounds))
}

/// Builds, then searches.
fn measure(
    what: &str,
    provider: &mut dyn Provider,
    options: IndexOptions,
    threads: usize,
    (base, queries, bounds): (&[f32], &[f32], &[f64]),
) -> Result<(), Box<dyn Error>> {
    let mut bulk = Bulk::new(options, Space::unlimited())?;
    for (i, vector) in base.chunks_exact(options.dims).enumerate() {
        bulk.push(vector, HeapTid { block: i as u32, offset: 1 })?;
    }
    let store = MemStore::new();
    let start = Instant::now();
    let mut graph = None;
    let mut tick = |phase, _, _| {
        if phase == Phase::Pages {
            graph.get_or_insert(start.elapsed());
        }
        true
    };
    bulk.write_with(provider, threads, &mut tick, &mut |body| {
        store.append(body);
        Ok(())
    })?;
    let all = start.elapsed().as_secs_f64();
    let graph = graph.map_or(all, |graph| graph.as_secs_f64());
    print!("{what}: graph {graph:.2} s, all {all:.2} s; recall at ef");
    for ef in [10, 20, 40, 80, 160] {
        print!(" {ef}: {:.4}", recall(&store, options, (queries, bounds), ef)?);
    }
    println!();
    Ok(())
}

/// Share of the ten nearest that searches find.
fn recall(
    store: &MemStore,
    IndexOptions { metric, dims, .. }: IndexOptions,
    (queries, bounds): (&[f32], &[f64]),
    ef: usize,
) -> Result<f64, Box<dyn Error>> {
    let mut hits = 0;
    for (query, bound) in queries.chunks_exact(dims).zip(bounds) {
        let options = ScanOptions {
            ef,
            target_recall: None,
            iterative: Iterative::Off,
            wanted: 0,
            filtered: false,
            max_tuples: usize::MAX,
            memory: usize::MAX,
        };
        let mut scan = Scan::new(Hnsw::open(store)?, Some(query), options);
        for _ in 0..10 {
            let Some(hit) = scan.next(store)? else { break };
            // Distances of halves differ from those of floats.
            let slack = if metric == Metric::InnerProduct { 1e-3 } else { 1e-4 };
            hits += usize::from(hit.distance <= bound + slack * bound.abs());
        }
    }
    Ok(hits as f64 / (10 * bounds.len()) as f64)
}
