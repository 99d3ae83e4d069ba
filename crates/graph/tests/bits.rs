//! Vectors of bits.

use crate::support::*;
use graph::{Hnsw, Scan};
use quant::Metric;

#[test]
fn bits_are_found() {
    // Codes are whole vectors, beginnings of them, and of vectors that no page holds whole.
    for (metric, dims, rows) in [
        (Metric::Hamming, 4, 100),
        (Metric::Jaccard, 8, 100),
        (Metric::Hamming, 100, 2_000),
        (Metric::Jaccard, 256, 2_000),
        (Metric::Hamming, 1_024, 1_000),
        (Metric::Jaccard, 1_000, 1_000),
        (Metric::Hamming, 64_000, 60),
    ] {
        let (rows, queries) = (bits(&clustered(rows, dims, 1)), bits(&clustered(20, dims, 2)));
        expect_recall(metric, &rows, &queries, 100);
    }
}

#[test]
fn distances_of_bits_are_those_of_the_operators() {
    for metric in [Metric::Hamming, Metric::Jaccard] {
        let mut rows = bits(&clustered(300, 75, 3));
        rows.push(vec![0.0; 75]);
        let store = bulk_built(options(metric, 75), &rows);
        for query in [&rows[3], &rows[300]] {
            let hnsw = Hnsw::open(&store).expect("opens");
            let mut scan = Scan::new(hnsw, Some(query), scan_options(2_000));
            let mut last = f64::NEG_INFINITY;
            let mut returned = 0;
            while let Some(hit) = scan.next(&store).expect("scans") {
                assert!(hit.exact && hit.distance >= last, "{metric:?} {hit:?}");
                assert_eq!(hit.distance, distance(metric, query, &rows[row(hit.tid)]));
                (last, returned) = (hit.distance, returned + 1);
            }
            assert_eq!(returned, 301);
        }
    }
}
