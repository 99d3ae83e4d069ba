//! Distances and norms. The kernels decide how distances are summed (single precision, or exactly
//! for integers); norms of one vector are summed in double precision.

use super::{DenseBuf, DenseRef, Element, check};
use crate::pg::error::Report;

/// Operator `<->`.
#[inline(always)]
pub fn l2<E: Element>(a: DenseRef<E>, b: DenseRef<E>) -> Result<f64, Report> {
    check::same_dims(&a, &b)?;
    Ok(kernels::l2_squared::<E>(&a, &b).into().sqrt())
}

/// The square of the Euclidean distance.
#[inline(always)]
pub fn l2_squared<E: Element>(a: DenseRef<E>, b: DenseRef<E>) -> Result<f64, Report> {
    check::same_dims(&a, &b)?;
    Ok(kernels::l2_squared::<E>(&a, &b).into())
}

/// The inner product.
#[inline(always)]
pub fn inner_product<E: Element>(a: DenseRef<E>, b: DenseRef<E>) -> Result<f64, Report> {
    check::same_dims(&a, &b)?;
    Ok(kernels::inner_product::<E>(&a, &b).into())
}

/// Operator `<#>`.
#[inline(always)]
pub fn negative_inner_product<E: Element>(a: DenseRef<E>, b: DenseRef<E>) -> Result<f64, Report> {
    check::same_dims(&a, &b)?;
    Ok(-kernels::inner_product::<E>(&a, &b).into())
}

/// Operator `<=>`: 1 - cos. NaN if a vector is zero.
#[inline(always)]
pub fn cosine<E: Element>(a: DenseRef<E>, b: DenseRef<E>) -> Result<f64, Report> {
    check::same_dims(&a, &b)?;
    let terms = kernels::cosine_terms::<E>(&a, &b);
    let norms = (terms.norm_a.into() * terms.norm_b.into()).sqrt();
    Ok(1.0 - (terms.dot.into() / norms).clamp(-1.0, 1.0))
}

/// Operator `<+>`.
#[inline(always)]
pub fn l1<E: Element>(a: DenseRef<E>, b: DenseRef<E>) -> Result<f64, Report> {
    check::same_dims(&a, &b)?;
    Ok(kernels::l1::<E>(&a, &b).into())
}

/// Angle between unit vectors as part of a half turn; a metric, which 1 - cos is not.
pub fn spherical<E: Element>(a: DenseRef<E>, b: DenseRef<E>) -> Result<f64, Report> {
    check::same_dims(&a, &b)?;
    let cos = kernels::inner_product::<E>(&a, &b).into().clamp(-1.0, 1.0);
    Ok(cos.acos() / std::f64::consts::PI)
}

/// Number of dimensions.
pub fn dims<E: Element>(vector: DenseRef<E>) -> i32 {
    vector.len() as i32 // at most MAX_DIMS
}

/// Euclidean norm.
pub fn norm<E: Element>(vector: DenseRef<E>) -> f64 {
    norm_of(&vector)
}

/// The vector divided by its norm; the zero vector stays.
pub fn normalize<E: Element>(vector: DenseRef<E>) -> Result<DenseBuf<E>, Report> {
    let norm = norm_of(&vector);
    let mut result = DenseBuf::zeroed(vector.len())?;
    if norm > 0.0 {
        for (out, x) in result.as_mut().iter_mut().zip(vector.iter()) {
            *out = E::from_f32((f64::from(x.to_f32()) / norm) as f32);
        }
    }
    Ok(result)
}

fn norm_of<E: Element>(vector: &[E]) -> f64 {
    // Several sums, as one would have each addition wait for the last.
    const LANES: usize = 8;
    let square = |x: &E| f64::from(x.to_f32()) * f64::from(x.to_f32());
    let (chunks, rest) = vector.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for chunk in chunks {
        sums.iter_mut().zip(chunk).for_each(|(sum, x)| *sum += square(x));
    }
    let rest: f64 = rest.iter().map(square).sum();
    (sums.iter().sum::<f64>() + rest).sqrt()
}
