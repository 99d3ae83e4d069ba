//! Distances of sparse vectors against those of the same vectors with all their zeros.

use std::collections::BTreeMap;

use kernels::sparse::{Sparse, cosine_terms, inner_product, l1, l2_squared};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

type Elements = BTreeMap<u32, f32>;

/// Up to `n` elements below index `dims`.
fn elements(rng: &mut SmallRng, n: usize, dims: u32) -> Elements {
    (0..n).map(|_| (rng.random_range(0..dims), rng.random_range(-100.0..100.0))).collect()
}

fn parts(elements: &Elements) -> (Vec<u32>, Vec<f32>) {
    elements.iter().unzip()
}

/// Sums a term over the indices that one of both has.
fn sum(a: &Elements, b: &Elements, term: fn(f64, f64) -> f64) -> f64 {
    let at = |elements: &Elements, i| f64::from(*elements.get(i).unwrap_or(&0.0));
    let only_b = b.keys().filter(|i| !a.contains_key(i));
    a.keys().chain(only_b).map(|i| term(at(a, i), at(b, i))).sum()
}

#[track_caller]
fn assert_close(actual: f32, expected: f64, magnitude: f64, what: &str) {
    let bound = f64::from(f32::EPSILON) * magnitude;
    assert!((f64::from(actual) - expected).abs() <= bound, "{what}: {actual}, not {expected}");
}

fn check(a: &Elements, b: &Elements) {
    let ((a_indices, a_values), (b_indices, b_values)) = (parts(a), parts(b));
    let x = Sparse { indices: &a_indices, values: &a_values };
    let y = Sparse { indices: &b_indices, values: &b_values };
    let what = format!("{} and {} elements", a.len(), b.len());
    let squares = sum(a, b, |x, y| (x - y) * (x - y));
    assert_close(l2_squared(x, y), squares, squares, &what);
    let magnitudes = sum(a, b, |x, y| (x - y).abs());
    assert_close(l1(x, y), magnitudes, magnitudes, &what);
    let product = sum(a, b, |x, y| x * y);
    let terms = cosine_terms(x, y);
    assert_close(inner_product(x, y), product, sum(a, b, |x, y| (x * y).abs()), &what);
    assert_eq!(terms.dot, inner_product(x, y), "{what}");
    assert_eq!(terms.norm_a, kernels::inner_product(&a_values, &a_values), "{what}");
    assert_eq!(terms.norm_b, kernels::inner_product(&b_values, &b_values), "{what}");
}

#[test]
fn distances_are_those_of_dense_vectors() {
    let rng = &mut SmallRng::seed_from_u64(1);
    for n in (0..=40).chain([200, 1000]) {
        for dims in [1, 10, 300, 1 << 20, u32::MAX] {
            let a = elements(rng, n, dims);
            // Of like length, and so much longer that it is searched.
            for m in [n, rng.random_range(0..=n), 17 * n + 40] {
                let b = elements(rng, m, dims);
                check(&a, &b);
                check(&b, &a);
            }
            check(&a, &a);
        }
    }
    let [few, many, more] = [900, 16_000, 16_000].map(|n| elements(rng, n, 100_000));
    check(&few, &many);
    check(&more, &many);
}

#[test]
fn sums_beyond_the_range_are_infinite() {
    let (large, negative) = (&[3e38][..], &[-3e38][..]);
    let [a, b] = [large, negative].map(|values| Sparse { indices: &[7], values });
    assert_eq!(l2_squared(a, b), f32::INFINITY);
    assert_eq!(l1(a, b), f32::INFINITY);
    assert_eq!(inner_product(a, b), f32::NEG_INFINITY);
}

#[test]
fn damaged_vectors_end_in_some_number() {
    let rng = &mut SmallRng::seed_from_u64(2);
    for _ in 0..2000 {
        let mut random = |n: usize| -> (Vec<u32>, Vec<f32>) {
            let (n, m) = (rng.random_range(0..=n), rng.random_range(0..=n));
            (
                (0..n).map(|_| rng.random_range(0..50)).collect(),
                (0..m).map(|_| f32::from_bits(rng.random())).collect(),
            )
        };
        let (a, b) = (random(10), random(500));
        let [a, b] = [&a, &b].map(|(indices, values)| Sparse { indices, values });
        for distance in [l2_squared, inner_product, l1] {
            distance(a, b);
            distance(b, a);
        }
    }
}
