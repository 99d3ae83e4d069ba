//! Casts between sparse vectors, dense ones and arrays, and to a type modifier.

use half::{bf16, f16};

use super::{SparseBuf, SparseRef, TYPE, check};
use crate::pg::array::ArrayRef;
use crate::pg::error::Report;
use crate::pg::function::{Ignored, pg_export};
use crate::types::dense::check::{element, typmod as check_typmod};
use crate::types::dense::{DenseBuf, DenseRef, Element};
use crate::types::{array, error};

pg_export! { "sparsevec":
    to_sparsevec => to_sparsevec;
    from_array => from_array;
    from_vector => from_dense::<f32>;
    from_halfvec => from_dense::<f16>;
    from_bf16vec => from_dense::<bf16>;
    from_i8vec => from_dense::<i8>;
    to_vector => to_dense::<f32>;
    to_halfvec => to_dense::<f16>;
    to_bf16vec => to_dense::<bf16>;
    to_i8vec => to_dense::<i8>;
}

/// `sparsevec` to `sparsevec(n)`: the value itself, if it has n dimensions.
fn to_sparsevec(
    vector: SparseRef<'_>,
    typmod: i32,
    _explicit: Ignored,
) -> Result<SparseRef<'_>, Report> {
    check_typmod(typmod, vector.dims())?;
    Ok(vector)
}

/// `int[]`, `real[]`, `float8[]` or `numeric[]` to `sparsevec(n)`. Numbers become `real` first.
fn from_array(array: ArrayRef, typmod: i32, _explicit: Ignored) -> Result<SparseBuf, Report> {
    array::check_shape(&array)?;
    check_typmod(typmod, check::dims(array.len() as i64)?)?;
    from_numbers(array::numbers(&array)?.into_iter())
}

/// A dense type to `sparsevec(n)`.
fn from_dense<E: Element>(
    dense: DenseRef<E>,
    typmod: i32,
    _explicit: Ignored,
) -> Result<SparseBuf, Report> {
    check_typmod(typmod, dense.len())?;
    from_numbers(dense.iter().map(|x| x.to_f32()))
}

/// The numbers that are not zero; checks that they are finite.
fn from_numbers(numbers: impl ExactSizeIterator<Item = f32>) -> Result<SparseBuf, Report> {
    let dims = numbers.len();
    let elements: Vec<_> = (0..).zip(numbers).filter(|&(_, x)| x != 0.0).collect();
    check::nnz(elements.len())?;
    elements.iter().try_for_each(|&(_, x)| check::finite(x))?;
    SparseBuf::from_elements(dims, &elements)
}

/// `sparsevec` to a dense type: each element becomes the nearest one, ties to even.
fn to_dense<E: Element>(
    sparse: SparseRef,
    typmod: i32,
    _explicit: Ignored,
) -> Result<DenseBuf<E>, Report> {
    let mut dense = DenseBuf::zeroed(sparse.dims())?;
    check_typmod(typmod, sparse.dims())?;
    for (index, x) in sparse.elements() {
        let out = dense.as_mut().get_mut(index as usize);
        *out.ok_or_else(|| error::corrupted(TYPE))? = element(x)?;
    }
    Ok(dense)
}
