//! A fast random rotation of any number of dimensions.

use std::cell::RefCell;
use std::sync::Arc;

use crate::splitmix::SplitMix64;

/// Rounds of sign flips and a transform; even, so that both windows of [`Rotation`] take the
/// same number of turns.
const ROUNDS: usize = 4;

/// An orthogonal map of `dims` dimensions onto as many, chosen at random by a seed.
///
/// Each of four rounds flips random signs and applies a Hadamard transform to the first or (in
/// every other round) the last `p` coordinates, where `p` is the largest power of two that
/// fits. If that leaves coordinates out, each coordinate of the first half is turned by 45
/// degrees against its partner in the second after both windows had their turn. Norms and inner
/// products stay as they are, and the energy of a vector spreads evenly, so that the first
/// coordinates of the result are a random projection. The cost is O(dims log dims).
///
/// The map depends on `dims` and the seed alone, on every platform: it may be kept by its seed.
/// (After the fast transforms of Andoni et al., Practical and Optimal LSH for Angular Distance,
/// 2015, and the mixing step of Kac's walk.)
#[derive(Clone, Debug)]
pub struct Rotation {
    dims: usize,
    seed: u64,
    window: usize,
    /// One factor per round and coordinate: the random sign, times 1/sqrt(p) inside the window.
    factors: Arc<[f32]>,
}

thread_local! {
    /// The rotation that this thread asked for last: an index is opened anew by every scan.
    static LATEST: RefCell<Option<Rotation>> = const { RefCell::new(None) };
}

impl Rotation {
    /// The rotation of `dims` dimensions (at least 1) that belongs to `seed`.
    pub fn new(dims: usize, seed: u64) -> Self {
        let dims = dims.max(1);
        LATEST.with_borrow_mut(|latest| match latest {
            Some(known) if (known.dims, known.seed) == (dims, seed) => known.clone(),
            _ => latest.insert(Self::generate(dims, seed)).clone(),
        })
    }

    fn generate(dims: usize, seed: u64) -> Self {
        let window = 1usize << dims.ilog2();
        let mut random = SplitMix64::new(seed);
        let mut factors = Vec::with_capacity(ROUNDS * dims);
        for round in 0..ROUNDS {
            let inside = window_range(round, dims, window);
            let scale = 1.0 / (window as f32).sqrt();
            for start in (0..dims).step_by(64) {
                let mut signs = random.next_u64();
                for i in start..dims.min(start + 64) {
                    let size: f32 = if inside.contains(&i) { scale } else { 1.0 };
                    let sign = (signs >> 32) as u32 & 1 << 31;
                    factors.push(f32::from_bits(size.to_bits() | sign));
                    signs <<= 1;
                }
            }
        }
        Self { dims, seed, window, factors: factors.into() }
    }

    /// Number of dimensions of input and output.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// Writes the rotated `x` to `out`; both have `dims` numbers.
    pub fn apply(&self, x: &[f32], out: &mut [f32]) {
        assert_eq!(x.len(), self.dims);
        out.copy_from_slice(x);
        for (round, factors) in self.factors.chunks_exact(self.dims).enumerate() {
            for (o, factor) in out.iter_mut().zip(factors) {
                *o *= factor;
            }
            kernels::hadamard(&mut out[window_range(round, self.dims, self.window)]);
            if !round.is_multiple_of(2) && self.window < self.dims {
                mix_halves(out);
            }
        }
    }

    /// Rotates `x`, which has `dims` numbers, back.
    pub fn undo(&self, x: &mut [f32]) {
        assert_eq!(x.len(), self.dims);
        for (round, factors) in self.factors.chunks_exact(self.dims).enumerate().rev() {
            if !round.is_multiple_of(2) && self.window < self.dims {
                // A reflection is its own inverse, and so is a Hadamard transform but for its length.
                mix_halves(x);
            }
            kernels::hadamard(&mut x[window_range(round, self.dims, self.window)]);
            for (x, factor) in x.iter_mut().zip(factors) {
                *x *= factor;
            }
        }
    }
}

/// The coordinates that round `round` transforms: the first `window`, then the last, in turn.
fn window_range(round: usize, dims: usize, window: usize) -> std::ops::Range<usize> {
    let start = if round.is_multiple_of(2) { 0 } else { dims - window };
    start..start + window
}

/// Turns each pair of the first and the second half by 45 degrees, so that energy crosses
/// between windows that hardly overlap (as with one dimension less than a power of two).
/// The middle one of an odd number stays.
fn mix_halves(x: &mut [f32]) {
    let (low, high) = x.split_at_mut(x.len().div_ceil(2));
    for (a, b) in low.iter_mut().zip(high) {
        (*a, *b) = (
            (*a + *b) * std::f32::consts::FRAC_1_SQRT_2,
            (*a - *b) * std::f32::consts::FRAC_1_SQRT_2,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIMS: [usize; 14] = [1, 2, 3, 5, 7, 8, 25, 100, 127, 384, 784, 1023, 1024, 1536];

    fn rotated(rotation: &Rotation, x: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; x.len()];
        rotation.apply(x, &mut out);
        out
    }

    fn dot(a: &[f32], b: &[f32]) -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    }

    #[test]
    fn norms_and_inner_products_are_kept() {
        let mut random = SplitMix64::new(2);
        for dims in DIMS {
            let rotation = Rotation::new(dims, 7);
            let a: Vec<f32> = (0..dims).map(|_| random.next_normal()).collect();
            let b: Vec<f32> = (0..dims).map(|_| random.next_normal() + 0.5).collect();
            let (ra, rb) = (rotated(&rotation, &a), rotated(&rotation, &b));
            let tolerance = 1e-5 * (dot(&a, &a) * dot(&b, &b)).sqrt();
            assert!((dot(&a, &b) - dot(&ra, &rb)).abs() <= tolerance, "{dims} dimensions");
            assert!((dot(&a, &a) / dot(&ra, &ra) - 1.0).abs() < 1e-5, "{dims} dimensions");
        }
    }

    #[test]
    fn it_can_be_undone() {
        let mut random = SplitMix64::new(3);
        for dims in DIMS {
            let rotation = Rotation::new(dims, 7);
            let x: Vec<f32> = (0..dims).map(|_| random.next_normal()).collect();
            let mut back = rotated(&rotation, &x);
            rotation.undo(&mut back);
            assert!(x.iter().zip(&back).all(|(x, b)| (x - b).abs() < 1e-5), "{dims} dimensions");
        }
    }

    #[test]
    fn a_unit_vector_spreads_over_all_parts() {
        for dims in DIMS.into_iter().filter(|&dims| dims >= 100) {
            let rotation = Rotation::new(dims, 3);
            for at in [0, dims / 3, dims / 2, dims - 1] {
                let mut x = vec![0.0; dims];
                x[at] = 1.0;
                let out = rotated(&rotation, &x);
                let peak = out.iter().fold(0.0f32, |peak, o| peak.max(o.abs()));
                assert!(peak < 6.0 / (dims as f32).sqrt(), "{dims} dimensions, {at}: {peak}");
                for part in out.chunks_exact(dims / 4) {
                    let energy = dot(part, part) * 4.0;
                    // Four deviations of what a random unit vector has in a quarter of its parts.
                    let slack = 4.0 * (6.0 / dims as f64).sqrt();
                    assert!((energy - 1.0).abs() < slack, "{dims} dimensions, {at}: {energy}");
                }
            }
        }
    }

    #[test]
    fn the_seed_decides() {
        let x: Vec<f32> = (0..48).map(|i| i as f32).collect();
        let of_seed = |seed| rotated(&Rotation::new(48, seed), &x);
        assert_eq!(of_seed(1), of_seed(1));
        assert_ne!(of_seed(1), of_seed(2));
    }
}
