//! Floating-point kernels against sums in double precision, and halves against floats.

mod levels;

use half::{bf16, f16};
use kernels::{CosineTerms, Element, Kernels};
use levels::levels;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// All small lengths, then some up to 2,000.
fn lengths(rng: &mut SmallRng) -> Vec<usize> {
    (0..=140).chain((0..60).map(|_| rng.random_range(141..=2000))).collect()
}

/// The kinds of values that are tested, each as a distribution.
const DISTRIBUTIONS: [fn(&mut SmallRng) -> f32; 5] = [
    |rng| rng.random_range(-1.0..1.0),
    |rng| rng.random_range(100.0..101.0),
    |rng| rng.random_range(-1e-40..1e-40),
    |rng| rng.random_range(-1.0..1.0) * 10f32.powi(rng.random_range(-20..=16)),
    |rng| if rng.random_range(0..300) == 0 { 1e18 } else { rng.random_range(-1.0..1.0) },
];

/// Compares `actual` with the sum of `terms` in double precision.
///
/// A sum is kept in 16 lanes or more. So a term is rounded at most `n / 16` times in its lane,
/// six times when lanes are added, and three times while it is computed, each time by half of
/// epsilon. Below the smallest normal number, a rounding moves by one unit at most.
#[track_caller]
fn assert_sum(actual: f32, terms: impl Iterator<Item = f64> + Clone, what: &str) {
    let n = terms.clone().count();
    let magnitude: f64 = terms.clone().map(f64::abs).sum();
    let roundings = (n / 16 + 10) as f64;
    let bound = roundings * magnitude * f64::from(f32::EPSILON / 2.0)
        + 3.0 * n as f64 * f64::from(f32::from_bits(1));
    let expected: f64 = terms.sum();
    let error = (f64::from(actual) - expected).abs();
    assert!(error <= bound, "{what} of {n}: {actual:e}, expected {expected:e} within {bound:e}");
}

fn check_distances(kernels: &Kernels, a: &[f32], b: &[f32]) {
    let level = kernels.level();
    let pairs = || a.iter().zip(b).map(|(&a, &b)| (f64::from(a), f64::from(b)));
    let squares = pairs().map(|(a, b)| (a - b) * (a - b));
    assert_sum(kernels.l2_squared(a, b), squares, &format!("{level} l2_squared"));
    let products = pairs().map(|(a, b)| a * b);
    assert_sum(kernels.inner_product(a, b), products.clone(), &format!("{level} inner_product"));
    let differences = pairs().map(|(a, b)| (a - b).abs());
    assert_sum(kernels.l1(a, b), differences, &format!("{level} l1"));
    let CosineTerms { dot, norm_a, norm_b } = kernels.cosine_terms(a, b);
    assert_sum(dot, products, &format!("{level} dot"));
    assert_sum(norm_a, pairs().map(|(a, _)| a * a), &format!("{level} norm_a"));
    assert_sum(norm_b, pairs().map(|(_, b)| b * b), &format!("{level} norm_b"));
}

#[test]
fn distances_are_accurate() {
    for kernels in levels() {
        let rng = &mut SmallRng::seed_from_u64(1);
        for n in lengths(rng) {
            for value in DISTRIBUTIONS {
                let (skip_a, skip_b) = (rng.random_range(0..4), rng.random_range(0..4));
                let a: Vec<f32> = (0..n + skip_a).map(|_| value(rng)).collect();
                let b: Vec<f32> = (0..n + skip_b).map(|_| value(rng)).collect();
                check_distances(kernels, &a[skip_a..], &b[skip_b..]);
            }
        }
    }
}

#[test]
fn elements_beyond_the_shorter_are_ignored() {
    for kernels in levels() {
        let long = vec![1.0; 100];
        let halves = vec![f16::ONE.to_le_bytes(); 90];
        for n in [0, 1, 31, 77] {
            let zeros = vec![0.0; n];
            assert_eq!(kernels.l2_squared(&long, &zeros), n as f32);
            assert_eq!(kernels.l2_squared(&zeros, &long), n as f32);
            assert_eq!(kernels.l1_f16(&zeros, &halves, 2.0), 2.0 * n as f32);
            assert_eq!(kernels.l1_f16(&long, &halves[..n], 2.0), n as f32);
            let mut out = vec![7.0; n + 1];
            kernels.widen_f16(&halves[..n], 4.0, &mut out);
            assert_eq!((out[..n].iter().all(|&x| x == 4.0), out[n]), (true, 7.0));
        }
    }
}

#[test]
fn infinities_and_nans_propagate() {
    for kernels in levels() {
        for n in [1, 7, 8, 40, 67] {
            for i in 0..n {
                let mut a = vec![1.0; n];
                a[i] = f32::INFINITY;
                assert_eq!(kernels.l2_squared(&a, &vec![0.0; n]), f32::INFINITY);
                a[i] = f32::NAN;
                assert!(kernels.inner_product(&a, &vec![1.0; n]).is_nan());
                assert!(kernels.cosine_terms(&vec![1.0; n], &a).norm_b.is_nan());
            }
        }
    }
}

/// Finite halves as they lie in a page, at any address.
fn random_halves(rng: &mut SmallRng, bytes: &mut Vec<u8>, n: usize) -> usize {
    let skip = rng.random_range(0..4);
    bytes.clear();
    bytes.resize(skip, 0);
    while bytes.len() < skip + 2 * n {
        let half = f16::from_bits(rng.random());
        if half.is_finite() {
            bytes.extend(half.to_le_bytes());
        }
    }
    skip
}

#[test]
fn halves_give_the_bits_of_floats() {
    for kernels in levels() {
        let rng = &mut SmallRng::seed_from_u64(2);
        let bytes = &mut Vec::new();
        for n in lengths(rng) {
            let skip = random_halves(rng, bytes, n);
            let (halves, _) = bytes[skip..].as_chunks::<2>();
            let scale = 2f32.powi(rng.random_range(-24..=20));
            let floats: Vec<f32> =
                halves.iter().map(|&h| f16::from_le_bytes(h).to_f32() * scale).collect();
            let a: Vec<f32> = (0..n).map(|_| rng.random_range(-70000.0..70000.0) * scale).collect();
            let mut widened = vec![0.0; n];
            kernels.widen_f16(halves, scale, &mut widened);
            assert_eq!(widened, floats);
            let both = [
                (kernels.l2_squared_f16(&a, halves, scale), kernels.l2_squared(&a, &floats)),
                (kernels.inner_product_f16(&a, halves, scale), kernels.inner_product(&a, &floats)),
                (kernels.l1_f16(&a, halves, scale), kernels.l1(&a, &floats)),
            ];
            for (of_halves, of_floats) in both {
                assert_eq!(of_halves.to_bits(), of_floats.to_bits(), "{} {n}", kernels.level());
            }
            let of_halves = kernels.cosine_terms_f16(&a, halves, scale);
            assert_eq!(of_halves, kernels.cosine_terms(&a, &floats), "{} {n}", kernels.level());
        }
    }
}

#[test]
fn floats_at_any_address_give_the_same_bits() {
    for kernels in levels() {
        let rng = &mut SmallRng::seed_from_u64(12);
        for n in lengths(rng) {
            let a: Vec<f32> = (0..n).map(|_| rng.random_range(-9.0..9.0)).collect();
            let b: Vec<f32> = (0..n).map(|_| rng.random_range(-9.0..9.0)).collect();
            let skip = rng.random_range(0..4);
            let mut bytes = vec![0xFF; skip];
            bytes.extend(b.iter().flat_map(|x| x.to_le_bytes()));
            let (stored, _) = bytes[skip..].as_chunks::<4>();
            let both = [
                (kernels.l2_squared_f32(&a, stored), kernels.l2_squared(&a, &b)),
                (kernels.inner_product_f32(&a, stored), kernels.inner_product(&a, &b)),
                (kernels.l1_f32(&a, stored), kernels.l1(&a, &b)),
            ];
            for (of_stored, of_floats) in both {
                assert_eq!(of_stored.to_bits(), of_floats.to_bits(), "{} {n}", kernels.level());
            }
            let of_stored = kernels.cosine_terms_f32(&a, stored);
            assert_eq!(of_stored, kernels.cosine_terms(&a, &b), "{} {n}", kernels.level());
        }
    }
}

#[test]
fn small_integers_give_the_bits_of_floats() {
    for kernels in levels() {
        let rng = &mut SmallRng::seed_from_u64(13);
        for n in lengths(rng) {
            let a: Vec<f32> = (0..n).map(|_| rng.random_range(-9.0..9.0)).collect();
            let bytes: Vec<i8> = (0..n).map(|_| rng.random()).collect();
            let nibbles: Vec<u8> = (0..n.div_ceil(2)).map(|_| rng.random()).collect();
            let wide: Vec<f32> = bytes.iter().map(|&byte| byte.into()).collect();
            let nibble = |i: usize| f32::from((nibbles[i / 2] << (4 - i % 2 * 4)) as i8 >> 4);
            let wide_nibbles: Vec<f32> = (0..n).map(nibble).collect();
            for (narrow, wide) in [
                (kernels.inner_product_bytes(&a, &bytes), wide),
                (kernels.inner_product_nibbles(&a, &nibbles), wide_nibbles),
            ] {
                let wide = kernels.inner_product(&a, &wide);
                assert_eq!(narrow.to_bits(), wide.to_bits(), "{} {n}", kernels.level());
            }
        }
    }
}

/// Compares narrow floats of any bits with the same numbers as `f32`.
fn check_narrow<E: Element<Sum = f32> + Into<f32>>(rng: &mut SmallRng, from_bits: fn(u16) -> E) {
    for kernels in levels() {
        for n in lengths(rng) {
            let (skip_a, skip_b) = (rng.random_range(0..4), rng.random_range(0..4));
            let mut narrow = |skip| (0..n + skip).map(|_| from_bits(rng.random())).collect();
            let (a, b): (Vec<E>, Vec<E>) = (narrow(skip_a), narrow(skip_b));
            let (a, b) = (&a[skip_a..], &b[skip_b..]);
            let wide = |narrow: &[E]| narrow.iter().map(|&x| x.into()).collect::<Vec<f32>>();
            let (wide_a, wide_b) = (&wide(a)[..], &wide(b)[..]);
            let (narrow, wide) = (kernels.cosine_terms(a, b), kernels.cosine_terms(wide_a, wide_b));
            let all = [
                (kernels.l2_squared(a, b), kernels.l2_squared(wide_a, wide_b)),
                (kernels.inner_product(a, b), kernels.inner_product(wide_a, wide_b)),
                (kernels.l1(a, b), kernels.l1(wide_a, wide_b)),
                (narrow.dot, wide.dot),
                (narrow.norm_a, wide.norm_a),
                (narrow.norm_b, wide.norm_b),
            ];
            for (narrow, wide) in all {
                let same = narrow.to_bits() == wide.to_bits() || narrow.is_nan() && wide.is_nan();
                assert!(same, "{} {n}: {narrow} is not {wide}", kernels.level());
            }
        }
    }
}

#[test]
fn narrow_floats_give_the_bits_of_floats() {
    let rng = &mut SmallRng::seed_from_u64(4);
    // All finite numbers, with subnormal ones; then infinities and NaNs among them.
    check_narrow(rng, |bits| f16::from_bits(bits & 0xbfff));
    check_narrow(rng, f16::from_bits);
    check_narrow(rng, |bits| bf16::from_bits(bits & 0xbfff));
    check_narrow(rng, bf16::from_bits);
}

#[test]
fn the_ends_of_the_ranges_of_narrow_floats() {
    for kernels in levels() {
        for n in [1, 7, 16, 100, 16_000] {
            let squares = |x: f32| x * x * n as f32;
            let (largest, least) = (f16::MAX, f16::from_bits(1));
            let difference = kernels.l2_squared(&vec![largest; n], &vec![-largest; n]);
            let expected = squares(2.0 * 65504.0);
            assert!((difference / expected - 1.0).abs() < 1e-4, "{} {n}", kernels.level());
            let product = kernels.inner_product(&vec![least; n], &vec![least; n]);
            assert_eq!(product, squares(2f32.powi(-24)), "{} {n}", kernels.level());
            let least = bf16::from_bits(1);
            let sum = kernels.l1(&vec![least; n], &vec![-least; n]);
            assert_eq!(sum, 2.0 * n as f32 * 2f32.powi(-133), "{} {n}", kernels.level());
        }
    }
}

#[test]
fn every_half_is_widened_exactly() {
    for kernels in levels() {
        let halves: Vec<[u8; 2]> = (0..=u16::MAX).map(u16::to_le_bytes).collect();
        let mut out = vec![0.0; halves.len()];
        kernels.widen_f16(&halves, 1.0, &mut out);
        for (bits, actual) in (0..=u16::MAX).zip(out) {
            let expected = f16::from_bits(bits).to_f32();
            let same =
                actual.to_bits() == expected.to_bits() || actual.is_nan() && expected.is_nan();
            assert!(same, "{}: {bits:#x} became {actual}", kernels.level());
        }
    }
}

#[test]
fn hadamard_is_the_matrix() {
    for kernels in levels() {
        let rng = &mut SmallRng::seed_from_u64(3);
        assert!(std::panic::catch_unwind(|| kernels.hadamard(&mut [0.0; 12])).is_err());
        for n in std::iter::once(0).chain((0..=10).map(|log| 1 << log)) {
            // Small integers, so that no order of additions rounds.
            let x: Vec<f32> = (0..n + 1).map(|_| rng.random_range(-1000..1000) as f32).collect();
            let sign = |i: usize, j: usize| if (i & j).count_ones() & 1 == 0 { 1.0 } else { -1.0 };
            let row = |i| x[1..].iter().enumerate().map(|(j, &x)| sign(i, j) * x).sum::<f32>();
            let expected: Vec<f32> = (0..n).map(row).collect();
            let mut actual = x.clone();
            kernels.hadamard(&mut actual[1..]);
            assert_eq!(actual[1..], expected);
        }
    }
}

#[test]
fn products_of_many_are_those_of_pairs() {
    for kernels in levels() {
        let rng = &mut SmallRng::seed_from_u64(9);
        for dims in (1..40).chain([100, 1024, 1025, 2100]) {
            let (rows, columns) = (rng.random_range(0..10), rng.random_range(0..80));
            let mut vectors = |n: usize| -> Vec<Vec<f32>> {
                let mut vector = || (0..dims).map(|_| rng.random_range(-1.0..1.0)).collect();
                (0..n).map(|_| vector()).collect()
            };
            let (rows, columns) = (vectors(rows), vectors(columns));
            let mut products = vec![f32::NAN; rows.len() * columns.len()];
            let views: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
            kernels.inner_products(&views, &columns.concat(), dims, &mut products);
            for (i, product) in products.into_iter().enumerate() {
                let (row, column) = (&rows[i / columns.len()], &columns[i % columns.len()]);
                let terms = row.iter().zip(column).map(|(&a, &b)| f64::from(a) * f64::from(b));
                assert_sum(product, terms, &format!("{} inner_products", kernels.level()));
            }
        }
    }
}
