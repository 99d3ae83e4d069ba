//! What reorganizations promise where rows come in the order of some direction.

use crate::support::*;
use ivf::{Quantization, Rebalance, info, insert, lists_for, rebalance};
use pages::mem::MemStore;
use quant::{Metric, SplitMix64};

const DIMS: usize = 48;
const FACTORS: usize = 8;
const ROWS: usize = 4_000;
const LISTS: u64 = 40;

const WANTED: Rebalance = Rebalance { lists: LISTS, work: u64::MAX };

/// An index made of the first tenth of `vectors`; the others come with a reorganization after each
/// fifth more.
fn grown(kind: (Metric, Quantization), vectors: &[Vec<f32>]) -> MemStore {
    let first = vectors.len() / 10;
    let store = built(options(kind, DIMS, LISTS as usize), &vectors[..first]);
    let mut next = first * 6 / 5;
    for (i, vector) in vectors.iter().enumerate().skip(first) {
        insert(&store, vector, tid(i)).expect("inserts");
        if i >= next || i + 1 == vectors.len() {
            rebalance(&store, &WANTED).expect("reorganizes");
            next = i * 6 / 5;
        }
    }
    store
}

/// Vectors of a few factors, as embeddings have; no clusters.
fn vectors(count: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut factors = SplitMix64::new(99);
    let factors: Vec<Vec<f32>> =
        (0..FACTORS).map(|_| (0..DIMS).map(|_| factors.next_normal()).collect()).collect();
    let mut random = SplitMix64::new(seed);
    let vector = |_| {
        let mut vector = vec![1.0; DIMS];
        for factor in &factors {
            let share = random.next_normal();
            vector.iter_mut().zip(factor).for_each(|(x, f)| *x += share * f);
        }
        vector
    };
    (0..count).map(vector).collect()
}

#[test]
fn rows_in_the_order_of_a_direction_are_found_as_in_a_new_index() {
    for kind in [(Metric::L2, Quantization::Rabitq), (Metric::Cosine, Quantization::None)] {
        let mut vectors = vectors(ROWS, 1);
        let (a, b) = (vectors[0].clone(), vectors[1].clone());
        let along = |v: &Vec<f32>| -> f32 {
            v.iter().zip(a.iter().zip(&b)).map(|(x, (a, b))| x * (a - b)).sum()
        };
        vectors.sort_by(|v, w| along(v).total_cmp(&along(w)));
        let store = grown(kind, &vectors);
        assert_eq!(problems(&store), [], "{kind:?}");
        let new = built(options(kind, DIMS, LISTS as usize), &vectors);
        let queries = self::vectors(100, 2);
        let share = |store, lists| recall(store, kind.0, &vectors, &queries, probes(lists), 10);
        let (of_grown, of_new) = (share(&store, 4), share(&new, 4));
        assert!(of_grown >= of_new - 0.05, "{kind:?}: {of_grown} {of_new}");
        let lists = info(&store).expect("counts").meta.lists;
        assert!((30..=50).contains(&lists), "{kind:?}: {lists} lists");
        // Lists that nothing happens to come to rest.
        let moved: Vec<u64> =
            (0..8).map(|_| rebalance(&store, &WANTED).expect("reorganizes").moved).collect();
        assert!(moved.contains(&0), "{kind:?}: {moved:?}");
    }
}

#[test]
fn as_many_lists_as_rows_want_are_like_those_that_are_told() {
    let vectors = clustered(Metric::L2, 1_600, DIMS, 1);
    let sound = built(options((Metric::L2, Quantization::Rabitq), DIMS, 40), &vectors);
    let [derived, told] = [0, lists_for(1_600) as u64].map(|lists| {
        rebalance(&sound.clone(), &Rebalance { lists, work: u64::MAX }).expect("reorganizes")
    });
    assert_eq!(derived, told);
}
