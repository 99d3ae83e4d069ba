//! Estimating reduced distances from edge codes.

use half::bf16;
use kernels::{BLOCK, BitQuery, CodeShape, score_block, score_codes};

use super::coder::EdgeCoder;
use super::levels::NORMAL_LEVELS;
use crate::Metric;

/// Fractions of the range at which large coordinates of a query may be clipped. Fewer, nearer
/// levels serve the many small coordinates better than a range that holds the largest.
const CLIPS: [f32; 8] = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.25];

/// How much nearer to an element than to the center a query is, as a ratio of squared distances,
/// where rounding it relative to the center says too little of the element's neighbors. On sentences,
/// words and images next to no element is so near, among near-duplicates and clusters most are.
const NEAR: f32 = 1.0 / 16.0;

/// Standard deviation of the relative error of a number rounded to bfloat16: that of half a unit in
/// the last of eight places, evenly distributed.
const FACTOR_ROUNDING: f32 = 1.0 / 256.0 / 1.732_050_8;
/// What rotating a vector loses at most, as a part of its length.
const ROTATION_ROUNDING: f32 = 8.0 * f32::EPSILON;
/// What a distance and the terms that it is made of lose at most where they are too small for single
/// precision.
const VANISHING: f32 = 16.0 * f32::MIN_POSITIVE;

/// An element as a query sees it, whose neighbors are bounded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeenOwner {
    /// The element's reduced distance.
    pub base: f32,
    /// What `base` may be too large by.
    pub slack: f32,
    /// As [`EdgeQuery::estimate`] takes it.
    pub alpha: f32,
    /// How far the query is from the element; for the inner product, the length of the query's part
    /// across the element.
    pub across: f32,
}

/// A query prepared to score the codes of one [`EdgeCoder`].
#[derive(Debug)]
pub struct EdgeQuery {
    whole: RoundedQuery,
    shape: CodeShape,
    /// Squared distances below which an element is near, see [`EdgeQuery::is_near`].
    near: f32,
    /// Scores of the latest call.
    scores: Vec<i32>,
    /// Length of what rotating and rounding changed.
    rounding: f32,
    /// Dimensions that are coded, and their share of all.
    code_dims: f32,
    coded: f32,
}

impl EdgeQuery {
    /// Prepares the query vector `q` (for cosine: of length one).
    pub fn new(coder: &EdgeCoder, q: &[f32]) -> Self {
        Self::from_rotated(coder, &coder.rotate(q))
    }

    /// Prepares a query that is rotated already.
    pub fn from_rotated(coder: &EdgeCoder, q: &[f32]) -> Self {
        let centered: Vec<f32> = q.iter().zip(coder.center()).map(|(q, m)| q - m).collect();
        let coded = coder.code_dims() as f32 / coder.rotation().dims() as f32;
        let square = kernels::inner_product(&centered, &centered) / coded;
        let by_product = coder.metric() == Metric::InnerProduct;
        let whole = RoundedQuery::new(&centered, coder.shape());
        let turned = ROTATION_ROUNDING * kernels::inner_product(q, q).sqrt();
        Self {
            rounding: whole.rounding.hypot(turned),
            whole,
            shape: coder.shape(),
            near: if by_product { f32::NEG_INFINITY } else { NEAR * square },
            scores: Vec::new(),
            code_dims: coder.code_dims() as f32,
            coded,
        }
    }

    /// Whether the query is so near an element, at a squared distance of `square`, that the distances
    /// of its neighbors had better be estimated by [`estimate_near`](Self::estimate_near).
    pub fn is_near(&self, square: f32) -> bool {
        square < self.near
    }

    /// Standard deviation of the error of an estimate, for a code whose factor `res` has magnitude
    /// one, where the query is `distance` from the element; for the inner product, the length of
    /// the part of the query across the element.
    ///
    /// What x̄ has across r meets the query at a random angle, and so does what rounding the query
    /// changed meet x̄. The rounding of `res` counts as much as its product with x̄ can be.
    pub fn deviation(&self, distance: f32) -> f32 {
        let (square, cosine) = NORMAL_LEVELS[self.shape.planes - 1];
        let of_res = FACTOR_ROUNDING * FACTOR_ROUNDING * self.code_dims;
        let across = self.coded * (1.0 - cosine * self.coded) + of_res;
        (square * (distance * distance * across + self.rounding * self.rounding)).sqrt()
    }

    /// Numbers that the distances of 32 neighbors of `owner` are below with the chance that a normal
    /// variable is more than `deviations` below its mean: the estimates, less as many standard
    /// deviations of what the codes, the query and the factors lost to rounding. Minus infinity where
    /// finite arithmetic gives out.
    ///
    /// The codes lie byte by byte, see [`kernels::score_block`].
    ///
    /// # Panics
    /// If `codes` is too short.
    pub fn bound_block(
        &self,
        codes: &[u8],
        adds: &[[u8; 2]; BLOCK],
        ress: &[[u8; 2]; BLOCK],
        owner: &SeenOwner,
        deviations: f32,
        out: &mut [f32; BLOCK],
    ) {
        let &SeenOwner { base, slack, alpha, across } = owner;
        let mut scores = [0; BLOCK];
        score_block(&self.whole.bits, codes, self.shape, &mut scores);
        self.whole.combine(&scores, adds, ress, base, alpha, out);
        let deviation = self.deviation(across);
        let of_add = alpha * FACTOR_ROUNDING / deviation;
        let certain = slack + VANISHING;
        let largest = bf16::MAX.to_f32();
        for ((bound, add), res) in out.iter_mut().zip(adds).zip(ress) {
            let add = bf16::from_le_bytes(*add).to_f32();
            let res = bf16::from_le_bytes(*res).to_f32();
            let of_add = of_add * add;
            let off = deviations * deviation * (res * res + of_add * of_add).sqrt() + certain;
            let least = *bound - off;
            *bound =
                if least.is_finite() && add.abs() < largest { least } else { f32::NEG_INFINITY };
        }
    }

    /// Estimates the distances of the `out.len()` neighbors of one element, whose codes stand one
    /// after another in `codes` and whose factors, little-endian, in `adds` and `ress`.
    ///
    /// `base` is the element's exact reduced distance; `alpha` is 1, or for the inner product
    /// ⟨q, c⟩ / |c|² (0 if that is not finite). Estimates are never NaN: where finite arithmetic
    /// gives out they are infinite.
    ///
    /// # Panics
    /// If one of the slices is shorter than `out` asks for.
    pub fn estimate(
        &mut self,
        codes: &[u8],
        adds: &[[u8; 2]],
        ress: &[[u8; 2]],
        base: f32,
        alpha: f32,
        out: &mut [f32],
    ) {
        assert!(adds.len() >= out.len() && ress.len() >= out.len());
        self.scores.resize(out.len(), 0);
        score_codes(&self.whole.bits, codes, self.shape, self.shape.bytes(), &mut self.scores);
        self.whole.combine(&self.scores, adds, ress, base, alpha, out);
    }

    /// As [`estimate`](Self::estimate), for neighbors of an element from which the query is
    /// `difference` (query less element, not rotated) and whose distance is `base`: not for the inner
    /// product. The difference is rounded by itself, so that its precision is that of the distance
    /// to the element instead of that to the center.
    ///
    /// # Panics
    /// If one of the slices is shorter than `out` asks for.
    pub fn estimate_near(
        &mut self,
        coder: &EdgeCoder,
        difference: &[f32],
        codes: &[u8],
        ress: &[[u8; 2]],
        base: f32,
        out: &mut [f32],
    ) {
        assert!(ress.len() >= out.len());
        let rotated = coder.rotate(difference);
        let query = RoundedQuery::new(&rotated[..coder.code_dims()], self.shape);
        self.scores.resize(out.len(), 0);
        score_codes(&query.bits, codes, self.shape, self.shape.bytes(), &mut self.scores);
        let codes = codes.chunks_exact(self.shape.bytes());
        for (((out, code), res), &score) in out.iter_mut().zip(codes).zip(ress).zip(&self.scores) {
            let known = base + coder.residual_squared(*res, code);
            let res = bf16::from_le_bytes(*res).to_f32();
            *out = (known + res * query.product(score)).min(f32::INFINITY);
        }
    }
}

/// Rotated coordinates rounded to four bits; the scale is set so that what is rounded has the same
/// product with them as they themselves.
#[derive(Debug)]
struct RoundedQuery {
    bits: BitQuery,
    /// What one unit of a score stands for.
    delta: f32,
    /// The score of the middle of all levels.
    middle: f32,
    /// Length of what rounding changed.
    rounding: f32,
}

impl RoundedQuery {
    fn new(q: &[f32], shape: CodeShape) -> Self {
        let (mut values, delta) = round_to_four_bits(q);
        let square = |sum: f64, x: f64| sum + x * x;
        let wanted = q.iter().map(|&x| f64::from(x)).fold(0.0, square);
        let rounded = values.iter().map(|&v| f64::from(v) * f64::from(delta)).fold(0.0, square);
        let rounding = (rounded - wanted).max(0.0).sqrt() as f32;
        values.resize(shape.plane_bytes * 8, 0);
        let sum: i32 = values.iter().map(|&v| i32::from(v)).sum();
        let middle = ((1 << shape.planes) - 1) as f32 / 2.0 * sum as f32;
        Self { bits: BitQuery::new(&values), delta, middle, rounding }
    }

    /// The product with a code's levels.
    #[inline(always)]
    fn product(&self, score: i32) -> f32 {
        self.delta * (score as f32 - self.middle)
    }

    /// Makes estimates of scores.
    #[inline(always)]
    fn combine(
        &self,
        scores: &[i32],
        adds: &[[u8; 2]],
        ress: &[[u8; 2]],
        base: f32,
        alpha: f32,
        out: &mut [f32],
    ) {
        for (((out, add), res), &score) in out.iter_mut().zip(adds).zip(ress).zip(scores) {
            let add = bf16::from_le_bytes(*add).to_f32();
            let res = bf16::from_le_bytes(*res).to_f32();
            // `min` prefers the number to NaN
            *out = (base + alpha * add + res * self.product(score)).min(f32::INFINITY);
        }
    }
}

/// The integers of -8 ..= 7 that lie closest in angle to `q`, of several scales tried, and the
/// factor that makes their product with `q` the square of `q`.
fn round_to_four_bits(q: &[f32]) -> (Vec<i8>, f32) {
    let peak = q.iter().fold(0.0f32, |peak, q| peak.max(q.abs()));
    let (mut best_cos, mut best_unit) = (0.0, 0.0);
    for clip in CLIPS {
        let unit = 7.0 / (peak * clip);
        let (mut product, mut norm) = ([0.0f32; 4], [0.0f32; 4]);
        for part in q.chunks(4) {
            for ((product, norm), &q) in product.iter_mut().zip(&mut norm).zip(part) {
                let value = round_clamped(q * unit);
                *product += q * value;
                *norm += value * value;
            }
        }
        let cos = product.iter().sum::<f32>() / norm.iter().sum::<f32>().sqrt();
        if cos > best_cos {
            (best_cos, best_unit) = (cos, unit);
        }
    }
    let values: Vec<i8> = q.iter().map(|&q| round_clamped(q * best_unit) as i8).collect();
    let square: f64 = q.iter().map(|&q| f64::from(q) * f64::from(q)).sum();
    let product: f64 = q.iter().zip(&values).map(|(&q, &v)| f64::from(q) * f64::from(v)).sum();
    let delta = if product > 0.0 { (square / product) as f32 } else { 0.0 };
    (values, delta)
}

/// `x` limited to -8 ..= 7 and rounded to the nearest integer.
fn round_clamped(x: f32) -> f32 {
    // Adding 1.5 · 2^23 leaves no bits for a fraction; unlike `round`, which calls a function
    // on the plainest x86-64, this runs in vector registers.
    const SHIFT: f32 = 12_582_912.0;
    (x.clamp(-8.0, 7.0) + SHIFT) - SHIFT
}
