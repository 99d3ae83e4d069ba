//! Integer kernels against the definition.

mod levels;

use kernels::Level;
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
