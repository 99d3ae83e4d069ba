//! Recall on data unlike embeddings: of indexes built at once, grown row by row, and churned.

use crate::support::*;
use ivf::{
    DEFAULT_RECALL, DEFAULT_TARGET, Ivf, Quantization, Rebalance, Rebalanced, Scan, ScanOptions,
    calibrate, indexable, insert, rebalance, recalibrate, vacuum,
};
use pages::mem::MemStore;
use quant::Metric;

/// Queries of each distribution.
const QUERIES: usize = 100;

/// What searches by default find at least: [`DEFAULT_RECALL`], as far as these queries tell.
const FLOOR: f64 = DEFAULT_RECALL - 0.02;

/// Data of which less is found: queries that are copies of a few, whose neighbors are found or not, and
/// products of which rows that replace others change the largest.
const LESS: [(&str, f64); 2] = [(COPIES, 0.0), ("uniform, 32 dimensions, IP", 0.91)];
const COPIES: &str = "every row ten times";

/// Neighbors that are looked for.
const NEAREST: usize = 10;

const FORMS: [Quantization; 3] = [Quantization::Rabitq, Quantization::Sq8, Quantization::None];

/// An index, and the vectors of its rows.
struct Index {
    store: MemStore,
    metric: Metric,
    vectors: Vec<Vec<f32>>,
}

impl Index {
    /// Without rows yet.
    fn empty(metric: Metric, form: Quantization, dims: usize) -> Self {
        let store = built(options((metric, form), dims, 0), &[]);
        Self { store, metric, vectors: Vec::new() }
    }

    fn built(metric: Metric, form: Quantization, vectors: &[Vec<f32>]) -> Self {
        let store = built(options((metric, form), vectors[0].len(), 0), vectors);
        calibrate(&store, vectors.len() as u64).expect("measures");
        Self { store, metric, vectors: vectors.to_vec() }
    }

    fn insert(&mut self, vector: &[f32]) {
        insert(&self.store, vector, tid(self.vectors.len())).expect("inserts");
        self.vectors.push(vector.to_vec());
    }

    /// What a vacuum does that finds every other row dead, or none.
    fn vacuum(&mut self, half: bool) {
        let dead = |i: usize| half && i.is_multiple_of(2);
        vacuum(&self.store, &mut |tid| dead(row(tid))).expect("vacuums");
        let done = rebalance(&self.store, &Rebalance { lists: 0, work: 100_000 });
        recalibrate(&self.store, &done.expect("reorganizes")).expect("measures");
        for (i, vector) in self.vectors.iter_mut().enumerate() {
            if dead(i) {
                vector.clear();
            }
        }
    }

    /// The share of the nearest that searches find, as a host settles them that fetches a row where its
    /// distance is not certain; and the lists that they take first, of all.
    fn recall(&self, queries: &[Vec<f32>], all: bool) -> (f64, usize, u32) {
        let ivf = Ivf::open(&self.store).expect("opens");
        let lists = ivf.meta().lists;
        let probes = if all { usize::MAX } else { ivf.meta().probes(DEFAULT_TARGET) };
        let options = ScanOptions {
            probes,
            max_probes: usize::MAX,
            strict: true,
            wanted: NEAREST,
            memory: usize::MAX,
        };
        let mut found = 0;
        for query in queries {
            let distance = |i: usize| distance(self.metric, query, &self.vectors[i]);
            let rows = (0..self.vectors.len()).filter(|&i| !self.vectors[i].is_empty());
            let mut exact: Vec<f64> = rows.map(distance).collect();
            exact.sort_unstable_by(f64::total_cmp);
            let limit = exact[NEAREST - 1] + 1e-5 * exact[NEAREST - 1].abs().max(1e-30);
            let ivf = Ivf::open(&self.store).expect("opens");
            let mut scan = Scan::new(ivf, Some(query), options).reaching(!all);
            let mut distances: Vec<f64> = Vec::new();
            while let Some(hit) = scan.next(&self.store).expect("scans") {
                let settled =
                    distances.iter().filter(|&&distance| distance <= hit.distance).count();
                if settled >= NEAREST {
                    break;
                }
                distances.push(distance(row(hit.tid)));
            }
            distances.sort_unstable_by(f64::total_cmp);
            found += distances.iter().take(NEAREST).filter(|&&distance| distance <= limit).count();
        }
        (found as f64 / (NEAREST * queries.len()) as f64, probes, lists)
    }
}

/// Prints what searches find. With `ROWS` and `ONLY` (a part of a name) in the
/// environment, other sizes and some of the data.
#[test]
fn neighbors_are_found_in_any_data() {
    let count = std::env::var("ROWS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000);
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut low = Vec::new();
    for data in distributions::all() {
        let (name, metric) = (data.name, data.metric);
        if !name.contains(&only) || metric == Metric::L1 {
            continue;
        }
        let indexable = |vectors: Vec<Vec<f32>>| -> Vec<Vec<f32>> {
            vectors.into_iter().filter(|vector| indexable(metric, vector)).collect()
        };
        let (rows, queries) = (indexable(data.rows(count)), indexable(data.queries(QUERIES)));
        for form in FORMS {
            let mut expect = |how: &str, index: &Index| {
                for all in [false, true] {
                    let (recall, probes, lists) = index.recall(&queries, all);
                    let probes = probes.min(lists as usize);
                    println!("{name:36} {form:8?} {how:8} {probes:4} of {lists:3}: {recall:.4}");
                    let less = LESS.iter().find(|less| less.0 == name);
                    let floor = if all { 1.0 } else { less.map_or(FLOOR, |less| less.1) };
                    if recall < floor {
                        low.push(format!("{name}, {form:?}, {how}, {probes} of {lists}: {recall}"));
                    }
                }
            };
            let mut index = Index::built(metric, form, &rows);
            expect("built", &index);
            index.vacuum(true);
            indexable(data.later_rows(count / 2)).iter().for_each(|vector| index.insert(vector));
            expect("churned", &index);
            let mut index = Index::empty(metric, form, rows[0].len());
            rows.iter().for_each(|vector| index.insert(vector));
            expect("grown", &index);
            index.vacuum(false);
            expect("vacuumed", &index);
        }
    }
    assert!(low.is_empty(), "{}", low.join("\n"));
}

/// Copies lie in one list, whatever the others do.
#[test]
fn copies_of_a_row_do_not_count_as_found_by_it() {
    let data = distributions::all().into_iter().find(|data| data.name == COPIES);
    let rows = data.as_ref().expect("exists").rows(2_000);
    let calibrated = |rows: &[Vec<f32>]| {
        let index = Index::built(Metric::L2, Quantization::Rabitq, rows);
        let ivf = Ivf::open(&index.store).expect("opens");
        (ivf.meta().probes(DEFAULT_TARGET), ivf.meta().lists)
    };
    let (probes, lists) = calibrated(&rows);
    assert!(probes as u32 > lists / 5, "{probes} of {lists}");
}

/// Also where its lists are as they should be.
#[test]
fn an_index_is_calibrated_when_it_has_grown_large_enough() {
    let rows = clustered(Metric::L2, 500, 8, 1);
    let store = built(options((Metric::L2, Quantization::Rabitq), 8, 0), &rows);
    let calibrated = |rows| {
        let unchanged = Rebalanced { rows, ..Rebalanced::default() };
        recalibrate(&store, &unchanged).expect("measures");
        Ivf::open(&store).expect("opens").meta().calibration
    };
    assert_eq!(calibrated(499), None);
    let first = calibrated(500);
    assert!(first.is_some());
    assert_eq!(calibrated(2_000), first, "nothing has changed");
}
