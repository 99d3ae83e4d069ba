//! Distances and norms. Elements are multiplied and summed in single precision by the SIMD
//! kernels, norms of one vector in double precision.

use super::error::check_same_dims;
use super::{VectorBuf, VectorError, VectorRef};
use crate::pg::error::Report;
use crate::pg::function::pg_functions;

pg_functions! {
    /// Operator `<->`.
    fn l2_distance(a: VectorRef, b: VectorRef) -> Result<f64, VectorError> {
        check_same_dims(&a, &b)?;
        Ok(f64::from(kernels::l2_squared(&a, &b)).sqrt())
    }

    fn vector_l2_squared_distance(a: VectorRef, b: VectorRef) -> Result<f64, VectorError> {
        check_same_dims(&a, &b)?;
        Ok(f64::from(kernels::l2_squared(&a, &b)))
    }

    fn inner_product(a: VectorRef, b: VectorRef) -> Result<f64, VectorError> {
        check_same_dims(&a, &b)?;
        Ok(f64::from(kernels::inner_product(&a, &b)))
    }

    /// Operator `<#>`.
    fn vector_negative_inner_product(a: VectorRef, b: VectorRef) -> Result<f64, VectorError> {
        check_same_dims(&a, &b)?;
        Ok(f64::from(-kernels::inner_product(&a, &b)))
    }

    /// Operator `<=>`: 1 - cos. NaN if a vector is zero.
    fn cosine_distance(a: VectorRef, b: VectorRef) -> Result<f64, VectorError> {
        check_same_dims(&a, &b)?;
        let terms = kernels::cosine_terms(&a, &b);
        let norms = (f64::from(terms.norm_a) * f64::from(terms.norm_b)).sqrt();
        Ok(1.0 - (f64::from(terms.dot) / norms).clamp(-1.0, 1.0))
    }

    /// Operator `<+>`.
    fn l1_distance(a: VectorRef, b: VectorRef) -> Result<f64, VectorError> {
        check_same_dims(&a, &b)?;
        Ok(f64::from(kernels::l1(&a, &b)))
    }

    /// Angle between unit vectors as part of a half turn; a metric, which 1 - cos is not.
    fn vector_spherical_distance(a: VectorRef, b: VectorRef) -> Result<f64, VectorError> {
        check_same_dims(&a, &b)?;
        let cos = f64::from(kernels::inner_product(&a, &b)).clamp(-1.0, 1.0);
        Ok(cos.acos() / std::f64::consts::PI)
    }

    fn vector_dims(vector: VectorRef) -> i32 {
        vector.len() as i32 // at most MAX_DIMS
    }

    fn vector_norm(vector: VectorRef) -> f64 {
        norm(&vector)
    }

    /// The vector divided by its norm; the zero vector stays.
    fn l2_normalize(vector: VectorRef) -> Result<VectorBuf, Report> {
        let norm = norm(&vector);
        let mut result = VectorBuf::zeroed(vector.len())?;
        if norm > 0.0 {
            for (out, &x) in result.as_mut().iter_mut().zip(vector.iter()) {
                *out = (f64::from(x) / norm) as f32;
            }
        }
        Ok(result)
    }
}

/// Euclidean norm.
fn norm(vector: &[f32]) -> f64 {
    // Several sums, as one would have each addition wait for the last.
    const LANES: usize = 8;
    let (chunks, rest) = vector.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for chunk in chunks {
        for (sum, &x) in sums.iter_mut().zip(chunk) {
            *sum += f64::from(x) * f64::from(x);
        }
    }
    let rest: f64 = rest.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
    (sums.iter().sum::<f64>() + rest).sqrt()
}
