//! Vectors of integers of 8 bits.

use crate::support::*;
use graph::{Hnsw, IndexOptions, Scan};
use quant::Metric;
use vectors::Form;

const METRICS: [Metric; 4] = [Metric::L2, Metric::InnerProduct, Metric::Cosine, Metric::L1];

/// Vectors as columns of such integers have them.
fn integers(count: usize, dims: usize, seed: u64) -> Vec<Vec<f32>> {
    let whole = |x: &f32| (30.0 * x).round().clamp(-128.0, 127.0);
    clustered(count, dims, seed).iter().map(|vector| vector.iter().map(whole).collect()).collect()
}

#[test]
fn integers_are_found() {
    for metric in METRICS {
        let (rows, queries) = (integers(2_000, 48, 1), integers(40, 48, 2));
        expect_recall_in(Form::Bytes, metric, &rows, &queries, 100);
    }
}

#[test]
fn distances_of_integers_are_those_of_the_operators() {
    // Sums of as many squares need more bits than a float has.
    let dims = 3_000;
    for metric in METRICS {
        let rows = integers(60, dims, 3);
        let options = IndexOptions { form: Form::Bytes, ..options(metric, dims) };
        let store = bulk_built(options, &rows);
        let mut scan =
            Scan::new(Hnsw::open(&store).expect("opens"), Some(&rows[3]), scan_options(2_000));
        let mut last = f64::NEG_INFINITY;
        let mut returned = 0;
        while let Some(hit) = scan.next(&store).expect("scans") {
            let exact = distance(metric, &rows[3], &rows[row(hit.tid)]);
            assert!(hit.exact && hit.distance >= last, "{metric:?} {hit:?}");
            let rounding = if metric == Metric::Cosine { 1e-15 } else { 0.0 };
            assert!((hit.distance - exact).abs() <= rounding, "{metric:?} {hit:?} {exact}");
            (last, returned) = (hit.distance, returned + 1);
        }
        assert_eq!(returned, 60);
    }
}
