//! Casts: among the dense types, from and to arrays, to a type modifier.

use super::round::{CHUNK, nearest, widened};
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
    let mut space = [0.0; CHUNK];
    let converted = nearest(vector.len(), |at, out| {
        let elements = &vector[at..at + out.len()];
        out.copy_from_slice(A::widen(elements, &mut space[..out.len()]));
    });
    converted?.ok_or_else(|| misfit::<B>(vector.iter().map(|x| x.to_f32())))
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
    let numbers = array::numbers(&array)?;
    let converted = nearest(numbers.len(), |at, out| {
        out.copy_from_slice(&numbers[at..at + out.len()]);
    });
    converted?.ok_or_else(|| misfit::<E>(numbers.iter().copied()))
}

/// To `real[]`.
pub fn to_float4<E: Element>(
    vector: DenseRef<E>,
    _typmod: Ignored,
    _explicit: Ignored,
) -> Result<ArrayBuf<f32>, Report> {
    let mut array = ArrayBuf::zeroed(vector.len())?;
    let items = array.items_mut();
    widened(&vector, |at, numbers| items[at..at + numbers.len()].copy_from_slice(numbers));
    Ok(array)
}

/// What is wrong with the first of these numbers that no element fits.
#[cold]
fn misfit<E: Element>(mut numbers: impl Iterator<Item = f32>) -> Report {
    check::misfit::<E>(numbers.find(|&number| !E::fits(number)).unwrap_or(f32::NAN))
}
