//! Casts between vectors and arrays, and to a type modifier.

use pgrx::PgSqlErrorCode::{ERRCODE_DATA_EXCEPTION, ERRCODE_NULL_VALUE_NOT_ALLOWED};
use pgrx::pg_sys;

use super::error::{check_dims, check_element, check_typmod};
use super::{VectorBuf, VectorError, VectorRef};
use crate::pg::array::{ArrayBuf, ArrayRef, Item};
use crate::pg::error::Report;
use crate::pg::function::{Ignored, pg_functions};

pg_functions! {
    /// `vector` to `vector(n)`: the value itself, if it has n dimensions.
    fn vector_to_vector<'a>(
        vector: VectorRef<'a>,
        typmod: i32,
        _explicit: Ignored,
    ) -> Result<VectorRef<'a>, VectorError> {
        check_typmod(typmod, vector.len())?;
        Ok(vector)
    }

    /// `int[]`, `real[]`, `float8[]` or `numeric[]` to `vector(n)`.
    fn array_to_vector(array: ArrayRef, typmod: i32, _explicit: Ignored) -> Result<VectorBuf, Report> {
        if array.n_dims() > 1 {
            return Err(Report::new(ERRCODE_DATA_EXCEPTION, "array must be 1-D"));
        }
        if array.has_nulls() {
            let message = "array must not contain nulls";
            return Err(Report::new(ERRCODE_NULL_VALUE_NOT_ALLOWED, message));
        }
        check_dims(array.len())?;
        check_typmod(typmod, array.len())?;
        match array.item_type() {
            pg_sys::INT4OID => from_items(&array, |x: i32| x as f32),
            pg_sys::FLOAT4OID => from_items(&array, |x: f32| x),
            pg_sys::FLOAT8OID => from_items(&array, |x: f64| x as f32),
            pg_sys::NUMERICOID => finite(&array.numerics_as_f32()?),
            _ => Err(Report::new(ERRCODE_DATA_EXCEPTION, "unsupported array type")),
        }
    }

    fn vector_to_float4(
        vector: VectorRef,
        _typmod: Ignored,
        _explicit: Ignored,
    ) -> Result<ArrayBuf<f32>, Report> {
        let mut array = ArrayBuf::zeroed(vector.len())?;
        array.items_mut().copy_from_slice(&vector);
        Ok(array)
    }
}

fn from_items<T: Item>(array: &ArrayRef, to_f32: impl Fn(T) -> f32) -> Result<VectorBuf, Report> {
    let items = array.items::<T>()?;
    finite(&items.iter().map(|&item| to_f32(item)).collect::<Vec<_>>())
}

fn finite(elements: &[f32]) -> Result<VectorBuf, Report> {
    elements.iter().try_for_each(|&x| check_element(x))?;
    VectorBuf::from_slice(elements)
}
