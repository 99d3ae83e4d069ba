//! Casts: among the dense types, from and to arrays, to a type modifier.

use super::{DenseBuf, DenseRef, Element, check};
use crate::pg::array::{ArrayBuf, ArrayRef};
use crate::pg::error::Report;
use crate::pg::function::Ignored;
use crate::types::array;

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
    array::check_shape(&array)?;
    check::dims::<E>(array.len())?;
    check::typmod(typmod, array.len())?;
    nearest(array::numbers(&array)?.into_iter())
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

/// The vector of the elements nearest to these numbers.
fn nearest<E: Element>(numbers: impl ExactSizeIterator<Item = f32>) -> Result<DenseBuf<E>, Report> {
    let mut vector = DenseBuf::zeroed(numbers.len())?;
    for (out, number) in vector.as_mut().iter_mut().zip(numbers) {
        *out = check::element(number)?;
    }
    Ok(vector)
}
