//! The functions between the products of a model, written so that the compiler computes several
//! numbers at a time.

use std::f32::consts::{FRAC_1_SQRT_2, LOG2_E};
use std::sync::atomic::AtomicBool;

use crate::Error;
use crate::error::go_on;

/// Numbers that a sum or a maximum is computed of side by side.
const LANES: usize = 8;
/// Numbers that a function is applied to between looks at the flag that stops a call.
const PART: usize = 1 << 16;

/// What is applied between the two products of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Activation {
    /// x Φ(x). Hendrycks and Gimpel, 2016.
    Gelu,
    /// The same with an approximation of Φ by a hyperbolic tangent.
    GeluTanh,
    Relu,
}

impl Activation {
    /// What `config.json` calls so.
    pub(super) fn new(name: &str) -> Option<Self> {
        match name {
            "gelu" => Some(Self::Gelu),
            "gelu_new" | "gelu_pytorch_tanh" => Some(Self::GeluTanh),
            "relu" => Some(Self::Relu),
            _ => None,
        }
    }

    /// Applies it to all numbers.
    ///
    /// # Errors
    /// If `stop` is set.
    pub(super) fn apply(self, values: &mut [f32], stop: &AtomicBool) -> Result<(), Error> {
        for values in values.chunks_mut(PART) {
            go_on(stop)?;
            match self {
                Self::Gelu => values.iter_mut().for_each(|x| *x = gelu(*x)),
                Self::GeluTanh => values.iter_mut().for_each(|x| *x = gelu_tanh(*x)),
                Self::Relu => values.iter_mut().for_each(|x| *x = x.max(0.0)),
            }
        }
        Ok(())
    }
}

/// e to the power of `x`, to seven digits, from e⁻⁸⁷ to e⁸⁸.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    /// Added to a number, it leaves the nearest integer in the last bits.
    const ROUND: f32 = 12_582_912.0;
    /// The logarithm of 2: the first part has few bits, so that its multiples are exact.
    const LN_2: (f32, f32) = (0.693_359_4, -2.121_944_4e-4);
    let x = x.clamp(-87.0, 88.0);
    let rounded = x * LOG2_E + ROUND;
    let whole = rounded - ROUND;
    let rest = x - whole * LN_2.0 - whole * LN_2.1;
    let series = [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let power = series.into_iter().fold(0.0, |sum, factor| sum * rest + factor);
    power * f32::from_bits(rounded.to_bits().wrapping_add(127) << 23)
}

/// The error function. Abramowitz and Stegun, 7.1.26: it is off by at most 1.5 · 10⁻⁷.
#[inline(always)]
fn erf(x: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let series = [1.061_405_4, -1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6];
    let sum = series.into_iter().fold(0.0, |sum, factor| (sum + factor) * t);
    (1.0 - sum * exp(-x * x)).copysign(x)
}

#[inline(always)]
fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * FRAC_1_SQRT_2))
}

#[inline(always)]
fn gelu_tanh(x: f32) -> f32 {
    // 0.5 (1 + tanh y) is 1 / (1 + e^(-2 y)).
    let y = 0.797_884_6 * (x + 0.044_715 * x * x * x);
    x / (1.0 + exp(-2.0 * y))
}

/// The logistic function.
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// Combines what `of` makes of numbers, as many at a time as there are lanes.
#[inline(always)]
fn fold(
    values: &[f32],
    start: f32,
    of: impl Fn(f32) -> f32,
    combine: impl Fn(f32, f32) -> f32,
) -> f32 {
    let (parts, rest) = values.as_chunks::<LANES>();
    let mut lanes = [start; LANES];
    for part in parts {
        for (lane, value) in lanes.iter_mut().zip(part) {
            *lane = combine(*lane, of(*value));
        }
    }
    let all = lanes.into_iter().fold(start, &combine);
    rest.iter().fold(all, |all, value| combine(all, of(*value)))
}

/// The sum of what `of` makes of numbers.
#[inline(always)]
fn sum(values: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    fold(values, 0.0, of, |a, b| a + b)
}

/// Makes `values`, times `scale`, shares of one: each is e to its power, over the sum of these.
pub(super) fn softmax(values: &mut [f32], scale: f32) {
    let greatest = fold(values, f32::NEG_INFINITY, |x| x, |a, b| if b > a { b } else { a });
    values.iter_mut().for_each(|value| *value = exp((*value - greatest) * scale));
    let share = 1.0 / sum(values, |x| x);
    values.iter_mut().for_each(|value| *value *= share);
}

/// The mean of numbers, and the mean of their squared distances from it.
pub(super) fn moments(values: &[f32]) -> (f32, f32) {
    let share = 1.0 / values.len() as f32;
    let mean = sum(values, |x| x) * share;
    (mean, sum(values, |x| (x - mean) * (x - mean)) * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers all over where the functions change.
    fn numbers() -> impl Iterator<Item = f32> {
        (-4000..4000).map(|i| i as f32 * 0.005)
    }

    #[test]
    fn powers_have_seven_digits() {
        for x in numbers() {
            let expected = f64::from(x).exp();
            assert!((f64::from(exp(x)) / expected - 1.0).abs() < 3e-7, "{x}");
        }
        assert!(exp(f32::NEG_INFINITY) < 2e-38 && exp(f32::INFINITY).is_finite());
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn activations_are_those_of_their_names() {
        // From torch, of each of the numbers.
        let x = [-3.0, -1.0, -0.1, 0.0, 0.5, 2.0, 10.0, -40.0];
        for (name, expected) in [
            ("gelu", [-0.004_049_7, -0.158_655_3, -0.046_017_2, 0.0, 0.345_731_2, 1.954_499_7]),
            ("gelu_new", [-0.003_637_4, -0.158_808, -0.046_017_1, 0.0, 0.345_714, 1.954_597_6]),
            ("relu", [0.0, 0.0, 0.0, 0.0, 0.5, 2.0]),
        ] {
            let mut values = x;
            let activation = Activation::new(name).expect("a known name");
            activation.apply(&mut values, &AtomicBool::new(false)).expect("values");
            for (value, expected) in values.iter().zip(expected.iter().chain(&[10.0, 0.0])) {
                assert!((value - expected).abs() < 1e-6, "{name}: {value}, expected {expected}");
            }
        }
        assert_eq!(Activation::new("swish"), None);
    }

    #[test]
    fn moments_are_those_of_all_numbers() {
        for len in [1, 7, 8, 9, 100] {
            let values: Vec<f32> = (0..len).map(|i| (i * 37 % 11) as f32 + 3.0).collect();
            let mean = values.iter().sum::<f32>() / len as f32;
            let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / len as f32;
            let found = moments(&values);
            assert!((found.0 - mean).abs() < 1e-5 && (found.1 - variance).abs() < 1e-4, "{len}");
        }
    }

    #[test]
    fn shares_add_up() {
        for len in [1, 7, 8, 9, 100] {
            let mut values: Vec<f32> = (0..len).map(|i| (i * 37 % 11) as f32 * 30.0).collect();
            let expected: Vec<f64> =
                values.iter().map(|x| f64::from(x * 0.1 - 33.0).exp()).collect();
            softmax(&mut values, 0.1);
            let sum: f64 = expected.iter().sum();
            for (value, expected) in values.iter().zip(&expected) {
                assert!((f64::from(*value) - expected / sum).abs() < 1e-6);
            }
        }
    }
}
