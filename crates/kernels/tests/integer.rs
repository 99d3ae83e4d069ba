//! Integer kernels against the definition.

mod levels;

use kernels::{CosineTerms, Kernels, Level};
use levels::levels;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

fn random<T>(rng: &mut SmallRng, n: usize, value: fn(&mut SmallRng) -> T) -> Vec<T> {
    (0..n).map(|_| value(rng)).collect()
}

#[test]
fn inner_products_are_exact() {
    for kernels in levels() {
        let rng = &mut SmallRng::seed_from_u64(1);
        let values: [fn(&mut SmallRng) -> i8; 2] =
            [|rng| rng.random_range(-127..=127), |rng| if rng.random() { 127 } else { -127 }];
        for n in 0..=1000 {
            for value in values {
                let (a, b) = (random(rng, n + n % 4, value), random(rng, n + 3, value));
                let (a, b) = (&a[n % 4..], &b[3..]);
                let expected: i32 =
                    a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum();
                assert_eq!(kernels.inner_product_i8(a, b), expected, "{} {n}", kernels.level());
            }
        }
        let longest = vec![-127; 65_536];
        assert_eq!(kernels.inner_product_i8(&longest, &longest), 127 * 127 * 65_536);
        assert_eq!(kernels.inner_product_i8(&longest, &[1; 33]), -127 * 33);
    }
}

/// Checks all distances against sums of 64 bits.
fn check_distances(kernels: &Kernels, a: &[i8], b: &[i8]) {
    let what = format!("{} {} {}", kernels.level(), a.len(), b.len());
    let sum = |term: fn(i64, i64) -> i64| {
        a.iter().zip(b).map(|(&a, &b)| term(i64::from(a), i64::from(b))).sum::<i64>()
    };
    let squares = sum(|a, b| (a - b) * (a - b));
    assert_eq!(i64::from(kernels.l2_squared(a, b)), squares, "l2_squared {what}");
    assert_eq!(i64::from(kernels.l1(a, b)), sum(|a, b| (a - b).abs()), "l1 {what}");
    let product = sum(|a, b| a * b);
    assert_eq!(i64::from(kernels.inner_product(a, b)), product, "inner_product {what}");
    let CosineTerms { dot, norm_a, norm_b } = kernels.cosine_terms(a, b);
    let expected = (product, sum(|a, _| a * a), sum(|_, b| b * b));
    assert_eq!((dot.into(), norm_a.into(), norm_b.into()), expected, "cosine_terms {what}");
}

#[test]
fn distances_of_integers_are_exact() {
    for kernels in levels() {
        let rng = &mut SmallRng::seed_from_u64(3);
        let values: [fn(&mut SmallRng) -> i8; 3] = [
            |rng| rng.random(),
            |rng| if rng.random() { 127 } else { -128 },
            |rng| rng.random_range(-2..=2),
        ];
        for n in (0..=200).chain([384, 1000, 16_000, 33_000]) {
            for value in values {
                let (a, b) = (random(rng, n + n % 4, value), random(rng, n + 3, value));
                check_distances(kernels, &a[n % 4..], &b[3..]);
            }
            check_distances(kernels, &vec![-128; n], &vec![127; n]);
            check_distances(kernels, &vec![-128; n], &vec![-128; n]);
            check_distances(kernels, &vec![-128; n], &[1; 33]);
        }
    }
}

#[test]
fn jaccard_terms_are_exact() {
    for kernels in levels() {
        let rng = &mut SmallRng::seed_from_u64(4);
        for n in (0..=200).chain([1000, 8000]) {
            let (a, b) = (
                random(rng, n + n % 4, |rng| rng.random()),
                random(rng, n + 3, |rng| rng.random()),
            );
            let (a, b): (&[u8], &[u8]) = (&a[n % 4..], &b[3..]);
            let count = |of: fn(u8, u8) -> u8| -> u32 {
                a.iter().zip(b).map(|(&a, &b)| of(a, b).count_ones()).sum()
            };
            let expected = (count(|a, b| a & b), count(|a, b| a | b));
            assert_eq!(kernels.jaccard_terms(a, b), expected, "{} {n}", kernels.level());
        }
        assert_eq!(kernels.jaccard_terms(&[0xff; 9000], &[1; 8001]), (8_001, 64_008));
    }
}

#[test]
fn hamming_distances_are_exact() {
    for kernels in levels() {
        let rng = &mut SmallRng::seed_from_u64(2);
        for n in 0..=700 {
            let (a, b) = (
                random(rng, n + n % 4, |rng| rng.random()),
                random(rng, n + 3, |rng| rng.random()),
            );
            let (a, b): (&[u8], &[u8]) = (&a[n % 4..], &b[3..]);
            let expected: u32 = a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum();
            assert_eq!(kernels.hamming(a, b), expected, "{} {n}", kernels.level());
        }
        assert_eq!(kernels.hamming(&[0xff; 9000], &[0; 8000]), 64_000);
    }
}

#[test]
fn the_widest_level_is_in_use() {
    assert_eq!(kernels::level(), Level::detect());
    assert!(kernels::at(Level::Scalar).is_some());
    for level in Level::ALL {
        assert_eq!(
            kernels::at(level).map(|kernels| kernels.level()),
            level.available().then_some(level)
        );
    }
}
