//! What searches promise.

use std::collections::HashSet;

use crate::support::*;
use ivf::{Ivf, Quantization, Rebalance, Scan, ScanOptions, calibrate, info, insert, rebalance};
use pages::mem::MemStore;
use quant::Metric;

const DIMS: usize = 48;

#[test]
fn a_calibration_tells_the_lists_to_read() {
    for kind in KINDS {
        let metric = kind.0;
        let store = built(options(kind, 32, 0), &clustered(metric, 4_000, 32, 1));
        calibrate(&store, 4_000).expect("measures");
        let meta = Ivf::open(&store).expect("opens").meta().clone();
        assert_eq!(meta.lists, 63, "{kind:?}");
        let calibration = meta.calibration.expect("there are enough rows");
        assert!(calibration.probes(0.9) > 1, "{kind:?}: {calibration:?}");
        let queries = clustered(metric, 100, 32, 2);
        for target in [0.8, 0.95] {
            let wanted = calibration.probes(target);
            let options = probes(wanted);
            let mut hits = 0;
            for query in &queries {
                let truth = search(&store, query, all_lists(), 10);
                let found = search(&store, query, options, 10);
                hits += truth.iter().filter(|row| found.contains(row)).count();
            }
            let recall = hits as f64 / 1_000.0;
            println!("{kind:?} {target}: {wanted} lists, {recall}");
            assert!(recall > target - 0.07, "{kind:?} {target}: {recall}");
            assert!(recall < target.midpoint(1.0) + 0.07, "{kind:?} {target}: {recall}");
        }
    }
}

#[test]
fn in_strict_order_few_rows_come_late() {
    let vectors = clustered(Metric::L2, 2_000, 16, 1);
    let store = built(options((Metric::L2, Quantization::Rabitq), 16, 40), &vectors);
    let query = &clustered(Metric::L2, 1, 16, 2)[0];
    let distances = |strict| -> Vec<f64> {
        let options =
            ScanOptions { probes: 1, max_probes: 40, strict, wanted: 0, memory: usize::MAX };
        let mut scan = Scan::new(Ivf::open(&store).expect("opens"), Some(query), options);
        std::iter::from_fn(|| scan.next(&store).expect("scans")).map(|hit| hit.distance).collect()
    };
    let (relaxed, strict) = (distances(false), distances(true));
    assert_eq!((relaxed.len(), strict.len()), (2_000, 2_000));
    let late = |distances: &[f64]| {
        let mut last = f64::NEG_INFINITY;
        let is_late = |&&distance: &&f64| {
            last = distance.max(last);
            distance < last
        };
        distances.iter().filter(is_late).count()
    };
    assert!(late(&strict) < late(&relaxed) / 2, "{} of {}", late(&strict), late(&relaxed));
    // Strict order looks at further lists in time, and may so find nearer rows.
    assert!(strict.iter().zip(&relaxed).take(10).all(|(strict, relaxed)| strict <= relaxed));
}

#[test]
fn a_search_of_all_lists_finds_the_nearest_in_order() {
    for kind in KINDS {
        let metric = kind.0;
        let vectors = clustered(metric, 2_000, DIMS, 1);
        let store = built(options(kind, DIMS, 30), &vectors);
        assert_eq!(problems(&store), []);
        let queries = clustered(metric, 40, DIMS, 2);
        let share = recall(&store, metric, &vectors, &queries, all_lists(), 10);
        // Bounds from codes hold for all but a few in a thousand; eight bits swap what is nearly alike.
        let (least, most_early) = match kind.1 {
            Quantization::None => (1.0, 0),
            Quantization::Rabitq => (0.99, 40),
            Quantization::Sq8 => (0.9, 400),
        };
        assert!(share >= least, "{kind:?}: {share}");
        for query in &queries {
            let found = search(&store, query, all_lists(), usize::MAX);
            assert_eq!(found.iter().collect::<HashSet<_>>().len(), vectors.len(), "{kind:?}");
            let distances: Vec<f64> =
                found.iter().map(|&i| distance(metric, query, &vectors[i])).collect();
            // Halves may swap what is about as far; codes, a few that are not.
            let far = if kind.1 == Quantization::Sq8 { 0.2 } else { 0.02 };
            let early = distances.windows(2).filter(|pair| pair[1] < pair[0] - far).count();
            assert!(early <= most_early, "{kind:?}: {early} out of order");
        }
    }
}

#[test]
fn distances_are_bounds_or_exact() {
    for kind in KINDS {
        let metric = kind.0;
        let vectors = clustered(metric, 300, DIMS, 1);
        let store = built(options(kind, DIMS, 5), &vectors);
        let query = &clustered(metric, 1, DIMS, 2)[0];
        let below = match (kind.1, metric) {
            (Quantization::Sq8, Metric::InnerProduct) => 1.0,
            (Quantization::Sq8, _) => 0.2,
            _ => 0.05,
        };
        let mut scan = Scan::new(Ivf::open(&store).expect("opens"), Some(query), all_lists());
        while let Some(hit) = scan.next(&store).expect("scans") {
            let operator = distance(metric, query, &vectors[row(hit.tid)]);
            assert!(hit.distance <= operator + 1e-5, "{kind:?}: {hit:?}, {operator}");
            assert!(hit.distance >= operator - below, "{kind:?}: {hit:?}, {operator}");
            assert!(!hit.exact || (hit.distance - operator).abs() < 1e-5, "{kind:?}: {hit:?}");
        }
    }
}

#[test]
fn few_lists_hold_most_of_the_nearest() {
    for kind in KINDS {
        let metric = kind.0;
        let vectors = clustered(metric, 4_000, DIMS, 1);
        let store = built(options(kind, DIMS, 40), &vectors);
        let queries = clustered(metric, 30, DIMS, 2);
        let share = recall(&store, metric, &vectors, &queries, probes(8), 10);
        assert!(share > 0.85, "{kind:?}: {share}");
        let one = recall(&store, metric, &vectors, &queries, probes(1), 10);
        assert!(one < share, "{kind:?}: {one}, {share}");
    }
}

#[test]
fn codes_spare_most_vectors() {
    let vectors = clustered(Metric::L2, 4_000, 256, 1);
    let store = built(options((Metric::L2, Quantization::Rabitq), 256, 40), &vectors);
    let query = &clustered(Metric::L2, 1, 256, 2)[0];
    let mut scan = Scan::new(Ivf::open(&store).expect("opens"), Some(query), all_lists());
    for _ in 0..10 {
        scan.next(&store).expect("scans");
    }
    let near = scan.stats();
    assert_eq!(near.tuples, 10);
    assert!(near.exact < 400 && near.exact < near.entries, "{near:?}");
    while scan.next(&store).expect("scans").is_some() {}
    assert_eq!((scan.stats().lists, scan.stats().entries), (40, 4_000));
}

#[test]
fn a_scan_goes_on_to_further_lists() {
    let kind = (Metric::L2, Quantization::Rabitq);
    let vectors = clustered(kind.0, 1_000, DIMS, 1);
    let store = built(options(kind, DIMS, 20), &vectors);
    let query = &vectors[3];
    let two = search(&store, query, probes(2), usize::MAX);
    assert!(two.len() < 500, "{}", two.len());
    let on = |max_probes, memory| ScanOptions {
        probes: 2,
        max_probes,
        strict: false,
        wanted: 0,
        memory,
    };
    let seven = search(&store, query, on(7, usize::MAX), usize::MAX);
    assert_eq!(seven[..two.len()], two);
    let mut scan = Scan::new(Ivf::open(&store).expect("opens"), Some(query), on(7, usize::MAX));
    while scan.next(&store).expect("scans").is_some() {}
    assert_eq!(scan.stats().lists, 7);
    assert_eq!(search(&store, query, on(usize::MAX, usize::MAX), usize::MAX).len(), 1_000);
    assert_eq!(search(&store, query, on(usize::MAX, 0), usize::MAX), two);
}

#[test]
fn a_filter_leaves_out_rows() {
    for kind in [(Metric::L2, Quantization::Rabitq), (Metric::L2, Quantization::None)] {
        let vectors = clustered(kind.0, 1_000, DIMS, 1);
        let store = built(options(kind, DIMS, 20), &vectors);
        let query = &vectors[3];
        let ivf = Ivf::open(&store).expect("opens");
        let filter = Box::new(|tid| row(tid) % 10 == 7);
        let mut scan = Scan::new(ivf, Some(query), all_lists());
        scan.keep_only(filter);
        let found: Vec<usize> = std::iter::from_fn(|| scan.next(&store).expect("scans"))
            .map(|hit| row(hit.tid))
            .collect();
        assert_eq!(found.len(), 100);
        assert!(found.iter().all(|i| i % 10 == 7));
        assert_eq!((scan.stats().filtered, scan.stats().exact), (900, 100));
    }
}

#[test]
fn a_filter_that_comes_later_reads_about_as_many_lists() {
    for quantization in [Quantization::Rabitq, Quantization::None] {
        let kind = (Metric::L2, quantization);
        let vectors = clustered(kind.0, 4_000, DIMS, 1);
        let store = built(options(kind, DIMS, 60), &vectors);
        // Lists that are searched for ten rows, a hundredth of all, after some without a filter.
        let lists = |before: usize| {
            let strict =
                ScanOptions { probes: 3, max_probes: 60, strict: true, wanted: 10, ..all_lists() };
            let mut scan = Scan::new(Ivf::open(&store).expect("opens"), Some(&vectors[3]), strict);
            let take = |scan: &mut Scan| scan.next(&store).expect("scans").map(|hit| row(hit.tid));
            (0..before).for_each(|_| assert!(take(&mut scan).is_some()));
            scan.keep_only(Box::new(|tid| row(tid) % 100 == 7));
            (0..10).for_each(|_| assert_eq!(take(&mut scan).map(|row| row % 100), Some(7)));
            scan.stats().lists
        };
        let (at_once, later) = (lists(0), lists(1));
        assert!(later <= at_once * 5 / 4, "{quantization:?}: {at_once}, {later}");
    }
}

#[test]
fn without_an_order_all_rows_are_equally_far() {
    let kind = (Metric::Cosine, Quantization::Rabitq);
    let vectors = clustered(kind.0, 300, DIMS, 1);
    let store = built(options(kind, DIMS, 5), &vectors);
    for query in [None, Some(&vec![0.0; DIMS][..])] {
        let mut scan = Scan::new(Ivf::open(&store).expect("opens"), query, all_lists());
        let hits: Vec<_> = std::iter::from_fn(|| scan.next(&store).expect("scans")).collect();
        assert_eq!(hits.len(), 300);
        assert!(hits.iter().all(|hit| hit.distance == 0.0 && hit.exact));
    }
}

#[test]
fn any_number_of_rows_and_lists_builds() {
    for kind in KINDS {
        for (count, lists) in [(0, 10), (1, 10), (2, 1), (31, 5), (32, 1), (33, 1), (70, 100)] {
            let vectors = clustered(kind.0, count, DIMS, 1);
            let store = built(options(kind, DIMS, lists), &vectors);
            assert_eq!(problems(&store), [], "{kind:?} {count} {lists}");
            let query = &clustered(kind.0, 1, DIMS, 2)[0];
            let mut found = search(&store, query, all_lists(), usize::MAX);
            found.sort_unstable();
            assert!(found.into_iter().eq(0..count), "{kind:?} {count} {lists}");
            let info = info(&store).expect("counts");
            assert_eq!((info.rows, info.unwritten), (count as u64, 0));
            assert!((1..=lists.max(1)).contains(&(info.meta.lists as usize)), "{info:?}");
        }
    }
}

#[test]
fn vectors_of_all_lengths_build() {
    for dims in [1, 2, 63, 64, 65, 255, 256, 1_000, 1_536, 2_721, 4_000] {
        for form in [Quantization::Rabitq, Quantization::Sq8, Quantization::None] {
            let kind = (Metric::L2, form);
            let vectors = clustered(kind.0, 50, dims, 1);
            let store = built(options(kind, dims, 3), &vectors);
            assert_eq!(problems(&store), [], "{dims} {form:?}");
            let found = search(&store, &vectors[9], all_lists(), usize::MAX);
            assert_eq!((found.len(), found[0]), (50, 9), "{dims} {form:?}");
        }
    }
}

#[test]
fn extreme_numbers_do_no_harm() {
    for kind in KINDS.into_iter().filter(|kind| kind.0 != Metric::Hamming) {
        for factor in [1e-44, 1e-30, 1e30, 3e37] {
            let mut vectors = clustered(kind.0, 200, 20, 1);
            vectors.iter_mut().flatten().for_each(|x| *x *= factor);
            let store = built(options(kind, 20, 4), &vectors);
            assert_eq!(problems(&store), [], "{kind:?} {factor}");
            let found = search(&store, &vectors[9], all_lists(), usize::MAX);
            assert_eq!(found.len(), 200, "{kind:?} {factor}");
        }
    }
}

/// The place of a vector, and those of all others by distance.
fn by_distance(metric: Metric, vectors: &[Vec<f32>], query: &[f32]) -> Vec<f64> {
    let mut distances: Vec<f64> = vectors.iter().map(|v| distance(metric, query, v)).collect();
    distances.sort_by(f64::total_cmp);
    distances
}

/// Lists read for the ten nearest of each query, where all lists may be; the rows must be these ten.
fn lists_for_the_nearest(store: &MemStore, metric: Metric, vectors: &[Vec<f32>]) -> u64 {
    let dims = vectors[0].len();
    let (mut lists, mut late) = (0, 0);
    for query in clustered(metric, 40, dims, 2) {
        let mut scan = Scan::new(Ivf::open(store).expect("opens"), Some(&query), all_lists());
        for nearest in by_distance(metric, vectors, &query).into_iter().take(10) {
            let hit = scan.next(store).expect("scans").expect("a row");
            let found = distance(metric, &query, &vectors[row(hit.tid)]);
            late += usize::from(found > nearest + 1e-3);
        }
        lists += scan.stats().lists;
    }
    // Bounds from codes hold for all but a few in a thousand.
    assert!(late <= 20, "{metric:?}: {late} of 400 late");
    lists
}

#[test]
fn lists_that_hold_nothing_near_are_not_read() {
    // Eight bits leave too little of three numbers to put rows in exact order.
    for kind in KINDS.into_iter().filter(|kind| kind.1 != Quantization::Sq8) {
        let (metric, dims) = (kind.0, if kind.0 == Metric::Hamming { 24 } else { 3 });
        let mut vectors = clustered(metric, 2_000, dims, 1);
        let store = built(options(kind, dims, 50), &vectors);
        let of_built = lists_for_the_nearest(&store, metric, &vectors);
        // Rows that lie outside of what their lists held.
        for (i, mut vector) in clustered(metric, 500, dims, 5).into_iter().enumerate() {
            if metric != Metric::Hamming && i % 50 == 0 {
                vector.iter_mut().for_each(|x| *x *= 3.0);
            }
            insert(&store, &vector, tid(2_000 + i)).expect("inserts");
            vectors.push(vector);
        }
        assert_eq!(problems(&store), [], "{kind:?}");
        let of_grown = lists_for_the_nearest(&store, metric, &vectors);
        let done = rebalance(&store, &Rebalance { lists: 80, work: 1_000_000 });
        assert!(done.expect("reorganizes").moved > 0, "{kind:?}");
        assert_eq!(problems(&store), [], "{kind:?}");
        let of_moved = lists_for_the_nearest(&store, metric, &vectors);
        println!("{kind:?}: {of_built} {of_grown} {of_moved} lists of 40 searches");
        if matches!(metric, Metric::L2 | Metric::Cosine) {
            assert!(of_built < 40 * 20, "{kind:?}: {of_built} lists");
            assert!(of_grown < 40 * 30, "{kind:?}: {of_grown} lists");
            assert!(of_moved < 40 * 40, "{kind:?}: {of_moved} lists");
        }
    }
}
