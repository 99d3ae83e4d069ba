//! Rounding to levels against the definition, at each level of instructions.

mod levels;

use levels::levels;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

fn vector(rng: &mut SmallRng, len: usize) -> Vec<f32> {
    (0..len).map(|_| rng.random_range(-3.0..3.0)).collect()
}

#[test]
fn tails_count_and_add_up_what_reaches_a_threshold() {
    let mut rng = SmallRng::seed_from_u64(1);
    for kernels in levels() {
        for len in (0..40).chain([128, 1_000]) {
            let values = vector(&mut rng, len);
            let thresholds = [0.001, 0.7, 2.9, f32::INFINITY];
            let tails = kernels.tails(&values, thresholds);
            let total: f32 = values.iter().map(|x| x.abs()).sum();
            assert!((tails.total - f64::from(total)).abs() < 0.01, "{}: {len}", kernels.level());
            for (i, threshold) in thresholds.into_iter().enumerate() {
                let reach = || values.iter().map(|x| x.abs()).filter(|&x| x >= threshold);
                assert_eq!(tails.counts[i], reach().count() as f64, "{}: {len}", kernels.level());
                let sum = f64::from(reach().sum::<f32>());
                assert!((tails.sums[i] - sum).abs() < 0.01, "{}: {len}", kernels.level());
            }
        }
    }
}

#[test]
fn values_are_rounded_to_the_levels_of_their_planes() {
    let mut rng = SmallRng::seed_from_u64(2);
    for kernels in levels() {
        for planes in 1..=4 {
            for len in (1..40).chain([128, 700]) {
                let (values, other) = (vector(&mut rng, len), vector(&mut rng, len));
                let (top, step) = ((1u32 << (planes - 1)) - 1, 0.4);
                let plane_bytes = len.div_ceil(8);
                let mut code = vec![0xFF; planes * plane_bytes];
                let product =
                    kernels.round_to_planes(&values, &other, step, top, plane_bytes, &mut code);
                let mut expected = 0.0;
                for (i, (&x, &o)) in values.iter().zip(&other).enumerate() {
                    let steps = ((x.abs() / step) as u32).min(top);
                    let rounded = (steps as f32 + 0.5).copysign(x);
                    expected += f64::from(rounded * o);
                    let level = (rounded + top as f32 + 0.5) as u32;
                    let bit = |plane: usize| {
                        u32::from(code[plane * plane_bytes + i / 8] >> (i % 8) & 1) << plane
                    };
                    let found: u32 = (0..planes).map(bit).sum();
                    assert_eq!(found, level, "{}: {x} of {len}", kernels.level());
                }
                assert!((product - expected).abs() < 0.05, "{}: {len}", kernels.level());
                if len % 8 != 0 {
                    let last = code[plane_bytes - 1];
                    assert_eq!(last >> (len % 8), 0, "{}: {len}", kernels.level());
                }
            }
        }
    }
}
