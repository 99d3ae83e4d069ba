//! A vector as small integers times a scale, such that what is lost is orthogonal to the vector.
//!
//! With levels l and the scale s = |x|² / ⟨x, l⟩ the rounded vector is s·l = x + e, where e is
//! orthogonal to x. So ⟨q, s·l⟩ differs from ⟨q, x⟩ by the product of e with that part of q only
//! that is orthogonal to x, which is short where q is near x. If x was rotated at random, the
//! product is that of random directions, and zero on average (RaBitQ, Gao and Long, arXiv
//! 2405.12497, and for several bits 2409.09913).

/// What [`encode_coarse`] tells about its result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CoarseInfo {
    /// A level l stands for `l * scale`; 0 if the vector is zero.
    pub scale: f32,
    /// Euclidean length of what was lost, never too small; infinite where that is not orthogonal.
    pub error: f32,
}

/// Parts of the largest magnitude that are tried as the largest that is not clipped.
const CLIPS: [f32; 6] = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5];

/// Rounds the finite numbers `x` to levels of `-top..=top`.
///
/// # Panics
/// If `levels` has another length than `x`.
pub fn encode_coarse(x: &[f32], top: i8, levels: &mut [i8]) -> CoarseInfo {
    assert_eq!(x.len(), levels.len());
    let peak = x.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
    // Where levels are many, clipping loses more than it gains.
    let clips = if top < 64 { &CLIPS[..] } else { &CLIPS[..1] };
    let mut best = (0.0, 1.0);
    for &clip in clips {
        round(x, clip * peak, top, levels);
        let cosine = cosine(x, levels);
        if cosine > best.0 {
            best = (cosine, clip);
        }
    }
    if clips.len() > 1 {
        round(x, best.1 * peak, top, levels);
    }
    let square = |x: f32| f64::from(x) * f64::from(x);
    let squares: f64 = x.iter().map(|&x| square(x)).sum();
    let product: f64 = pairs(x, levels).map(|(x, level)| x * level).sum();
    let scale = if product > 0.0 { (squares / product) as f32 } else { 0.0 };
    let lost: f64 = pairs(x, levels).map(|(x, level)| (x - level * f64::from(scale)).powi(2)).sum();
    // A scale below the normal numbers is too rough for what is lost to be orthogonal.
    let rough = scale < f32::MIN_POSITIVE && peak > 0.0;
    let error = if rough { f32::INFINITY } else { (lost.sqrt() * (1.0 + 1e-6)) as f32 };
    CoarseInfo { scale, error }
}

/// Rounds to the nearest level, where `limit` is the top one and what is beyond it is clipped.
fn round(x: &[f32], limit: f32, top: i8, levels: &mut [i8]) {
    let top = f32::from(top);
    let inverse = if limit > 0.0 { (top / limit).min(f32::MAX) } else { 0.0 };
    for (level, x) in levels.iter_mut().zip(x) {
        *level = (x * inverse).clamp(-top, top).round_ties_even() as i8;
    }
}

fn cosine(x: &[f32], levels: &[i8]) -> f64 {
    let (mut product, mut squares) = (0.0, 0.0);
    for (x, level) in pairs(x, levels) {
        product += x * level;
        squares += level * level;
    }
    if squares > 0.0 { product / f64::sqrt(squares) } else { 0.0 }
}

fn pairs<'a>(x: &'a [f32], levels: &'a [i8]) -> impl Iterator<Item = (f64, f64)> + use<'a> {
    x.iter().zip(levels).map(|(&x, &level)| (f64::from(x), f64::from(level)))
}

/// Packs levels of -8..=7 two a byte, the first in the lower half.
pub fn pack_nibbles(levels: &[i8], nibbles: &mut [u8]) {
    for (byte, two) in nibbles.iter_mut().zip(levels.chunks(2)) {
        let high = two.get(1).copied().unwrap_or(0);
        *byte = two[0] as u8 & 0x0F | (high as u8) << 4;
    }
}

/// The level number `i` that [`pack_nibbles`] packed.
pub fn nibble(nibbles: &[u8], i: usize) -> i8 {
    let byte = nibbles[i / 2];
    (if i.is_multiple_of(2) { byte << 4 } else { byte }) as i8 >> 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SplitMix64;

    #[test]
    fn what_is_lost_is_small_and_orthogonal() {
        let mut random = SplitMix64::new(4);
        for (top, most) in [(127, 0.012), (7, 0.17)] {
            for power in [-100, -10, 0, 10, 100] {
                let scale = 2f32.powi(power);
                let x: Vec<f32> = (0..300).map(|_| scale * random.next_normal()).collect();
                let mut levels = vec![0; 300];
                let info = encode_coarse(&x, top, &mut levels);
                assert!(levels.iter().all(|level| level.abs() <= top));
                let lost = |(x, level): (f64, f64)| level * f64::from(info.scale) - x;
                let squares: f64 = x.iter().map(|&x| f64::from(x).powi(2)).sum();
                let error = pairs(&x, &levels).map(|pair| lost(pair).powi(2)).sum::<f64>().sqrt();
                let along: f64 = pairs(&x, &levels).map(|pair| lost(pair) * pair.0).sum();
                let part = error / squares.sqrt();
                assert!(
                    f64::from(info.error) >= error && part <= most,
                    "2^{power}, {top}: {part}, {info:?}, {error}"
                );
                assert!(along.abs() <= 1e-6 * squares, "2^{power}, {top} levels: {along}");
            }
        }
    }

    #[test]
    fn zero_and_extremes_have_finite_scales() {
        for x in [0.0, f32::from_bits(1), 1e-38, f32::MAX] {
            for top in [127, 7] {
                let mut levels = [0; 3];
                let info = encode_coarse(&[x, -x, 0.0], top, &mut levels);
                assert!(info.scale.is_finite() && info.error >= 0.0, "{x}: {info:?}");
            }
        }
    }

    #[test]
    fn nibbles_keep_levels() {
        let levels = [0, 7, -7, -8, 1, -1, 3];
        let mut nibbles = [0; 4];
        pack_nibbles(&levels, &mut nibbles);
        assert_eq!(std::array::from_fn(|i| nibble(&nibbles, i)), levels);
    }
}
