//! Distances to vectors that were rounded so that what was lost is orthogonal to them (see
//! [`encode_coarse`](crate::encode_coarse)).

use crate::metric::Metric;

/// How far from zero the product of two random directions may come, in deviations: rows for which
/// it comes farther, one of 30,000, may be returned out of order.
const DEVIATIONS: f64 = 4.0;

/// The part of its length that a random direction has along another at most, in `dims` dimensions.
pub fn random_part(dims: usize) -> f64 {
    (DEVIATIONS / (dims as f64 - 1.0).max(1.0).sqrt()).min(1.0)
}

/// What is known of a query and a rounded vector.
#[derive(Clone, Copy, Debug)]
pub struct Rounded {
    /// Norm of the query.
    pub q: f64,
    /// Norm of the vector before it was rounded.
    pub x: f64,
    /// The inner product of the query with the rounded vector.
    pub product: f64,
    /// Length of what was lost.
    pub error: f64,
    /// The part of `error` that may lie along the query.
    pub part: f64,
    /// What rounding of sums may be off by, as a part of their size.
    pub rounding: f64,
}

/// How far a rounded vector is from a query.
#[derive(Clone, Copy, Debug)]
pub struct RoundedDistance {
    /// A number that the distance to the vector itself is not below; minus infinity where nothing is
    /// known.
    pub distance: f64,
    /// The estimated rank (see [`Metric`]).
    pub rank: f32,
    /// The part of the query along the vector, for inner products; else 1.
    pub alpha: f32,
}

impl Rounded {
    /// The distance by `metric`, of those that keep under rotation.
    pub fn distance(&self, metric: Metric) -> RoundedDistance {
        let Self { q, x, product, .. } = *self;
        let most = self.largest_product();
        let size = 2.0 * self.rounding * q * x;
        let squares = q * q + x * x;
        let mut alpha = 1.0;
        let (distance, rank) = match metric {
            Metric::InnerProduct => {
                alpha = (product / (x * x)) as f32;
                (-most - size, -product)
            }
            Metric::Cosine => {
                (1.0 - most / (q * x) - 2.0 * self.rounding, 2.0 - 2.0 * product / (q * x))
            }
            Metric::L2 | Metric::L1 | Metric::Hamming | Metric::Jaccard => {
                let least = squares - 2.0 * most - 2.0 * self.rounding * squares;
                (least.max(0.0).sqrt(), (squares - 2.0 * product).max(0.0))
            }
        };
        let rank = rank as f32;
        RoundedDistance {
            distance: match distance {
                // A zero query under cosine. Last in any order.
                distance if distance.is_nan() && q == 0.0 => f64::INFINITY,
                distance if distance.is_nan() => f64::NEG_INFINITY,
                distance => distance,
            },
            rank: if rank.is_nan() { f32::INFINITY } else { rank },
            alpha: if alpha.is_finite() { alpha } else { 0.0 },
        }
    }

    /// The largest that the inner product of the query with the vector itself can be.
    ///
    /// With k = part · error it solves product = a - k·√(q² - a²/x²): only that part of the query
    /// which is orthogonal to the vector meets what was lost.
    fn largest_product(&self) -> f64 {
        let Self { q, x, product, error, part, .. } = *self;
        let k = part * error;
        let grown = 1.0 + (k / x).powi(2);
        let orthogonal = (q * q * grown - (product / x).powi(2)).max(0.0).sqrt();
        let largest = (product + k * orthogonal) / grown;
        // Not a number where the vector is zero.
        if largest.is_nan() { q * x } else { largest.min(q * x) }
    }
}
