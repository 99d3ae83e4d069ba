//! Whatever finite numbers vectors are made of, an index of them is sound and returns every row.

use crate::support::*;
use distributions::extremes;
use ivf::{Bulk, Ivf, Quantization, Rebalance, Scan, indexable, insert, rebalance, vacuum};
use pages::mem::MemStore;
use quant::Metric;
use space::Space;

const ROWS: usize = 240;

/// Extreme vectors, or the bits of their signs.
fn vectors(metric: Metric, dims: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut vectors = extremes(seed, ROWS, dims);
    if metric == Metric::Hamming {
        let sign = |x: &mut f32| *x = f32::from(u8::from(*x > 0.0));
        vectors.iter_mut().flatten().for_each(sign);
    }
    vectors
}

/// The distance that the SQL operator gives; infinite where that is not a number.
fn operator(metric: Metric, a: &[f32], b: &[f32]) -> f64 {
    let distance = match metric {
        Metric::L2 => f64::from(kernels::l2_squared(a, b)).sqrt(),
        Metric::InnerProduct => -f64::from(kernels::inner_product(a, b)),
        Metric::Cosine => {
            let terms = kernels::cosine_terms(a, b);
            let norms = f64::from(terms.norm_a) * f64::from(terms.norm_b);
            1.0 - (f64::from(terms.dot) / norms.sqrt()).clamp(-1.0, 1.0)
        }
        Metric::Hamming | Metric::L1 | Metric::Jaccard => distance(metric, a, b),
    };
    if distance.is_nan() { f64::INFINITY } else { distance }
}

/// The index is sound, and every row of `rows` comes once, none with a bound above its distance, and
/// none that is said to be exact and is not.
fn expect_sound(what: &str, store: &MemStore, all: &[Vec<f32>], rows: &[usize]) {
    assert_eq!(problems(store), [], "{what}");
    for query in all.iter().step_by(17) {
        let ivf = Ivf::open(store).expect("opens");
        let metric = ivf.metric();
        if !indexable(metric, query) {
            continue;
        }
        let mut scan = Scan::new(ivf, Some(query), all_lists());
        let mut found = Vec::new();
        while let Some(hit) = scan.next(store).unwrap_or_else(|error| panic!("{what}: {error}")) {
            let distance = operator(metric, query, &all[row(hit.tid)]);
            let name = format!("{what}: row {} at {distance}: {hit:?}", row(hit.tid));
            assert!(hit.distance <= distance, "{name}");
            assert!(!hit.exact || hit.distance == distance, "{name}");
            found.push(row(hit.tid));
        }
        found.sort_unstable();
        assert_eq!(found, rows, "{what}");
    }
}

#[test]
fn any_finite_numbers_make_a_sound_index() {
    for kind in KINDS {
        for (dims, seed) in [(1, 1), (2, 2), (3, 3), (70, 4), (300, 5)] {
            expect_index(kind, vectors(kind.0, dims, seed), dims);
        }
    }
}

/// Builds one index and fills another, takes rows out of both, adds them again and divides them anew.
fn expect_index(kind: (Metric, Quantization), all: Vec<Vec<f32>>, dims: usize) {
    let rows: Vec<usize> = (0..all.len()).filter(|&i| indexable(kind.0, &all[i])).collect();
    let (first, later) = rows.split_at(rows.len() / 2);
    for (early, how) in [(&rows[..], "built"), (first, "inserted"), (&[], "filled")] {
        let what = format!("{kind:?} {dims} {how}");
        let mut bulk = Bulk::new(options(kind, dims, 6), Space::unlimited()).expect("fits");
        for &i in early {
            bulk.push(&all[i], tid(i)).expect("takes the row");
        }
        let store = MemStore::new();
        let mut append = |body: &[u8]| {
            store.append(body);
            Ok(())
        };
        bulk.write(1, &mut |_, _, _| true, &mut append).expect("builds");
        for &i in first.iter().chain(later).filter(|i| !early.contains(i)) {
            insert(&store, &all[i], tid(i)).expect(&what);
        }
        expect_sound(&what, &store, &all, &rows);
        let (dead, left): (Vec<usize>, Vec<usize>) = rows.iter().partition(|&&i| i % 3 == 0);
        vacuum(&store, &mut |tid| dead.contains(&row(tid))).expect(&what);
        expect_sound(&format!("{what}, vacuumed"), &store, &all, &left);
        for &i in &dead {
            insert(&store, &all[i], tid(i)).expect(&what);
        }
        rebalance(&store, &Rebalance { lists: 12, work: u64::MAX }).expect(&what);
        expect_sound(&format!("{what}, divided anew"), &store, &all, &rows);
    }
}
