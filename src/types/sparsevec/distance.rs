//! Norms, which are summed in double precision, and whether two vectors overlap.

use kernels::sparse;

use super::{SparseBuf, SparseRef};
use crate::pg::error::Report;
use crate::pg::function::pg_functions;
use crate::types::numbers::Numbers;

pg_functions! {
    /// Whether both have an element at one index.
    fn sparsevec_overlap(a: SparseRef, b: SparseRef) -> Result<bool, Report> {
        a.check_same_dims(&b)?;
        Ok(sparse::overlap(a.view(), b.view()))
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

/// Euclidean norm.
fn norm(vector: &SparseRef) -> f64 {
    let squares = vector.values().iter().map(|&x| f64::from(x) * f64::from(x));
    squares.fold(0.0, |sum, x| sum + x).sqrt()
}
