//! Distances of vectors of numbers. The kernels decide how they are summed: in single precision, or
//! exactly for integers.

use super::numbers::{Numbers, for_each_number_type};
use crate::pg::error::Report;
use crate::pg::function::pg_export;

macro_rules! export {
    ($type:literal, $vector:ty) => {
        pg_export! { $type:
            l2_distance => l2::<$vector>;
            l2_squared_distance => l2_squared::<$vector>;
            inner_product => inner_product::<$vector>;
            negative_inner_product => negative_inner_product::<$vector>;
            cosine_distance => cosine::<$vector>;
            l1_distance => l1::<$vector>;
            dims => |vector: $vector| vector.n_dims() as i32; // at most a billion
        }
    };
}
for_each_number_type!(export);

/// Operator `<->`.
#[inline(always)]
pub fn l2<'a, V: Numbers<'a>>(a: V, b: V) -> Result<f64, Report> {
    l2_squared(a, b).map(f64::sqrt)
}

/// The square of the Euclidean distance.
#[inline(always)]
fn l2_squared<'a, V: Numbers<'a>>(a: V, b: V) -> Result<f64, Report> {
    a.check_same_dims(&b)?;
    Ok(a.l2_squared(&b))
}

/// The inner product.
#[inline(always)]
fn inner_product<'a, V: Numbers<'a>>(a: V, b: V) -> Result<f64, Report> {
    a.check_same_dims(&b)?;
    Ok(a.inner_product(&b))
}

/// Operator `<#>`.
#[inline(always)]
pub fn negative_inner_product<'a, V: Numbers<'a>>(a: V, b: V) -> Result<f64, Report> {
    inner_product(a, b).map(|product| -product)
}

/// Operator `<=>`: 1 - cos. NaN if a vector is zero.
#[inline(always)]
pub fn cosine<'a, V: Numbers<'a>>(a: V, b: V) -> Result<f64, Report> {
    a.check_same_dims(&b)?;
    let terms = a.cosine_terms(&b);
    let norms = (terms.norm_a * terms.norm_b).sqrt();
    Ok(1.0 - (terms.dot / norms).clamp(-1.0, 1.0))
}

/// Operator `<+>`.
#[inline(always)]
fn l1<'a, V: Numbers<'a>>(a: V, b: V) -> Result<f64, Report> {
    a.check_same_dims(&b)?;
    Ok(a.l1(&b))
}
