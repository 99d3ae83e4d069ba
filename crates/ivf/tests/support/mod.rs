//! What the tests of this crate share: seeded data, exact answers, an index in memory.
#![allow(dead_code, unused_imports)]

mod shared;

pub use shared::SharedStore;

use ivf::{Bulk, IndexOptions, Ivf, Quantization, Scan, ScanOptions, check, info, insert, vacuum};
use pages::mem::MemStore;
use pages::{HeapTid, PageStore, Problem};
use quant::{Metric, SplitMix64};
use space::Space;

/// All metrics in all forms that exist.
pub const KINDS: [(Metric, Quantization); 10] = [
    (Metric::L2, Quantization::Rabitq),
    (Metric::L2, Quantization::Sq8),
    (Metric::L2, Quantization::None),
    (Metric::InnerProduct, Quantization::Rabitq),
    (Metric::InnerProduct, Quantization::Sq8),
    (Metric::InnerProduct, Quantization::None),
    (Metric::Cosine, Quantization::Rabitq),
    (Metric::Cosine, Quantization::Sq8),
    (Metric::Cosine, Quantization::None),
    (Metric::Hamming, Quantization::None),
];

pub fn options(kind: (Metric, Quantization), dims: usize, lists: usize) -> IndexOptions {
    let (metric, quantization) = kind;
    IndexOptions { metric, dims, lists, quantization, seed: 7 }
}

/// Vectors around a few centers, as embeddings lie; for Hamming, their signs.
pub fn clustered(metric: Metric, count: usize, dims: usize, seed: u64) -> Vec<Vec<f32>> {
    let vector = |random: &mut SplitMix64, spread: f32, center: &[f32]| -> Vec<f32> {
        (0..dims).map(|i| center[i] + spread * random.next_normal()).collect()
    };
    let mut of_centers = SplitMix64::new(99);
    let centers: Vec<Vec<f32>> =
        (0..20).map(|_| vector(&mut of_centers, 1.0, &vec![0.3; dims])).collect();
    let mut random = SplitMix64::new(seed);
    let all = (0..count).map(|i| vector(&mut random, 0.6, &centers[i % centers.len()]));
    if metric == Metric::Hamming {
        return all.map(|v| v.iter().map(|&x| f32::from(x > 0.0)).collect()).collect();
    }
    all.collect()
}

pub fn tid(i: usize) -> HeapTid {
    HeapTid { block: (i / 50) as u32, offset: (i % 50 + 1) as u16 }
}

pub fn row(tid: HeapTid) -> usize {
    tid.block as usize * 50 + usize::from(tid.offset) - 1
}

pub fn built(options: IndexOptions, vectors: &[Vec<f32>]) -> MemStore {
    built_in(options, vectors, Space::unlimited())
}

pub fn built_in(options: IndexOptions, vectors: &[Vec<f32>], space: Space) -> MemStore {
    let mut bulk = Bulk::new(options, space).expect("fits");
    for (i, vector) in vectors.iter().enumerate() {
        bulk.push(vector, tid(i)).expect("takes the row");
    }
    let store = MemStore::new();
    bulk.write(2, &mut |_, _, _| true, &mut |body| {
        store.append(body);
        Ok(())
    })
    .expect("builds");
    store
}

pub fn all_lists() -> ScanOptions {
    probes(usize::MAX)
}

pub fn probes(probes: usize) -> ScanOptions {
    ScanOptions { probes, max_probes: 0, strict: false, wanted: 0, memory: usize::MAX }
}

/// Rows in the order in which a scan returns them, at most `limit`.
pub fn search<S: PageStore>(
    store: &S,
    query: &[f32],
    options: ScanOptions,
    limit: usize,
) -> Vec<usize> {
    let ivf = Ivf::open(store).expect("opens");
    let mut scan = Scan::new(ivf, Some(query), options);
    std::iter::from_fn(|| scan.next(store).expect("scans"))
        .take(limit)
        .map(|hit| row(hit.tid))
        .collect()
}

/// The operator's distance.
pub fn distance(metric: Metric, a: &[f32], b: &[f32]) -> f64 {
    let sum = |term: fn(f64, f64) -> f64| -> f64 {
        a.iter().zip(b).map(|(&a, &b)| term(a.into(), b.into())).sum()
    };
    let dot = sum(|a, b| a * b);
    match metric {
        Metric::InnerProduct => -dot,
        Metric::Cosine => 1.0 - dot / (sum(|a, _| a * a) * sum(|_, b| b * b)).sqrt(),
        Metric::Hamming => sum(|a, b| f64::from(a != b)),
        Metric::L2 | Metric::L1 | Metric::Jaccard => sum(|a, b| (a - b) * (a - b)).sqrt(),
    }
}

/// All rows, nearest first.
pub fn exact(metric: Metric, vectors: &[Vec<f32>], query: &[f32]) -> Vec<(f64, usize)> {
    let mut all: Vec<_> =
        vectors.iter().enumerate().map(|(i, v)| (distance(metric, query, v), i)).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    all
}

pub fn problems(store: &MemStore) -> Vec<Problem> {
    let mut found = Vec::new();
    check(store, &|| u32::MAX, &mut |problem| found.push(problem)).expect("checks");
    found
}

/// An index in which, for 8 lists, some are too long and others too short; 1,200 vectors, and the
/// rows in the index, which are of the first thousand of them.
pub fn unbalanced(
    kind: (Metric, Quantization),
    dims: usize,
) -> (MemStore, Vec<Vec<f32>>, Vec<usize>) {
    let vectors = clustered(kind.0, 1_200, dims, 3);
    let store = built(options(kind, dims, 8), &vectors[..400]);
    let mut dead = search(&store, &vectors[0], probes(2), usize::MAX);
    dead.retain(|i| i % 50 > 0);
    vacuum(&store, &mut |tid| dead.contains(&row(tid))).expect("vacuums");
    let grown = (400..1_000).filter(|i| [1, 2].contains(&(i % 20)));
    let rows: Vec<usize> = (0..400).filter(|i| !dead.contains(i)).chain(grown).collect();
    for &i in rows.iter().filter(|&&i| i >= 400) {
        insert(&store, &vectors[i], tid(i)).expect("inserts");
    }
    (store, vectors, rows)
}

/// Blocks that belong to neither a list nor the free ones: some of the last page of a build, and
/// the list of lists.
pub fn other_blocks(store: &MemStore) -> u64 {
    let info = info(store).expect("counts");
    let blocks = u64::from(info.block_pages) * info.meta.geometry.blocks_per_page() as u64;
    blocks - (info.rows + info.vacant) / 32 - info.free
}

/// Share of the `k` nearest that a search of some lists finds, over `queries`.
pub fn recall(
    store: &MemStore,
    metric: Metric,
    vectors: &[Vec<f32>],
    queries: &[Vec<f32>],
    options: ScanOptions,
    k: usize,
) -> f64 {
    let mut hits = 0;
    for query in queries {
        let limit = exact(metric, vectors, query)[k - 1].0 + 1e-6;
        let found = search(store, query, options, k);
        hits += found.iter().filter(|&&i| distance(metric, query, &vectors[i]) <= limit).count();
    }
    hits as f64 / (queries.len() * k) as f64
}
