//! Casts: among the dense types, from and to arrays, to a type modifier.

use pgrx::PgSqlErrorCode::{ERRCODE_DATA_EXCEPTION, ERRCODE_NULL_VALUE_NOT_ALLOWED};
use pgrx::pg_sys;

use super::{DenseBuf, DenseRef, Element, check};
use crate::pg::array::{ArrayBuf, ArrayRef, Item};
use crate::pg::error::Report;
use crate::pg::function::Ignored;

/// `vector` to `vector(n)`: the value itself, if it has n dimensions.
pub fn check_typmod<E: Element>(
    vector: DenseRef<'_, E>,
    typmod: i32,
    _explicit: Ignored,
) -> Result<DenseRef<'_, E>, Report> {
    check::typmod(typmod, vector.len())?;
    Ok(vector)
}

/// One dense type to another: each element becomes the nearest one, ties to even.
pub fn convert<A: Element, B: Element>(
    vector: DenseRef<A>,
    typmod: i32,
    _explicit: Ignored,
) -> Result<DenseBuf<B>, Report> {
    check::typmod(typmod, vector.len())?;
    nearest(vector.iter().map(|x| x.to_f32()))
}

/// `int[]`, `real[]`, `float8[]` or `numeric[]` to `vector(n)`. Numbers become `real` first.
pub fn from_array<E: Element>(
    array: ArrayRef,
    typmod: i32,
    _explicit: Ignored,
) -> Result<DenseBuf<E>, Report> {
    if array.n_dims() > 1 {
        return Err(Report::new(ERRCODE_DATA_EXCEPTION, "array must be 1-D"));
    }
    if array.has_nulls() {
        let message = "array must not contain nulls";
        return Err(Report::new(ERRCODE_NULL_VALUE_NOT_ALLOWED, message));
    }
    check::dims::<E>(array.len())?;
    check::typmod(typmod, array.len())?;
    match array.item_type() {
        pg_sys::INT4OID => from_items(&array, |x: i32| x as f32),
        pg_sys::FLOAT4OID => from_items(&array, |x: f32| x),
        pg_sys::FLOAT8OID => from_items(&array, |x: f64| x as f32),
        pg_sys::NUMERICOID => nearest(array.numerics_as_f32()?.into_iter()),
        _ => Err(Report::new(ERRCODE_DATA_EXCEPTION, "unsupported array type")),
    }
}

/// To `real[]`.
pub fn to_float4<E: Element>(
    vector: DenseRef<E>,
    _typmod: Ignored,
    _explicit: Ignored,
) -> Result<ArrayBuf<f32>, Report> {
    let mut array = ArrayBuf::zeroed(vector.len())?;
    array.items_mut().iter_mut().zip(vector.iter()).for_each(|(out, x)| *out = x.to_f32());
    Ok(array)
}

fn from_items<E: Element, T: Item>(
    array: &ArrayRef,
    to_f32: impl Fn(T) -> f32,
) -> Result<DenseBuf<E>, Report> {
    nearest(array.items::<T>()?.iter().map(|&item| to_f32(item)))
}

/// The vector of the elements nearest to these numbers.
fn nearest<E: Element>(numbers: impl ExactSizeIterator<Item = f32>) -> Result<DenseBuf<E>, Report> {
    let mut vector = DenseBuf::zeroed(numbers.len())?;
    for (out, number) in vector.as_mut().iter_mut().zip(numbers) {
        *out = check::element(number)?;
    }
    Ok(vector)
}
