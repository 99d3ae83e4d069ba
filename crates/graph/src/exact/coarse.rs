//! Distances to vectors that were rounded so that what was lost is orthogonal to them (see
//! [`quant::encode_coarse`]).

use quant::Metric;

use super::Exact;

/// How far from zero the product of two random directions may come, in deviations: rows for which
/// it comes farther, one of 30,000, may be returned out of order.
const DEVIATIONS: f64 = 4.0;

/// The part of its length that a random direction has along another at most, in `dims` dimensions.
pub(super) fn random_part(dims: usize) -> f64 {
    (DEVIATIONS / (dims as f64 - 1.0).max(1.0).sqrt()).min(1.0)
}

/// A query and a rounded vector.
pub(super) struct OfRounded {
    /// Norm of the query.
    pub(super) q: f64,
    /// Norm of the vector before it was rounded.
    pub(super) x: f64,
    /// The inner product of the query with the rounded vector.
    pub(super) product: f64,
    /// Length of what was lost.
    pub(super) error: f64,
    /// The part of `error` that may lie along the query.
    pub(super) part: f64,
    /// What rounding of sums may be off by, as a part of their size.
    pub(super) rounding: f64,
}

impl OfRounded {
    pub(super) fn exact(&self, metric: Metric) -> Exact {
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
        Exact {
            distance: match distance {
                // A zero query under cosine. Last in any order.
                distance if distance.is_nan() && q == 0.0 => f64::INFINITY,
                distance if distance.is_nan() => f64::NEG_INFINITY,
                distance => distance,
            },
            certain: false,
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
