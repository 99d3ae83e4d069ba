//! Numbers that the SQL operator's distance is not below, as far as single precision, in which it is
//! summed, lets that be told. At the ends of its range sums overflow, and products vanish.

use crate::metric::Metric;

/// Norms whose squares, and their terms that count, are normal numbers of single precision: beyond,
/// a cosine distance may be anything.
const NORMAL: std::ops::Range<f64> = 1e-16..1e18;
/// A product of norms beyond which a partial sum may overflow.
const LARGE: f64 = 1e38;
/// Largest Euclidean and largest taxicab distance that are certain to be no smaller than those whose
/// sums overflow.
const LARGEST_L2: f64 = 1.8e19;
const LARGEST_L1: f64 = 3.3e38;
/// What a number loses at most where it is too small for single precision.
const TINY: f64 = 1.5e-45;

/// What summing vectors of `dims` numbers in single precision may be off by, as a part of the summed
/// magnitudes.
pub fn rounding(dims: usize) -> f64 {
    f64::from(f32::EPSILON) * (dims as f64 / 8.0 + 16.0)
}

/// What as many products may lose together because they are too small.
pub(crate) fn vanishing(dims: usize) -> f64 {
    2.0 * TINY * dims as f64
}

/// Whether the inner product of vectors of these norms is summed without an overflow.
pub(crate) fn product_is_safe(q: f64, x: f64) -> bool {
    q * x < LARGE
}

/// Whether the cosine of vectors of these norms is what it should be.
pub fn cosine_is_safe(q: f64, x: f64) -> bool {
    NORMAL.contains(&q) && NORMAL.contains(&x)
}

/// What is known of a query and of a vector that was narrowed.
#[derive(Clone, Copy, Debug)]
pub struct Narrowed {
    /// The distance as summed over what is held.
    pub distance: f64,
    /// Norm of the query.
    pub q: f64,
    /// Norm of the vector before it was narrowed.
    pub x: f64,
    /// What was lost: Euclidean length, under L1 sum of magnitudes.
    pub error: f64,
    /// Dimensions.
    pub dims: usize,
}

impl Narrowed {
    /// A number that the operator's distance to the vector itself is not below; minus infinity where
    /// nothing is known.
    pub fn least(&self, metric: Metric) -> f64 {
        let Self { distance, q, x, dims, .. } = *self;
        let error = self.error + vanishing(dims);
        // Once for this sum, and once for the operator's.
        let twice = 2.0 * rounding(dims);
        let least = match metric {
            Metric::L2 => {
                let distance = distance.min(LARGEST_L2);
                let least = (distance - error - twice * (distance + error)).max(0.0);
                (least * least - vanishing(dims)).max(0.0).sqrt()
            }
            Metric::L1 | Metric::Hamming | Metric::Jaccard => {
                let distance = distance.min(LARGEST_L1);
                (distance - error - twice * (distance + error)).max(0.0)
            }
            Metric::InnerProduct if product_is_safe(q, x + error) => {
                distance - q * error - twice * q * (x + error) - vanishing(dims)
            }
            Metric::Cosine if cosine_is_safe(q, x) => {
                turned(distance - rounding(dims), error / x) - rounding(dims)
            }
            Metric::InnerProduct | Metric::Cosine => f64::NEG_INFINITY,
        };
        if least.is_nan() { f64::NEG_INFINITY } else { least }
    }
}

/// The least cosine distance to a vector that is `lost` from another at `distance`, in parts of its
/// length: the angle to it is less by the arcsine of `lost` at most. Near zero, where a distance is half
/// the square of an angle, this is far more than what the length of the difference tells.
fn turned(distance: f64, lost: f64) -> f64 {
    let distance = distance.clamp(0.0, 2.0);
    let (sine, cosine) = ((distance * (2.0 - distance)).sqrt(), (1.0 - lost * lost).sqrt());
    if lost >= 1.0 || 1.0 - distance >= cosine {
        return 0.0;
    }
    // 1 - cos(a - b) of the angle a and the arcsine b.
    (1.0 - cosine) + cosine * distance - sine * lost
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SplitMix64;

    #[test]
    fn angles_bound_cosine_distances() {
        let mut random = SplitMix64::new(3);
        let cosine_distance = |a: &[f64; 3], b: &[f64; 3]| {
            let dot = |a: &[f64; 3], b: &[f64; 3]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            1.0 - dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
        };
        for round in 0..20_000 {
            let mut vector = |scale: f64| [(); 3].map(|()| scale * f64::from(random.next_normal()));
            let (near, lost) = (10f64.powi(-(round % 5)), vector(10f64.powi(-(round / 5 % 6))));
            let (x, moved) = (vector(1.0), vector(near));
            let q: [f64; 3] = std::array::from_fn(|i| x[i] + moved[i]);
            let held: [f64; 3] = std::array::from_fn(|i| x[i] + lost[i]);
            let norm = |a: &[f64; 3]| a.iter().map(|a| a * a).sum::<f64>().sqrt();
            let least = turned(cosine_distance(&q, &held), norm(&lost) / norm(&x));
            let exact = cosine_distance(&q, &x);
            assert!(least <= exact + 1e-12, "{least} {exact}: {q:?} {x:?} {held:?}");
        }
        // A tenth of the angle is lost, not of the distance.
        let (angle, lost) = (0.014f64, 0.0014);
        assert!(turned(1.0 - angle.cos(), lost) > 0.8 * (1.0 - angle.cos()));
        assert_eq!((turned(1e-9, 0.1), turned(1.0, 1.0), turned(2.0, 0.0)), (0.0, 0.0, 2.0));
    }
}
