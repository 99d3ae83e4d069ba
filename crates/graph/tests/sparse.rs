//! Sparse vectors.

use std::collections::{BTreeMap, HashSet};

use crate::support::{problems, row, scan_options, tid, written};
use graph::{Bulk, Hnsw, IndexOptions, Scan, vacuum};
use kernels::sparse::{self, Sparse};
use pages::mem::MemStore;
use pages::{Error, HeapTid};
use quant::{Metric, SplitMix64};
use space::Space;
use vectors::Form;

const METRICS: [Metric; 4] = [Metric::L2, Metric::InnerProduct, Metric::Cosine, Metric::L1];

/// Elements that are not zero.
#[derive(Debug, Clone)]
struct Row {
    indices: Vec<u32>,
    values: Vec<f32>,
}

impl Row {
    fn new(elements: impl IntoIterator<Item = (u32, f32)>) -> Self {
        let elements: BTreeMap<u32, f32> = elements.into_iter().collect();
        let (indices, values) = elements.into_iter().unzip();
        Self { indices, values }
    }

    fn view(&self) -> Sparse<'_> {
        Sparse { indices: &self.indices, values: &self.values }
    }
}

/// Texts as a learned sparse model describes them: a topic's words, which are few, and words of
/// all texts, drawn by Zipf's law; `terms` of them, from a vocabulary of `words`.
fn texts(count: usize, terms: usize, words: u32, seed: u64) -> Vec<Row> {
    let mut random = SplitMix64::new(seed);
    let text = |_| {
        let topic = random.next_u64() % 60;
        let elements = (0..terms).map(|_| {
            let zipf = (f64::from(random.next_f32()) * f64::from(words).ln()).exp();
            let word = if random.next_f32() < 0.6 {
                // The topic's words, the first ones mostly.
                let rank = (f64::from(random.next_f32()) * 300f64.ln()).exp() as u64;
                (SplitMix64::new(topic << 32 | rank).next_u64() % u64::from(words)) as u32
            } else {
                zipf as u32 % words
            };
            (word, 0.1 + random.next_f32())
        });
        Row::new(elements.collect::<Vec<_>>())
    };
    (0..count).map(text).collect()
}

fn options(metric: Metric, dims: usize) -> IndexOptions {
    IndexOptions { form: Form::Sparse, ..crate::support::options(metric, dims) }
}

fn built(options: IndexOptions, rows: &[Row]) -> MemStore {
    let mut bulk = Bulk::new(options, Space::unlimited()).expect("fits");
    for (i, row) in rows.iter().enumerate() {
        bulk.push(row.view(), tid(i)).expect("takes the row");
    }
    written(bulk)
}

fn insert(store: &MemStore, row: &Row, i: usize) -> Result<(), Error> {
    graph::insert(store, row.view(), tid(i))
}

fn search(store: &MemStore, query: &Row, ef: usize, limit: usize) -> Vec<usize> {
    let mut scan =
        Scan::new(Hnsw::open(store).expect("opens"), Some(query.view()), scan_options(ef));
    std::iter::from_fn(|| scan.next(store).expect("scans"))
        .take(limit)
        .map(|hit| row(hit.tid))
        .collect()
}

fn distance(metric: Metric, a: &Row, b: &Row) -> f64 {
    let (a, b) = (a.view(), b.view());
    match metric {
        Metric::L2 => f64::from(sparse::l2_squared(a, b)).sqrt(),
        Metric::InnerProduct => -f64::from(sparse::inner_product(a, b)),
        Metric::L1 | Metric::Hamming | Metric::Jaccard => sparse::l1(a, b).into(),
        Metric::Cosine => {
            let t = sparse::cosine_terms(a, b);
            1.0 - f64::from(t.dot) / (f64::from(t.norm_a) * f64::from(t.norm_b)).sqrt()
        }
    }
}

/// Share of the true ten nearest that searches find.
fn recall(store: &MemStore, metric: Metric, rows: &[Row], queries: &[Row], ef: usize) -> f64 {
    let mut found = 0;
    for query in queries {
        let mut exact: Vec<f64> = rows.iter().map(|row| distance(metric, query, row)).collect();
        exact.sort_unstable_by(f64::total_cmp);
        let hits = search(store, query, ef, 10);
        let near = |i: &&usize| distance(metric, query, &rows[**i]) <= exact[9] + 1e-6;
        found += hits.iter().filter(near).count();
    }
    found as f64 / (10 * queries.len()) as f64
}

fn vacuum_rows(store: &MemStore, dead: &HashSet<usize>) -> Result<(), Error> {
    let mut is_dead = |tid: HeapTid| dead.contains(&row(tid));
    let (emptied, _) = vacuum::clear(store, &mut is_dead)?;
    vacuum::unlink(store, &emptied)?;
    vacuum::free(store, emptied)
}

#[test]
fn sparse_vectors_are_found() {
    // Short ones are compared as they are by a build, long ones by their sketches; in few
    // dimensions a sketch is the vector.
    for (count, terms, words) in [(1_500, 20, 30_000), (1_500, 120, 30_000), (1_500, 8, 60)] {
        let rows = texts(count, terms, words, 1);
        let queries = texts(30, terms, words, 2);
        for metric in METRICS {
            let store = built(options(metric, words as usize), &rows);
            let inserted = built(options(metric, words as usize), &rows[..count / 2]);
            for (i, row) in rows.iter().enumerate().skip(count / 2) {
                insert(&inserted, row, i).expect("inserts");
            }
            for (store, how) in [(store, "built"), (inserted, "inserted")] {
                let what = format!("{metric:?} {terms} of {words} {how}");
                assert_eq!(problems(&store), [], "{what}");
                let recall = recall(&store, metric, &rows, &queries, 150);
                println!("{what}: recall {recall}");
                assert!(recall >= 0.95, "{what}: recall {recall}");
            }
        }
    }
}

#[test]
fn distances_are_those_of_the_operators() {
    let rows = texts(300, 30, 1_000_000_000, 3);
    for metric in METRICS {
        let store = built(options(metric, 1_000_000_000), &rows);
        let hnsw = Hnsw::open(&store).expect("opens");
        let mut scan = Scan::new(hnsw, Some(rows[7].view()), scan_options(1_000));
        let mut count = 0;
        while let Some(hit) = scan.next(&store).expect("scans") {
            let exact = distance(metric, &rows[7], &rows[row(hit.tid)]);
            assert!(hit.exact && hit.distance == exact, "{metric:?}: {hit:?} {exact}");
            count += 1;
        }
        assert_eq!(count, 300, "{metric:?}");
    }
}

/// Vectors of very different lengths: none, some that take many tails.
fn of_all_lengths() -> Vec<Row> {
    let mut random = SplitMix64::new(5);
    let lengths = [0, 1, 5, 100, 199, 209, 210, 400, 700, 1_000, 1_700, 4_000, 16_000];
    let row = |len: u32| Row::new((0..len).map(|i| (i * 60_000 + len, random.next_normal())));
    lengths.into_iter().chain(10..30).map(row).collect()
}

const DIMS: usize = 1_000_000_000;

#[test]
fn vectors_of_any_length_are_found() {
    let rows = of_all_lengths();
    for metric in [Metric::L2, Metric::InnerProduct, Metric::L1] {
        let store = built(options(metric, DIMS), &rows);
        let inserted = built(options(metric, DIMS), &[]);
        for (i, row) in rows.iter().enumerate() {
            insert(&inserted, row, i).expect("inserts");
        }
        for store in [store, inserted] {
            assert_eq!(problems(&store), []);
            for (i, row) in rows.iter().enumerate().filter(|(_, row)| !row.indices.is_empty()) {
                assert_eq!(search(&store, row, 40, 1), [i], "{metric:?}");
            }
            let tails = graph::info(&store).expect("counts").tails;
            assert!(tails > 30, "{tails}");
        }
    }
}

#[test]
fn rows_of_one_vector_share_an_element() {
    let rows = of_all_lengths();
    let store = built(options(Metric::L2, DIMS), &[]);
    for i in 0..5 * rows.len() {
        insert(&store, &rows[i % rows.len()], i).expect("inserts");
    }
    assert_eq!(graph::info(&store).expect("counts").levels[0], rows.len() as u64);
    assert_eq!(problems(&store), []);
}

#[test]
fn no_crash_loses_a_vector_or_space() {
    let rows = of_all_lengths();
    let sound = built(options(Metric::L2, DIMS), &rows);
    let dead: HashSet<usize> = [3, 7, 11, 12].into();
    let more = texts(2, 900, 1_000_000_000, 6);
    let run = |store: &MemStore| {
        for (i, row) in more.iter().enumerate() {
            insert(store, row, rows.len() + i)?;
        }
        vacuum_rows(store, &dead)
    };
    let mut at = 0;
    loop {
        let store = sound.clone();
        store.crash_after(at);
        let outcome = run(&store);
        store.recover();
        assert_eq!(problems(&store), [], "after {at} batches");
        vacuum_rows(&store, &dead).expect("vacuums");
        let info = graph::info(&store).expect("counts");
        let inserted = info.levels[0] as usize + dead.len() - rows.len();
        let kept = rows.iter().enumerate().filter(|(i, _)| !dead.contains(i));
        let long = kept.clone().map(|(_, row)| row).chain(&more[..inserted]);
        let tails: usize = long
            .map(|row| (8 * row.indices.len()).saturating_sub(1_676))
            .fold(0, |sum, rest| sum + rest.div_ceil(4_052));
        assert_eq!((info.tails, info.dying), (tails as u64, 0), "after {at} batches");
        for (i, row) in kept.filter(|(_, row)| !row.indices.is_empty()) {
            assert_eq!(search(&store, row, 40, 1), [i], "after {at} batches");
        }
        if outcome.is_ok() {
            break;
        }
        assert_eq!(outcome, Err(Error::Crashed));
        at += 1;
    }
    assert!(at > 40, "only {at} batches");
}

#[test]
fn churn_keeps_the_index_sound() {
    let rows = texts(1_200, 100, 30_000, 7);
    let store = built(options(Metric::Cosine, 30_000), &rows[..600]);
    for round in 0..3 {
        let dead: HashSet<usize> = (round * 200..(round + 1) * 200).collect();
        vacuum_rows(&store, &dead).expect("vacuums");
        for (i, row) in rows.iter().enumerate().skip(600 + round * 200).take(200) {
            insert(&store, row, i).expect("inserts");
        }
        assert_eq!(problems(&store), []);
    }
    let queries = texts(30, 100, 30_000, 8);
    let mut found = 0;
    for query in &queries {
        let mut exact: Vec<(f64, usize)> =
            (600..1_200).map(|i| (distance(Metric::Cosine, query, &rows[i]), i)).collect();
        exact.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let hits = search(&store, query, 100, 10);
        found += exact[..10].iter().filter(|(_, i)| hits.contains(i)).count();
    }
    assert!(found >= 280, "{found} of 300");
}

#[test]
fn damage_is_told() {
    let rows = texts(40, 50, 30_000, 9);
    let store = built(options(Metric::L2, 30_000), &rows);
    // The first index of the first element's vector, behind its codes.
    let at = 28 + 12 + 60 + 32 * (4 + 4 + 64);
    store.scribble(1, |page| page[at + 2] = 0xFF);
    let problems = problems(&store);
    assert!(problems.iter().any(|problem| problem.what.contains("checksum")), "{problems:?}");
    assert!(problems.iter().any(|problem| problem.what.contains("not whole")), "{problems:?}");
    let mut scan =
        Scan::new(Hnsw::open(&store).expect("opens"), Some(rows[0].view()), scan_options(100));
    let outcome = std::iter::from_fn(|| scan.next(&store).transpose()).find_map(Result::err);
    assert!(outcome.is_some_and(|error| error.to_string().contains("out of order")));
}
