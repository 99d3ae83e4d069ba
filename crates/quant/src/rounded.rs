//! Distances to vectors that were rounded so that what was lost is orthogonal to them (see
//! [`encode_coarse`](crate::encode_coarse)).

use crate::bound::{cosine_is_safe, product_is_safe, rounding, vanishing};
use crate::metric::Metric;

/// How far from zero the product of two random directions may come, in deviations: rows for which
/// it comes farther, one of 30,000, may be returned out of order.
const DEVIATIONS: f64 = 4.0;

/// Norm of a query below which rotating and multiplying it loses too much.
const LEAST_NORM: f64 = 1e-30;

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
    /// Dimensions.
    pub dims: usize,
}

/// How far a rounded vector is from a query.
#[derive(Clone, Copy, Debug)]
pub struct RoundedDistance {
    /// A number that the distance to the vector itself is not below; minus infinity where nothing is
    /// known.
    pub distance: f64,
    /// The estimated reduced distance (see [`Metric`]).
    pub reduced: f32,
    /// The part of the query along the vector, for inner products; else 1.
    pub alpha: f32,
}

impl Rounded {
    /// The distance by `metric`, of those that keep under rotation.
    pub fn distance(&self, metric: Metric) -> RoundedDistance {
        let reduced = self.reduced(metric) as f32;
        let by_product = metric == Metric::InnerProduct;
        let alpha = if by_product { (self.product / (self.x * self.x)) as f32 } else { 1.0 };
        RoundedDistance {
            distance: self.least(metric),
            reduced: if reduced.is_nan() { f32::INFINITY } else { reduced },
            alpha: if alpha.is_finite() { alpha } else { 0.0 },
        }
    }

    fn reduced(&self, metric: Metric) -> f64 {
        let Self { q, x, product, .. } = *self;
        match metric {
            Metric::InnerProduct => -product,
            Metric::Cosine => 2.0 - 2.0 * product / (q * x),
            Metric::L2 | Metric::L1 | Metric::Hamming | Metric::Jaccard => {
                (q * q + x * x - 2.0 * product).max(0.0)
            }
        }
    }

    fn least(&self, metric: Metric) -> f64 {
        let Self { q, x, dims, .. } = *self;
        let (most, rounding) = (self.largest_product(), rounding(dims));
        let least = match metric {
            Metric::InnerProduct if product_is_safe(q, x) => {
                -most - 2.0 * rounding * q * x - vanishing(dims)
            }
            // A zero query. Last in any order.
            Metric::Cosine if q == 0.0 => f64::INFINITY,
            Metric::Cosine if cosine_is_safe(q, x) => 1.0 - most / (q * x) - 2.0 * rounding,
            Metric::InnerProduct | Metric::Cosine => f64::NEG_INFINITY,
            Metric::L2 | Metric::L1 | Metric::Hamming | Metric::Jaccard => {
                let squares = q * q + x * x;
                let least = squares - 2.0 * most - 2.0 * rounding * squares - vanishing(dims);
                least.max(0.0).sqrt()
            }
        };
        if least.is_nan() { f64::NEG_INFINITY } else { least }
    }

    /// The largest that the inner product of the query with the vector itself can be.
    ///
    /// With k = part · error it solves product = a - k·√(q² - a²/x²): only that part of the query
    /// which is orthogonal to the vector meets what was lost.
    fn largest_product(&self) -> f64 {
        let Self { q, x, product, error, part, .. } = *self;
        if !product.is_finite() || !error.is_finite() || q < LEAST_NORM {
            return q * x;
        }
        let k = part * error;
        let grown = 1.0 + (k / x).powi(2);
        let orthogonal = (q * q * grown - (product / x).powi(2)).max(0.0).sqrt();
        let largest = (product + k * orthogonal) / grown;
        // Not a number where the vector is zero, or too long to tell its norm.
        if largest.is_nan() { q * x } else { largest.min(q * x) }
    }
}
