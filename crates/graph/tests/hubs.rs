//! Elements that are nearest to everything.

use std::collections::HashSet;

use crate::support::*;
use graph::IndexOptions;
use quant::{Metric, SplitMix64, splitmix64};

/// Corners of a cube, the first `hubs` of a much smaller one: these are nearer to all others than
/// the others are to one another.
fn corners(hubs: usize, count: usize, dims: usize) -> Vec<Vec<f32>> {
    let coordinate = |i: usize, j: usize| {
        let sign = if splitmix64((i * dims + j) as u64) & 1 == 0 { 1.0 } else { -1.0 };
        if i < hubs { sign / 100.0 } else { sign }
    };
    (0..count).map(|i| (0..dims).map(|j| coordinate(i, j)).collect()).collect()
}

#[test]
fn rows_are_reached_where_few_neighbors_have_all_for_nearest() {
    for metric in [Metric::L2, Metric::L1] {
        let vectors = corners(12, 700, 64);
        let store = empty(IndexOptions { m: 4, ..options(metric, 64) });
        for (i, vector) in vectors.iter().enumerate() {
            graph::insert(&store, vector, tid(i)).expect("inserts");
        }
        assert_eq!(problems(&store), [], "{metric:?}");
    }
}

/// By inner product the longest vectors are nearest to all: what a build and vacuum let others be reached
/// by must not fill their lists.
#[test]
fn inner_products_are_found_after_half_of_the_rows_were_replaced() {
    let count = 5_000;
    let mut random = SplitMix64::new(1);
    let mut uniforms = |count| -> Vec<Vec<f32>> {
        (0..count).map(|_| (0..3).map(|_| random.next_f32()).collect()).collect()
    };
    let (mut vectors, queries) = (uniforms(count), uniforms(200));
    let store = bulk_built(options(Metric::InnerProduct, 3), &vectors);
    let dead: HashSet<usize> = (0..count).step_by(2).collect();
    vacuum_rows(&store, &dead);
    vectors.extend(uniforms(dead.len()));
    for (i, vector) in vectors.iter().enumerate().skip(count) {
        graph::insert(&store, vector, tid(i)).expect("inserts");
    }
    assert_eq!(problems(&store), []);
    let live: Vec<usize> = (0..vectors.len()).filter(|i| !dead.contains(i)).collect();
    let recall = recall(&store, Metric::InnerProduct, &vectors, &live, &queries, 40);
    assert!(recall >= 0.96, "{recall}");
}

/// By inner product a walk may end among elements that are no nearer to any way out: no search may be
/// led there from above.
#[test]
fn clusters_are_entered_by_inner_product() {
    let data = distributions::all();
    let data = data.iter().find(|data| data.name == "near-duplicates, 5 % apart, IP").unwrap();
    let (rows, queries) = (data.rows(4_000), data.queries(200));
    let all: Vec<usize> = (0..rows.len()).collect();
    let recall = |seed| {
        let options = IndexOptions { seed, ..default_options(data.metric, rows[0].len()) };
        recall(&bulk_built(options, &rows), data.metric, &rows, &all, &queries, 40)
    };
    let recalls: Vec<f64> = (0..8).map(recall).collect();
    assert!(recalls.iter().all(|&recall| recall > 0.995), "{recalls:?}");
}
