//! Elements that are nearest to everything.

mod support;

use graph::IndexOptions;
use quant::{Metric, splitmix64};
use support::*;

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
