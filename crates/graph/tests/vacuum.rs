//! Deleting, vacuuming, reusing space.

use std::collections::HashSet;

use crate::support::*;
use graph::{IndexOptions, vacuum};
use pages::{HeapTid, PageStore};
use quant::{Metric, splitmix64};

#[test]
fn rows_are_replaced_without_loss_or_growth() {
    let usual = [Metric::L2, Metric::Cosine, Metric::L1].map(|metric| (metric, forms(metric)[0]));
    let others = forms(Metric::Cosine)[1..].iter().map(|&form| (Metric::Cosine, form));
    let mut losses = Vec::new();
    for (metric, form) in usual.into_iter().chain(others) {
        let dims = 48;
        let options = IndexOptions { form, ..options(metric, dims) };
        let vectors = clustered(2_000 + 5 * 400, dims, 1);
        let queries = clustered(50, dims, 2);
        let store = bulk_built(options, &vectors[..2_000]);
        let pages = store.blocks().expect("counts");
        let mut rows: Vec<usize> = (0..2_000).collect();
        for round in 0..5 {
            let mixed = |row: usize| splitmix64((row * 10 + round) as u64);
            rows.sort_unstable_by_key(|&row| mixed(row));
            let dead: HashSet<usize> = rows[..400].iter().copied().collect();
            assert_eq!(vacuum_rows(&store, &dead), dead.len() as u64);
            rows.retain(|row| !dead.contains(row));
            assert_eq!(problems(&store), [], "{metric:?} {form:?} round {round}");
            let new = 2_000 + round * 400..2_000 + (round + 1) * 400;
            for (i, vector) in new.clone().zip(&vectors[new]) {
                graph::insert(&store, vector, tid(i)).expect("inserts");
                rows.push(i);
            }
            assert_eq!(problems(&store), [], "{metric:?} {form:?} round {round}");
        }
        let churned = recall(&store, metric, &vectors, &rows, &queries, 100);
        let left: Vec<Vec<f32>> = rows.iter().map(|&row| vectors[row].clone()).collect();
        let fresh = bulk_built(options, &left);
        let all: Vec<usize> = (0..left.len()).collect();
        let fresh = recall(&fresh, metric, &left, &all, &queries, 100);
        // Now and then one of the clusters, which lie far apart, is hard to reach.
        assert!(
            churned >= fresh - 0.06,
            "{metric:?} {form:?}: recall {churned}, built anew {fresh}"
        );
        losses.push(fresh - churned);
        assert!(store.blocks().expect("counts") <= pages + 8, "{pages} pages have grown");
    }
    assert!(losses.iter().sum::<f64>() <= 0.015 * losses.len() as f64, "{losses:?}");
}

#[test]
fn everything_can_be_deleted_and_come_back() {
    let vectors = clustered(300, 8, 3);
    let store = bulk_built(options(Metric::L2, 8), &vectors);
    vacuum_rows(&store, &(0..300).collect());
    assert_eq!(search(&store, &vectors[0], 40, 10), []);
    assert_eq!(problems(&store), []);
    let info = graph::info(&store).expect("counts");
    assert_eq!((info.tids, info.dying, info.meta.entry), (0, 0, None));
    let pages = store.blocks();
    for (i, vector) in vectors.iter().enumerate() {
        graph::insert(&store, vector, tid(i)).expect("inserts");
    }
    assert_eq!(store.blocks(), pages);
    assert_eq!(problems(&store), []);
    assert_eq!(search(&store, &vectors[5], 300, 10)[0], 5);
    vacuum_rows(&store, &(1..300).collect());
    assert_eq!(search(&store, &vectors[5], 40, 10), [0]);
}

#[test]
fn dead_rows_do_not_shorten_a_result() {
    let vectors = clustered(2_000, 32, 4);
    let store = bulk_built(options(Metric::L2, 32), &vectors);
    let nearest: HashSet<usize> = search(&store, &vectors[0], 200, 200).into_iter().collect();
    let mut is_dead = |tid: HeapTid| nearest.contains(&row(tid));
    let (emptied, _) = vacuum::clear(&store, &mut is_dead).expect("clears");
    // Between the passes the dead are still in the graph.
    assert_eq!(search(&store, &vectors[0], 10, 10).len(), 10);
    graph::insert(&store, &vectors[0], tid(5_000)).expect("inserts");
    vacuum::unlink(&store, &emptied).expect("unlinks");
    vacuum::free(&store, emptied).expect("frees");
    assert_eq!(search(&store, &vectors[0], 100, 1), [5_000]);
    assert_eq!(problems(&store), []);
}

#[test]
fn rows_of_one_vector_die_one_by_one() {
    let vectors = vec![vec![1.0, 2.0]; 2_000];
    let store = empty(options(Metric::L2, 2));
    for (i, vector) in vectors.iter().enumerate() {
        graph::insert(&store, vector, tid(i)).expect("inserts");
    }
    vacuum_rows(&store, &(0..1_990).collect());
    let mut left = search(&store, &vectors[0], 10, 100);
    left.sort_unstable();
    assert_eq!(left, (1_990..2_000).collect::<Vec<_>>());
    vacuum_rows(&store, &(0..2_000).collect());
    assert_eq!(graph::info(&store).expect("counts").overflow, 0);
    assert_eq!(problems(&store), []);
}
