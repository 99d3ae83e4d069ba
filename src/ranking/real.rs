//! Arithmetic of scores, which are `real`: what is too large becomes infinite, and what is too small 0,
//! where the operators of PostgreSQL would end the query.

use crate::pg::function::pg_functions;

pg_functions! {
    /// The nearest `real`.
    fn as_score(value: f64) -> f32 {
        value as f32
    }

    /// What a factor leaves of a score: nothing where the factor is unknown or no number.
    fn faded(score: Option<f64>, factor: Option<f64>) -> f32 {
        let product = score.zip(factor).map(|(score, factor)| (score * factor) as f32);
        product.filter(|product| !product.is_nan()).unwrap_or(0.0)
    }
}
