//! Arithmetic of scores, which are `real`: what is too large becomes infinite, and what is too
//! small 0, where the operators of PostgreSQL would end the query.

use crate::pg::function::pg_functions;

pg_functions! {
    /// The nearest `real`.
    fn as_score(value: f64) -> f32 {
        value as f32
    }

    /// What a factor leaves of a score: nothing where one of them is no number.
    fn faded(score: f64, factor: f64) -> f32 {
        let product = (score * factor) as f32;
        if product.is_nan() { 0.0 } else { product }
    }
}
