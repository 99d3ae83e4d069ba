//! `+ - *` and parts of sparse vectors.

use super::value::union;
use super::{SparseBuf, SparseRef, TYPE, check};
use crate::pg::error::Report;
use crate::pg::function::pg_functions;
use crate::types::error;
use crate::types::numbers::Numbers;

pg_functions! {
    fn sparsevec_add(a: SparseRef, b: SparseRef) -> Result<SparseBuf, Report> {
        elementwise(&a, &b, |x, y| Ok(x + y))
    }

    fn sparsevec_sub(a: SparseRef, b: SparseRef) -> Result<SparseBuf, Report> {
        elementwise(&a, &b, |x, y| Ok(x - y))
    }

    fn sparsevec_mul(a: SparseRef, b: SparseRef) -> Result<SparseBuf, Report> {
        elementwise(&a, &b, |x, y| {
            let product = x * y;
            let underflow = product == 0.0 && x != 0.0 && y != 0.0;
            if underflow { Err(error::underflow()) } else { Ok(product) }
        })
    }

    /// `count` dimensions from the `start`-th (the first is 1) on, clipped like `substring`.
    fn sparsevec_subvector(
        vector: SparseRef,
        start: i32,
        count: i32,
    ) -> Result<SparseBuf, Report> {
        if count < 1 {
            return Err(error::no_dims(TYPE));
        }
        let position = |n: i64| (n - 1).clamp(0, vector.dims() as i64);
        let start = i64::from(start);
        let (from, to) = (position(start), position(start + i64::from(count)));
        let elements = vector.elements().map(|(index, x)| (i64::from(index), x));
        let part = elements.filter(|(index, _)| (from..to).contains(index));
        let part: Vec<_> = part.map(|(index, x)| (index - from, x)).collect();
        SparseBuf::from_elements(check::dims(to - from)?, &part)
    }
}

/// Applies `op` to each pair of elements of which one is not zero; infinite results are an error.
fn elementwise(
    a: &SparseRef,
    b: &SparseRef,
    op: impl Fn(f32, f32) -> Result<f32, Report>,
) -> Result<SparseBuf, Report> {
    a.check_same_dims(b)?;
    let results = union(a, b).map(|(index, x, y)| match op(x, y)? {
        result if result.is_infinite() => Err(error::overflow()),
        result => Ok((index.into(), result)),
    });
    let results = results.collect::<Result<Vec<_>, Report>>()?;
    SparseBuf::from_elements(a.dims(), &results)
}
