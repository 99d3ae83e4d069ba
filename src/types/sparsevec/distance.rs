//! Distances and norms. The kernels decide how distances are summed; norms of one vector are
//! summed in double precision.

use kernels::sparse;

use super::{SparseBuf, SparseRef, check};
use crate::pg::error::Report;
use crate::pg::function::pg_functions;
use crate::types::cost::{self, Internal};

pg_functions! {
    /// Operator `<->`.
    fn sparsevec_l2_distance(a: SparseRef, b: SparseRef) -> Result<f64, Report> {
        l2(a, b)
    }

    fn sparsevec_l2_squared_distance(a: SparseRef, b: SparseRef) -> Result<f64, Report> {
        check::same_dims(&a, &b)?;
        Ok(sparse::l2_squared(a.view(), b.view()).into())
    }

    fn sparsevec_inner_product(a: SparseRef, b: SparseRef) -> Result<f64, Report> {
        check::same_dims(&a, &b)?;
        Ok(sparse::inner_product(a.view(), b.view()).into())
    }

    /// Whether both have an element at one index.
    fn sparsevec_overlap(a: SparseRef, b: SparseRef) -> Result<bool, Report> {
        check::same_dims(&a, &b)?;
        Ok(sparse::overlap(a.view(), b.view()))
    }

    /// Operator `<#>`.
    fn sparsevec_negative_inner_product(a: SparseRef, b: SparseRef) -> Result<f64, Report> {
        negative_inner_product(a, b)
    }

    /// Operator `<=>`: 1 - cos. NaN if a vector is zero.
    fn sparsevec_cosine_distance(a: SparseRef, b: SparseRef) -> Result<f64, Report> {
        cosine(a, b)
    }

    /// Operator `<+>`.
    fn sparsevec_l1_distance(a: SparseRef, b: SparseRef) -> Result<f64, Report> {
        check::same_dims(&a, &b)?;
        Ok(sparse::l1(a.view(), b.view()).into())
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

    /// Planner support of the distances.
    fn sparsevec_distance_support(request: Internal) -> Internal {
        cost::sparse_distance_support(request)
    }
}

/// Euclidean norm.
fn norm(vector: &SparseRef) -> f64 {
    let squares = vector.values().iter().map(|&x| f64::from(x) * f64::from(x));
    squares.fold(0.0, |sum, x| sum + x).sqrt()
}

/// Operator `<->`.
pub fn l2(a: SparseRef, b: SparseRef) -> Result<f64, Report> {
    check::same_dims(&a, &b)?;
    Ok(f64::from(sparse::l2_squared(a.view(), b.view())).sqrt())
}

/// Operator `<#>`.
pub fn negative_inner_product(a: SparseRef, b: SparseRef) -> Result<f64, Report> {
    check::same_dims(&a, &b)?;
    Ok((-sparse::inner_product(a.view(), b.view())).into())
}

/// Operator `<=>`. 1 - cos. NaN if a vector is zero.
pub fn cosine(a: SparseRef, b: SparseRef) -> Result<f64, Report> {
    check::same_dims(&a, &b)?;
    let terms = sparse::cosine_terms(a.view(), b.view());
    let norms = (f64::from(terms.norm_a) * f64::from(terms.norm_b)).sqrt();
    Ok(1.0 - (f64::from(terms.dot) / norms).clamp(-1.0, 1.0))
}
