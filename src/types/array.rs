//! Arrays that casts make vectors of.

use pgrx::PgSqlErrorCode::{ERRCODE_DATA_EXCEPTION, ERRCODE_NULL_VALUE_NOT_ALLOWED};
use pgrx::pg_sys;

use crate::pg::array::{ArrayRef, Item};
use crate::pg::error::Report;

/// Checks that an array can stand for a vector: one dimension, no nulls.
pub fn check_shape(array: &ArrayRef) -> Result<(), Report> {
    if array.n_dims() > 1 {
        return Err(Report::new(ERRCODE_DATA_EXCEPTION, "array must be 1-D"));
    }
    if array.has_nulls() {
        let message = "array must not contain nulls";
        return Err(Report::new(ERRCODE_NULL_VALUE_NOT_ALLOWED, message));
    }
    Ok(())
}

/// The items of an `int[]`, `real[]`, `float8[]` or `numeric[]` of that shape, each as `real`.
pub fn numbers(array: &ArrayRef) -> Result<Vec<f32>, Report> {
    match array.item_type() {
        pg_sys::INT4OID => converted(array, |x: i32| x as f32),
        pg_sys::FLOAT4OID => converted(array, |x: f32| x),
        pg_sys::FLOAT8OID => converted(array, |x: f64| x as f32),
        pg_sys::NUMERICOID => array.numerics_as_f32(),
        _ => Err(Report::new(ERRCODE_DATA_EXCEPTION, "unsupported array type")),
    }
}

fn converted<T: Item>(array: &ArrayRef, to_f32: impl Fn(T) -> f32) -> Result<Vec<f32>, Report> {
    Ok(array.items::<T>()?.iter().map(|&item| to_f32(item)).collect())
}
