//! What the tests of this crate share: seeded data, exact answers, an index in memory.
#![allow(dead_code)]

use std::collections::HashSet;

use distributions::Distribution;
use graph::{Bulk, Hnsw, IndexOptions, Iterative, Problem, Scan, ScanOptions, check, vacuum};
use pages::HeapTid;
use pages::mem::MemStore;
use quant::{Metric, SplitMix64};
use vectors::Form;

pub fn options(metric: Metric, dims: usize) -> IndexOptions {
    IndexOptions { metric, form: forms(metric)[0], dims, m: 16, ef_construction: 64, seed: 7 }
}

/// The forms in which vectors may be stored that are compared by `metric`, the usual one first.
pub fn forms(metric: Metric) -> &'static [Form] {
    match metric {
        Metric::Hamming | Metric::Jaccard => &[Form::Bits],
        Metric::L1 => &[Form::Halves, Form::Floats],
        Metric::L2 | Metric::InnerProduct | Metric::Cosine => {
            &[Form::Halves, Form::Floats, Form::Sq8, Form::Rabitq]
        }
    }
}

/// Vectors around a few centers, as embeddings lie.
pub fn clustered(count: usize, dims: usize, seed: u64) -> Vec<Vec<f32>> {
    let vector = |random: &mut SplitMix64, spread: f32, center: &[f32]| -> Vec<f32> {
        (0..dims).map(|i| center[i] + spread * random.next_normal()).collect()
    };
    let mut of_centers = SplitMix64::new(99);
    let centers: Vec<Vec<f32>> =
        (0..20).map(|_| vector(&mut of_centers, 1.0, &vec![0.0; dims])).collect();
    let mut random = SplitMix64::new(seed);
    (0..count).map(|i| vector(&mut random, 0.6, &centers[i % centers.len()])).collect()
}

pub fn tid(i: usize) -> HeapTid {
    HeapTid { block: (i / 50) as u32, offset: (i % 50 + 1) as u16 }
}

pub fn row(tid: HeapTid) -> usize {
    tid.block as usize * 50 + usize::from(tid.offset) - 1
}

/// How vectors of floats are held by default.
pub fn default_options(metric: Metric, dims: usize) -> IndexOptions {
    IndexOptions { form: Form::of_floats(dims), ..options(metric, dims) }
}

/// An index that is built as by default.
pub fn default_built(metric: Metric, vectors: &[Vec<f32>]) -> MemStore {
    let options = default_options(metric, vectors[0].len());
    let bulk = collected(options, vectors);
    if bulk.is_blurred().expect("has the memory") {
        return bulk_built(IndexOptions { form: Form::Floats, ..options }, vectors);
    }
    written(bulk)
}

pub fn bulk_built(options: IndexOptions, vectors: &[Vec<f32>]) -> MemStore {
    written(collected(options, vectors))
}

/// The rows of a build.
pub fn collected(options: IndexOptions, vectors: &[Vec<f32>]) -> Bulk<'static> {
    let mut bulk = Bulk::new(options, space::Space::unlimited()).expect("fits");
    for (i, vector) in vectors.iter().enumerate() {
        bulk.push(vector, tid(i)).expect("takes the row");
    }
    bulk
}

/// The index that a build writes.
pub fn written(bulk: Bulk<'_>) -> MemStore {
    written_by(2, bulk)
}

/// The same with so many threads. One makes the same index each time.
pub fn written_by(threads: usize, bulk: Bulk<'_>) -> MemStore {
    let store = MemStore::new();
    bulk.write(threads, &mut |_, _, _| true, &mut |body| {
        store.append(body);
        Ok(())
    })
    .expect("builds");
    store
}

pub fn empty(options: IndexOptions) -> MemStore {
    bulk_built(options, &[])
}

/// An index that was empty before row after row was added.
pub fn grown(options: IndexOptions, vectors: &[Vec<f32>]) -> MemStore {
    let store = empty(options);
    for (i, vector) in vectors.iter().enumerate() {
        graph::insert(&store, vector, tid(i)).expect("inserts");
    }
    store
}

/// Deletes rows and vacuums; returns how many it removed.
pub fn vacuum_rows(store: &MemStore, dead: &HashSet<usize>) -> u64 {
    let mut is_dead = |tid: HeapTid| dead.contains(&row(tid));
    let (emptied, stats) = vacuum::clear(store, &mut is_dead).expect("clears");
    vacuum::unlink(store, &emptied).expect("unlinks");
    vacuum::free(store, emptied).expect("frees");
    stats.removed
}

/// The distributions with `ONLY` (a part of a name) from the environment in their names.
pub fn distributions_asked() -> impl Iterator<Item = Distribution> {
    let only = std::env::var("ONLY").unwrap_or_default();
    distributions::all().into_iter().filter(move |data| data.name.contains(&only))
}

/// Rows of each: `ROWS` from the environment, or `usual`.
pub fn rows_asked(usual: usize) -> usize {
    std::env::var("ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(usual)
}

pub fn scan_options(ef: usize) -> ScanOptions {
    let (iterative, max_tuples, memory) = (Iterative::On, usize::MAX, usize::MAX);
    ScanOptions {
        ef,
        target_recall: None,
        iterative,
        wanted: 0,
        filtered: false,
        max_tuples,
        memory,
    }
}

/// Rows in the order in which a scan returns them, at most `limit`.
pub fn search(store: &MemStore, query: &[f32], ef: usize, limit: usize) -> Vec<usize> {
    let hnsw = Hnsw::open(store).expect("opens");
    let mut scan = Scan::new(hnsw, Some(query), scan_options(ef));
    std::iter::from_fn(|| scan.next(store).expect("scans"))
        .take(limit)
        .map(|hit| row(hit.tid))
        .collect()
}

/// Distances of the `k` nearest rows that a scan returns, as a host settles them that fetches a row
/// where its distance is not certain.
pub fn settled(
    store: &MemStore,
    query: &[f32],
    ef: usize,
    k: usize,
    distance: impl Fn(usize) -> f64,
) -> Vec<f64> {
    let hnsw = Hnsw::open(store).expect("opens");
    let mut scan = Scan::new(hnsw, Some(query), scan_options(ef));
    let mut distances: Vec<f64> = Vec::new();
    while let Some(hit) = scan.next(store).expect("scans") {
        if distances.iter().filter(|&&distance| distance <= hit.distance).count() >= k {
            break;
        }
        distances.push(distance(row(hit.tid)));
    }
    distances.sort_unstable_by(f64::total_cmp);
    distances.truncate(k);
    distances
}

pub fn distance(metric: Metric, a: &[f32], b: &[f32]) -> f64 {
    let sum = |f: fn(f64, f64) -> f64| -> f64 {
        a.iter().zip(b).map(|(&a, &b)| f(f64::from(a), f64::from(b))).sum()
    };
    match metric {
        Metric::L2 => sum(|a, b| (a - b) * (a - b)).sqrt(),
        Metric::InnerProduct => -sum(|a, b| a * b),
        Metric::Cosine => {
            let norm =
                |x: &[f32]| x.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
            1.0 - sum(|a, b| a * b) / (norm(a) * norm(b))
        }
        Metric::L1 | Metric::Hamming => sum(|a, b| (a - b).abs()),
        Metric::Jaccard => match sum(f64::min) {
            0.0 => 1.0,
            common => 1.0 - common / sum(f64::max),
        },
    }
}

/// Signs of vectors, as numbers 0 and 1.
pub fn bits(vectors: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let bit = |&x: &f32| f32::from(u8::from(x > 0.0));
    vectors.iter().map(|vector| vector.iter().map(bit).collect()).collect()
}

/// Share of the true `k` nearest of `rows` that searches find, over all queries.
pub fn recall(
    store: &MemStore,
    metric: Metric,
    vectors: &[Vec<f32>],
    rows: &[usize],
    queries: &[Vec<f32>],
    ef: usize,
) -> f64 {
    let k = 10;
    let mut found = 0;
    for query in queries {
        let mut exact: Vec<f64> =
            rows.iter().map(|&i| distance(metric, query, &vectors[i])).collect();
        exact.sort_unstable_by(f64::total_cmp);
        let bound = exact[k - 1] + 1e-5 * exact[k - 1].abs();
        let hits = settled(store, query, ef, k, |i| distance(metric, query, &vectors[i]));
        found += hits.iter().filter(|&&distance| distance <= bound).count();
    }
    found as f64 / (k * queries.len()) as f64
}

/// An index built at once, and one to which row after row was added, are sound and find 95 % of the
/// ten nearest to each query, in whatever form vectors are stored.
#[track_caller]
pub fn expect_recall(metric: Metric, vectors: &[Vec<f32>], queries: &[Vec<f32>], ef: usize) {
    for &form in forms(metric) {
        expect_recall_in(form, metric, vectors, queries, ef);
    }
}

/// The same where vectors are stored in `form`.
#[track_caller]
pub fn expect_recall_in(
    form: Form,
    metric: Metric,
    vectors: &[Vec<f32>],
    queries: &[Vec<f32>],
    ef: usize,
) {
    let options = IndexOptions { form, ..options(metric, vectors[0].len()) };
    let rows: Vec<usize> = (0..vectors.len()).collect();
    let built = bulk_built(options, vectors);
    let inserted = empty(options);
    for &i in &rows {
        graph::insert(&inserted, &vectors[i], tid(i)).expect("inserts");
    }
    for (store, how) in [(&built, "built"), (&inserted, "inserted")] {
        let what = format!("{metric:?} {form:?} {} {how}", options.dims);
        assert_eq!(problems(store), [], "{what}");
        let recall = recall(store, metric, vectors, &rows, queries, ef);
        println!("{what}: recall {recall}");
        assert!(recall >= 0.95, "{what}: recall {recall}");
    }
}

pub fn problems(store: &MemStore) -> Vec<Problem> {
    let mut problems = Vec::new();
    check(store, &|| u32::MAX, &mut |problem| problems.push(problem)).expect("checks");
    problems
}
