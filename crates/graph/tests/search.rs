//! Searching: recall, order, completeness, exactness.

use crate::support::*;
use graph::{Hnsw, IndexOptions, Iterative, Scan, ScanOptions};
use pages::PageStore;
use quant::{Metric, splitmix64};
use vectors::Form;

#[test]
fn built_and_inserted_indexes_find_the_neighbors() {
    for (metric, dims) in [
        (Metric::L2, 96),
        (Metric::Cosine, 300),
        (Metric::InnerProduct, 96),
        (Metric::L1, 40),
        (Metric::L2, 3),
    ] {
        expect_recall(metric, &clustered(2_000, dims, 1), &clustered(60, dims, 2), 100);
    }
}

#[test]
fn a_scan_returns_every_row_once() {
    let vectors = clustered(2_000, 64, 3);
    let store = bulk_built(options(Metric::L2, 64), &vectors);
    let query = &clustered(1, 64, 4)[0];
    let mut rows = search(&store, query, 10, usize::MAX);
    rows.sort_unstable();
    assert_eq!(rows, (0..2_000).collect::<Vec<_>>());
}

#[test]
fn as_wide_as_the_index_a_scan_returns_every_row_in_order() {
    for (dims, seed) in [(4, 1), (16, 2), (64, 3)] {
        let vectors = clustered(900, dims, seed);
        let store = bulk_built(options(Metric::L2, dims), &vectors);
        let wide = scan_options(1_000);
        for options in [
            wide,
            ScanOptions { iterative: Iterative::Off, ..wide },
            ScanOptions { wanted: 1_000, ..scan_options(10) },
        ] {
            for query in clustered(5, dims, seed + 10) {
                let hnsw = Hnsw::open(&store).expect("opens");
                let mut scan = Scan::new(hnsw, Some(&query), options);
                let hits = std::iter::from_fn(|| scan.next(&store).expect("scans"));
                let distances: Vec<f64> = hits.map(|hit| hit.distance).collect();
                assert_eq!(distances.len(), 900, "{dims} dimensions, {options:?}");
                assert!(distances.is_sorted(), "{dims} dimensions, {options:?}");
            }
        }
    }
}

#[test]
fn a_scan_that_is_not_iterative_ends_after_ef_elements() {
    let vectors = clustered(500, 16, 3);
    let store = bulk_built(options(Metric::L2, 16), &vectors);
    let off = ScanOptions { iterative: Iterative::Off, ..scan_options(25) };
    let mut scan = Scan::new(Hnsw::open(&store).expect("opens"), Some(&vectors[0]), off);
    assert_eq!(std::iter::from_fn(|| scan.next(&store).expect("scans")).count(), 25);
}

#[test]
fn bounds_never_exceed_the_distance_and_exact_ones_equal_it() {
    for metric in [Metric::L2, Metric::Cosine, Metric::InnerProduct, Metric::L1] {
        let lossy = clustered(300, 50, 5);
        let whole: Vec<Vec<f32>> = lossy
            .iter()
            .map(|vector| vector.iter().map(|x| (x * 100.0).round()).collect())
            .collect();
        for (vectors, form, exact, tolerance) in [
            (&lossy, Form::Floats, true, 1e-4),
            (&lossy, Form::Halves, false, 1e-3),
            (&whole, Form::Halves, true, 1e-4),
            (&lossy, Form::Sq8, false, 0.1),
            (&whole, Form::Sq8, false, 0.1),
            (&lossy, Form::Rabitq, false, 1.0),
            (&whole, Form::Rabitq, false, 1.0),
        ] {
            if !forms(metric).contains(&form) {
                continue;
            }
            let store = bulk_built(IndexOptions { form, ..options(metric, 50) }, vectors);
            let hnsw = Hnsw::open(&store).expect("opens");
            let mut scan = Scan::new(hnsw, Some(&vectors[7]), scan_options(40));
            while let Some(hit) = scan.next(&store).expect("scans") {
                let true_distance = distance(metric, &vectors[7], &vectors[row(hit.tid)]);
                let slack = 1e-5 * (1.0 + true_distance.abs());
                assert!(
                    hit.distance <= true_distance + slack,
                    "{metric:?} {form:?} {hit:?} {true_distance}"
                );
                // A product may be far nearer to zero than its factors.
                let product = metric == Metric::InnerProduct;
                let size =
                    if product { norm(&vectors[7]) * norm(&vectors[row(hit.tid)]) } else { 1.0 };
                let size = size.max(true_distance.abs());
                let near = (hit.distance - true_distance).abs() <= tolerance * size;
                assert!(near, "{metric:?} {form:?} {hit:?} {true_distance}");
                assert_eq!(hit.exact, exact);
            }
        }
    }
}

#[test]
fn duplicates_share_an_element() {
    let mut vectors = clustered(40, 8, 6);
    vectors.extend(std::iter::repeat_n(vectors[3].clone(), 1_000));
    for &form in forms(Metric::L2) {
        let options = IndexOptions { form, ..options(Metric::L2, 8) };
        let built = bulk_built(options, &vectors);
        let inserted = empty(options);
        for (i, vector) in vectors.iter().enumerate() {
            graph::insert(&inserted, vector, tid(i)).expect("inserts");
        }
        for store in [&built, &inserted] {
            assert_eq!(problems(store), []);
            let info = graph::info(store).expect("counts");
            assert_eq!((info.tids, info.levels[0]), (1_040, 40), "{form:?}");
            let mut nearest = search(store, &vectors[3], 10, 1_001);
            nearest.sort_unstable();
            let expected: Vec<usize> = std::iter::once(3).chain(40..1_040).collect();
            assert_eq!(nearest, expected, "{form:?}");
        }
    }
}

#[test]
fn one_page_an_expansion() {
    let vectors = clustered(4_000, 128, 8);
    let store = bulk_built(options(Metric::L2, 128), &vectors);
    let before = store.reads();
    let mut scan =
        Scan::new(Hnsw::open(&store).expect("opens"), Some(&vectors[9]), scan_options(40));
    for _ in 0..10 {
        scan.next(&store).expect("scans");
    }
    assert_eq!(store.reads() - before, scan.stats().expanded + 1);
    assert!(scan.stats().expanded < 120, "{:?}", scan.stats());
}

#[test]
fn empty_and_tiny_indexes() {
    let store = empty(options(Metric::Cosine, 4));
    assert_eq!(search(&store, &[1.0, 0.0, 0.0, 0.0], 10, 5), []);
    assert_eq!(problems(&store), []);
    assert_eq!(store.blocks(), Ok(1));
    graph::insert(&store, &[1.0, 2.0, 3.0, 4.0], tid(9)).expect("inserts");
    assert_eq!(search(&store, &[1.0, 0.0, 0.0, 0.0], 1, 5), [9]);
}

#[test]
fn a_filter_gives_as_many_rows_as_are_asked_for_and_the_nearest() {
    let vectors = clustered(6_000, 48, 10);
    let store = bulk_built(options(Metric::L2, 48), &vectors);
    let queries = clustered(30, 48, 11);
    let drawn = |row: usize, one_of: u64| splitmix64(row as u64).is_multiple_of(one_of);
    for one_of in [2, 10, 100] {
        let rows: Vec<usize> = (0..vectors.len()).filter(|&row| drawn(row, one_of)).collect();
        let mut hits = 0;
        for query in &queries {
            let hnsw = Hnsw::open(&store).expect("opens");
            let keep = Box::new(move |tid| drawn(row(tid), one_of));
            let mut scan = Scan::new(hnsw, Some(query), scan_options(40));
            scan.keep_only(keep);
            let found: Vec<usize> = std::iter::from_fn(|| scan.next(&store).expect("scans"))
                .take(10)
                .map(|hit| row(hit.tid))
                .collect();
            assert_eq!(found.len(), 10);
            assert!(found.iter().all(|&row| drawn(row, one_of)), "{found:?}");
            let mut exact: Vec<f64> =
                rows.iter().map(|&row| distance(Metric::L2, query, &vectors[row])).collect();
            exact.sort_unstable_by(f64::total_cmp);
            let near = |row: &&usize| {
                distance(Metric::L2, query, &vectors[**row]) <= exact[9] * (1.0 + 1e-5)
            };
            hits += found.iter().filter(near).count();
        }
        let recall = hits as f64 / (10 * queries.len()) as f64;
        assert!(recall >= 0.95, "one of {one_of}: recall {recall}");
    }
}

#[test]
fn pages_are_asked_for_before_they_are_read() {
    let vectors = clustered(4_000, 128, 12);
    let store = bulk_built(options(Metric::L2, 128), &vectors);
    let pages_of = |query: &[f32]| {
        let mut scan = Scan::new(Hnsw::open(&store).expect("opens"), Some(query), scan_options(40));
        for _ in 0..10 {
            scan.next(&store).expect("scans");
        }
        scan.stats().expanded as usize
    };
    assert_eq!((pages_of(&vectors[5]) > 0, store.prefetched()), (true, vec![]));
    store.set_read_ahead(4);
    let expanded = pages_of(&vectors[5]);
    let asked = store.prefetched().len();
    // Most pages that are read were asked for, and few others.
    assert!(asked * 2 > expanded, "{asked} asked for, {expanded} expanded");
    assert!(asked * 4 < expanded * 5, "{asked} asked for, {expanded} expanded");
}

fn norm(vector: &[f32]) -> f64 {
    (-distance(Metric::InnerProduct, vector, vector)).sqrt()
}
