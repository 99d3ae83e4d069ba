//! Distances and norms. Elements are multiplied and summed in single precision, norms of one
//! vector in double precision.

use super::value::union;
use super::{SparseBuf, SparseRef, check};
use crate::pg::error::Report;
use crate::pg::function::pg_functions;

pg_functions! {
    /// Operator `<->`.
    fn sparsevec_l2_distance(a: SparseRef, b: SparseRef) -> Result<f64, Report> {
        Ok(l2_squared(&a, &b)?.sqrt())
    }

    fn sparsevec_l2_squared_distance(a: SparseRef, b: SparseRef) -> Result<f64, Report> {
        l2_squared(&a, &b)
    }

    fn sparsevec_inner_product(a: SparseRef, b: SparseRef) -> Result<f64, Report> {
        inner_product(&a, &b)
    }

    /// Operator `<#>`.
    fn sparsevec_negative_inner_product(a: SparseRef, b: SparseRef) -> Result<f64, Report> {
        Ok(-inner_product(&a, &b)?)
    }

    /// Operator `<=>`: 1 - cos. NaN if a vector is zero.
    fn sparsevec_cosine_distance(a: SparseRef, b: SparseRef) -> Result<f64, Report> {
        let (dot, norm_a, norm_b) = cosine_terms(&a, &b)?;
        Ok(1.0 - (dot / (norm_a * norm_b).sqrt()).clamp(-1.0, 1.0))
    }

    /// Operator `<+>`.
    fn sparsevec_l1_distance(a: SparseRef, b: SparseRef) -> Result<f64, Report> {
        check::same_dims(&a, &b)?;
        Ok(sum(union(&a, &b).map(|(_, x, y)| (x - y).abs())))
    }

    fn sparsevec_dims(vector: SparseRef) -> i32 {
        vector.dims() as i32 // at most MAX_DIMS
    }

    fn sparsevec_l2_norm(vector: SparseRef) -> f64 {
        norm(&vector)
    }

    /// The vector divided by its norm; the zero vector stays.
    fn sparsevec_l2_normalize(vector: SparseRef) -> Result<SparseBuf, Report> {
        let norm = norm(&vector);
        let scaled = vector.elements().map(|(i, x)| (i.into(), (f64::from(x) / norm) as f32));
        SparseBuf::from_elements(vector.dims(), &scaled.collect::<Vec<_>>())
    }
}

/// Squared Euclidean distance.
pub fn l2_squared(a: &SparseRef, b: &SparseRef) -> Result<f64, Report> {
    check::same_dims(a, b)?;
    Ok(sum(union(a, b).map(|(_, x, y)| (x - y) * (x - y))))
}

/// Sum of the products of elements that both have.
pub fn inner_product(a: &SparseRef, b: &SparseRef) -> Result<f64, Report> {
    check::same_dims(a, b)?;
    Ok(sum(union(a, b).map(|(_, x, y)| x * y)))
}

/// The inner product and both squared norms.
pub fn cosine_terms(a: &SparseRef, b: &SparseRef) -> Result<(f64, f64, f64), Report> {
    let square = |values| f64::from(kernels::inner_product(values, values));
    Ok((inner_product(a, b)?, square(a.values()), square(b.values())))
}

/// Euclidean norm.
fn norm(vector: &SparseRef) -> f64 {
    let squares = vector.values().iter().map(|&x| f64::from(x) * f64::from(x));
    squares.fold(0.0, |sum, x| sum + x).sqrt()
}

/// The sum; 0 of nothing, where Rust has -0.
fn sum(terms: impl Iterator<Item = f32>) -> f64 {
    terms.fold(0.0, |sum, x| sum + x).into()
}
