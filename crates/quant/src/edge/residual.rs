//! What a code tells about its residual when no vector is at hand.

use half::bf16;
use kernels::hamming;

use super::coder::EdgeCoder;
use super::levels::MAX_PLANES;
use crate::Metric;

/// Mean cosine between a random residual's coded coordinates and their levels, for 1 to 4 planes:
/// √(2/π) for signs, near 1 for finer levels.
const MEAN_COSINE: [f32; MAX_PLANES] = [0.798, 0.940, 0.982, 0.995];

impl EdgeCoder {
    /// Estimates |r|² of the residual that was coded: |r| = f · |x̄| · cos(r_C, x̄) · |r_C| / |r|,
    /// with f from the factor `res` (bfloat16) and the means of the last two.
    pub fn residual_squared(&self, res: [u8; 2], code: &[u8]) -> f32 {
        let weight = if self.metric() == Metric::InnerProduct { 1.0 } else { 2.0 };
        let f = bf16::from_le_bytes(res).to_f32() / weight;
        let share = self.code_dims() as f32 / self.rotation().dims() as f32;
        let cosine = MEAN_COSINE[self.shape().planes - 1];
        f * f * self.levels_squared(code) * cosine * cosine * share
    }

    /// |x̄|² of the levels that a code stands for.
    ///
    /// A coordinate is the sum of 2^p (b_p - 1/2) over the planes p, and of two planes the product
    /// (b_p - 1/2)(b_r - 1/2) is a quarter, less a half where the bits differ.
    fn levels_squared(&self, code: &[u8]) -> f32 {
        let plane = |p: usize| &code[p * self.shape().plane_bytes..][..self.shape().plane_bytes];
        let top = ((1 << self.shape().planes) - 1) as f32 / 2.0;
        let mut sum = top * top * self.code_dims() as f32;
        for p in 1..self.shape().planes {
            for r in 0..p {
                sum -= (1u32 << (p + r)) as f32 * hamming(plane(p), plane(r)) as f32;
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use kernels::CodeShape;

    use super::*;
    use crate::{Angles, Rotation, SplitMix64};

    #[test]
    fn lengths_and_angles_are_near_the_true_ones() {
        let mut random = SplitMix64::new(11);
        for (dims, code_dims, planes) in
            [(384, 384usize, 1), (784, 512, 1), (100, 100, 2), (64, 64, 4)]
        {
            for metric in [Metric::L2, Metric::InnerProduct] {
                let shape = CodeShape { planes, plane_bytes: code_dims.div_ceil(8) };
                let rotation = Rotation::new(dims, 5);
                let coder = EdgeCoder::new(rotation, shape, metric, vec![0.0; code_dims]);
                let mut vector = || (0..dims).map(|_| random.next_normal()).collect::<Vec<f32>>();
                let (owner, a, b) = (vector(), vector(), vector());
                let prepared = coder.prepare(&owner);
                let code = |x: &[f32]| {
                    let mut code = vec![0; coder.code_bytes()];
                    let factors = coder.encode(&prepared, x, &mut code);
                    (factors.res.to_le_bytes(), code)
                };
                let ((res, code_a), (_, code_b)) = (code(&a), code(&b));
                let squared = coder.residual_squared(res, &code_a);
                let exact = kernels::l2_squared(&owner, &a);
                assert!((squared / exact - 1.0).abs() < 0.25, "{dims} {planes}: {squared} {exact}");
                let codes = [code_a.as_slice(), code_b.as_slice()];
                let cosine = Angles::new(&coder, codes.into_iter()).cosine(0, 1);
                assert!((cosine - 0.5).abs() < 0.3, "{dims} {planes}: {cosine}");
            }
        }
    }
}
