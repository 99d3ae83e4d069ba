//! Recall, expansions and pages of searches among sparse vectors, in a bulk-built index, in a store
//! in memory, by width and by target recall; then the same with the last tenth inserted.
//!
//! `cargo run --release -p graph --example sparse_search -- BASE QUERIES {l2|cosine|ip|l1} [ROWS]`,
//! where the files are of the CSR format of the sparse track of big-ann-benchmarks: rows, columns
//! and elements as `i64`, the offsets of the rows as `i64`, indices as `i32`, values as `f32`.

#[path = "support/data.rs"]
#[expect(dead_code, reason = "dense data")]
mod data;

use std::time::Instant;

use graph::{Bulk, Hnsw, IndexOptions, Iterative, Scan, ScanOptions};
use kernels::sparse::{self, Sparse};
use pages::{HeapTid, mem::MemStore};
use quant::Metric;
use space::Space;
use vectors::Form;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let metric = data::metric(&arguments[2]);
    let limit = arguments.get(3).map_or(Ok(usize::MAX), |rows| rows.parse())?;
    let (base, queries) = (Csr::read(&arguments[0], limit)?, Csr::read(&arguments[1], 500)?);
    let (form, dims) = (Form::Sparse, base.columns);
    let options = IndexOptions { metric, form, dims, m: 16, ef_construction: 64, seed: 1 };
    for bulk_rows in [base.rows(), base.rows() * 9 / 10] {
        let mut bulk = Bulk::new(options, Space::unlimited())?;
        let start = Instant::now();
        for i in 0..bulk_rows {
            bulk.push(base.row(i), HeapTid { block: i as u32, offset: 1 })?;
        }
        let store = MemStore::new();
        bulk.write(2, &mut |_, _, _| true, &mut |body| {
            store.append(body);
            Ok(())
        })?;
        let geometry = Hnsw::open(&store)?.meta().geometry;
        println!("{bulk_rows} built in {:?}; {geometry:?}", start.elapsed());
        let start = Instant::now();
        for i in bulk_rows..base.rows() {
            graph::insert(&store, base.row(i), HeapTid { block: i as u32, offset: 1 })?;
        }
        println!("{} inserted in {:?}", base.rows() - bulk_rows, start.elapsed());
        measure_all(&store, metric, &base, &queries)?;
    }
    Ok(())
}

fn measure_all(
    store: &MemStore,
    metric: Metric,
    base: &Csr,
    queries: &Csr,
) -> Result<(), pages::Error> {
    let query = |i| (queries.row(i), kth_distance(metric, queries.row(i), base, 10));
    let searches: Vec<(Sparse<'_>, f64)> = (0..queries.rows()).map(query).collect();
    println!("{:>6} {:>7} {:>9} {:>7} {:>9}", "ef", "recall", "expanded", "pages", "us");
    for ef in [10, 20, 40, 80, 160, 320] {
        println!("{ef:>6} {}", measure(store, &searches, &ScanOptions { ef, ..SCAN })?);
    }
    graph::calibrate(store)?;
    println!("by target");
    for target in [0.8, 0.9, 0.95, 0.99] {
        let options = ScanOptions { target_recall: Some(target), ..SCAN };
        println!("{target:>6} {}", measure(store, &searches, &options)?);
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

/// Recall of 10, expansions, pages and microseconds of a search, on average.
fn measure(
    store: &MemStore,
    searches: &[(Sparse<'_>, f64)],
    options: &ScanOptions,
) -> Result<String, pages::Error> {
    let (mut found, mut expanded) = (0, 0);
    let reads = store.reads();
    let start = Instant::now();
    for &(query, bound) in searches {
        let mut scan = Scan::new(Hnsw::open(store)?, Some(query), *options);
        for _ in 0..10 {
            let Some(hit) = scan.next(store)? else { break };
            found += u32::from(hit.distance <= bound + 1e-6 * bound.abs() + 1e-9);
        }
        expanded += scan.stats().expanded;
    }
    let n = searches.len() as f64;
    Ok(format!(
        "{:>7.4} {:>9.1} {:>7.1} {:>9.1}",
        f64::from(found) / n / 10.0,
        expanded as f64 / n,
        (store.reads() - reads) as f64 / n,
        start.elapsed().as_secs_f64() / n * 1e6
    ))
}

fn kth_distance(metric: Metric, query: Sparse<'_>, base: &Csr, k: usize) -> f64 {
    let rows = (0..base.rows()).map(|i| base.row(i));
    let distance = |row| match metric {
        Metric::L2 => f64::from(sparse::l2_squared(query, row)).sqrt(),
        Metric::InnerProduct => -f64::from(sparse::inner_product(query, row)),
        Metric::L1 | Metric::Hamming | Metric::Jaccard => f64::from(sparse::l1(query, row)),
        Metric::Cosine => {
            let t = sparse::cosine_terms(query, row);
            1.0 - f64::from(t.dot) / (f64::from(t.norm_a) * f64::from(t.norm_b)).sqrt()
        }
    };
    let mut distances: Vec<f64> = rows.map(distance).collect();
    *distances.select_nth_unstable_by(k - 1, f64::total_cmp).1
}

/// Sparse vectors, one after another.
struct Csr {
    columns: usize,
    offsets: Vec<usize>,
    indices: Vec<u32>,
    values: Vec<f32>,
}

impl Csr {
    /// At most `limit` rows of a file.
    fn read(path: &str, limit: usize) -> std::io::Result<Self> {
        let bytes = std::fs::read(path)?;
        let (head, rest) = bytes.split_at(24);
        let head: Vec<usize> = head.as_chunks().0.iter().map(|&n| word(n)).collect();
        let (offsets, rest) = rest.split_at(8 * (head[0] + 1));
        let (indices, values) = rest.split_at(4 * head[2]);
        let offsets = offsets.as_chunks().0.iter().map(|&n| word(n));
        Ok(Self {
            columns: head[1],
            offsets: offsets.take(limit.saturating_add(1)).collect(),
            indices: indices.as_chunks().0.iter().map(|&n| u32::from_le_bytes(n)).collect(),
            values: values.as_chunks().0.iter().map(|&n| f32::from_le_bytes(n)).collect(),
        })
    }

    fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    fn row(&self, i: usize) -> Sparse<'_> {
        let range = self.offsets[i]..self.offsets[i + 1];
        Sparse { indices: &self.indices[range.clone()], values: &self.values[range] }
    }
}

fn word(bytes: [u8; 8]) -> usize {
    u64::from_le_bytes(bytes) as usize
}
