//! Bounds of scores, which are `real`.

use pgrx::PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;

use crate::pg::error::Report;

/// The interval of a range search, as Milvus has it. Of distances,
/// `range_filter <= score < radius`; of similarities, `radius < score <= range_filter`.
pub struct Bounds {
    /// The outer bound.
    pub radius: f32,
    /// The inner bound.
    pub range_filter: Option<f32>,
}

impl Bounds {
    /// Of the bounds that a user gives.
    pub fn new(radius: f64, range_filter: Option<f64>) -> Bounds {
        Bounds { radius: nearest(radius), range_filter: range_filter.map(nearest) }
    }

    /// Whether a bound is no number.
    pub fn has_nan(&self) -> bool {
        self.radius.is_nan() || self.range_filter.is_some_and(f32::is_nan)
    }

    /// Checks that scores of a metric can lie between the bounds.
    ///
    /// # Errors
    /// Where the inner bound is not nearer than the outer one.
    pub fn check(&self, metric: &str, is_similarity: bool) -> Result<(), Report> {
        let Bounds { radius, range_filter: Some(filter) } = *self else { return Ok(()) };
        let (is_nearer, relation) =
            if is_similarity { (filter > radius, "greater") } else { (filter < radius, "less") };
        if is_nearer {
            return Ok(());
        }
        let message = format!(
            "metric type ({metric}), range_filter({filter}) must be {relation} than \
             radius({radius})"
        );
        Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message))
    }

    /// Whether neither a score nor a farther one is inside.
    pub fn ends_before(&self, score: f32, is_similarity: bool) -> bool {
        let is_inside = if is_similarity { score > self.radius } else { score < self.radius };
        !is_inside
    }

    /// Whether a score is inside.
    pub fn contains(&self, score: f32, is_similarity: bool) -> bool {
        let is_too_near = |filter| if is_similarity { score > filter } else { score < filter };
        !self.ends_before(score, is_similarity) && !self.range_filter.is_some_and(is_too_near)
    }
}

/// The `real` that a bound means, given as `double precision`: the nearest, as 0.9 means the score
/// that shows as 0.9. Only 0 becomes 0, so that a score of 0 is below any positive bound.
pub fn nearest(bound: f64) -> f32 {
    let real = bound as f32;
    if real == 0.0 && bound != 0.0 { f32::from_bits(1).copysign(real) } else { real }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn bounds_keep_their_side() {
        for exact in [0.0, 0.5, -2.25, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(f64::from(nearest(exact)), exact);
        }
        assert_eq!(nearest(0.9), 0.9);
        assert_eq!(nearest(1e300), f32::INFINITY);
        assert!(nearest(1e-300) > 0.0 && nearest(-1e-300) < 0.0);
        assert!(nearest(f64::NAN).is_nan());
    }
}
