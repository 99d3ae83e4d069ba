//! Vectors of 16-bit floats under a common power of two, with a bound of the error made.

use half::f16;
use half::slice::HalfFloatSliceExt;

/// The largest value that still narrows to a finite 16-bit float.
const HALF_LIMIT: f64 = 65_520.0;

/// The largest magnitude that decodes to a finite 32-bit float at the largest exponent.
const LARGEST: f64 = 65_504.0 * (1u128 << 112) as f64;

/// Numbers narrowed at a time, and of these summed side by side.
const PART: usize = 64;
const LANES: usize = 4;

/// What [`encode_half`] tells about its result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HalfInfo {
    /// A coded number stands for `half * 2^exponent`; -126 ..= 113.
    pub exponent: i8,
    /// Euclidean length of the error vector, never too small; 0 if nothing was lost.
    pub error_l2: f32,
    /// Sum of the absolute errors, never too small; 0 if nothing was lost.
    pub error_l1: f32,
}

impl HalfInfo {
    /// The factor between a half and the number it stands for: `2^exponent`, a normal number.
    pub fn scale(&self) -> f32 {
        half_scale(self.exponent)
    }
}

/// `2^exponent`, for the exponents of [`HalfInfo`].
pub fn half_scale(exponent: i8) -> f32 {
    f32::from_bits(((i32::from(exponent) + 127).max(1) as u32) << 23)
}

/// Narrows the finite numbers `x` to 16-bit floats in little-endian bytes.
///
/// The power of two moves the largest magnitude to 2^15, the top of the range: all that fits
/// 16-bit floats as it is stays exact, and vectors of any magnitude keep 11 bits of their large
/// coordinates.
///
/// # Panics
/// If `out` has another length than `x`.
pub fn encode_half(x: &[f32], out: &mut [[u8; 2]]) -> HalfInfo {
    assert_eq!(x.len(), out.len());
    let exponent = common_exponent(x);
    let scale = f64::from(half_scale(exponent));
    let inverse = 1.0 / scale;
    let (mut squares, mut sums) = ([0.0f64; LANES], [0.0f64; LANES]);
    for (x, out) in x.chunks(PART).zip(out.chunks_mut(PART)) {
        let (mut scaled, mut halves) = ([0.0f32; PART], [f16::ZERO; PART]);
        for (scaled, &x) in scaled.iter_mut().zip(x) {
            *scaled = (f64::from(x).clamp(-LARGEST, LARGEST) * inverse) as f32;
        }
        halves.convert_from_f32_slice(&scaled);
        halves.convert_to_f32_slice(&mut scaled);
        let mut errors = [0.0f64; PART];
        let kept = scaled.iter().zip(halves);
        for (((error, out), &x), (&kept, half)) in errors.iter_mut().zip(out).zip(x).zip(kept) {
            *out = half.to_le_bytes();
            *error = f64::from(x) - f64::from(kept) * scale;
        }
        for errors in errors.as_chunks::<LANES>().0 {
            for lane in 0..LANES {
                squares[lane] += errors[lane] * errors[lane];
                sums[lane] += errors[lane].abs();
            }
        }
    }
    let (squares, sum) = (squares.iter().sum::<f64>(), sums.iter().sum::<f64>());
    let slack = 1.0 + (x.len() as f64 + 4.0) * f64::EPSILON;
    HalfInfo {
        exponent,
        error_l2: round_up(squares.sqrt() * slack),
        error_l1: round_up(sum * slack),
    }
}

/// The exponent that brings the largest magnitude of `x` to at least 2^15 and under the limit,
/// as far as a normal 32-bit scale allows; 0 if all is zero.
fn common_exponent(x: &[f32]) -> i8 {
    let peak = x.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
    if peak == 0.0 || !peak.is_finite() {
        return 0;
    }
    // A subnormal peak reads as 2^-127, which the lower limit covers.
    let magnitude = (peak.to_bits() >> 23) as i32;
    let mut exponent = (magnitude - 127 - 15).max(-126);
    if f64::from(peak) / 2f64.powi(exponent) >= HALF_LIMIT {
        exponent += 1;
    }
    exponent as i8
}

/// The smallest 32-bit float that is not below `x`, for `x >= 0`.
fn round_up(x: f64) -> f32 {
    let nearest = x as f32;
    if f64::from(nearest) < x { nearest.next_up() } else { nearest }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splitmix::SplitMix64;

    fn round_trip(x: &[f32]) -> (HalfInfo, Vec<f32>) {
        let mut halves = vec![[0; 2]; x.len()];
        let info = encode_half(x, &mut halves);
        let decoded = halves.iter().map(|h| f16::from_le_bytes(*h).to_f32() * info.scale());
        (info, decoded.collect())
    }

    #[test]
    fn what_fits_is_kept() {
        let mut random = SplitMix64::new(5);
        for round in 0..2_000 {
            let dims = 1 + round % 40;
            let integers: Vec<f32> =
                (0..dims).map(|_| (random.next_u64() % 4_097) as f32 - 2_048.0).collect();
            let halves: Vec<f32> = (0..dims)
                .map(|_| f16::from_bits(random.next_u64() as u16 & 0xBFFF).to_f32())
                .collect();
            let largest = vec![65_504.0, 2f32.powi(-24), -1.0];
            for x in [integers, halves, largest] {
                let (info, decoded) = round_trip(&x);
                assert_eq!(decoded, x);
                assert_eq!((info.error_l2, info.error_l1), (0.0, 0.0));
            }
        }
    }

    #[test]
    fn the_error_is_bounded_and_small() {
        let mut random = SplitMix64::new(6);
        for power in (-140..=127).chain([0; 50]) {
            let scale = 2f64.powi(power);
            let x: Vec<f32> = (0..50)
                .map(|_| (f64::from(random.next_f32() * 1.99 - 0.99) * scale) as f32)
                .collect();
            let (info, decoded) = round_trip(&x);
            let errors = || x.iter().zip(&decoded).map(|(x, d)| f64::from(*x) - f64::from(*d));
            let l2 = errors().map(|e| e * e).sum::<f64>().sqrt();
            let l1 = errors().map(f64::abs).sum::<f64>();
            assert!(f64::from(info.error_l2) >= l2 && f64::from(info.error_l1) >= l1);
            assert!(f64::from(info.error_l2) <= 8.0 * scale / 2048.0, "2^{power}: {info:?}");
        }
    }

    #[test]
    fn extremes_stay_finite() {
        for x in [f32::MAX, f32::MIN_POSITIVE, f32::from_bits(1), 65_519.9, 65_520.0, 2f32.powi(15)]
        {
            for x in [x, -x] {
                let (info, decoded) = round_trip(&[x, 0.0]);
                assert!((-126..=113).contains(&info.exponent));
                assert!((decoded[0] - x).abs() <= x.abs() / 2048.0, "{x} {decoded:?}");
            }
        }
        assert_eq!(round_trip(&[0.0, -0.0]).0.exponent, 0);
        assert_eq!(round_trip(&[]).0.error_l2, 0.0);
    }
}
