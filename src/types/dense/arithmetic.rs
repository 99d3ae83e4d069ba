//! `+ - * ||`, parts and signs of vectors.

use super::round::{CHUNK, nearest};
use super::{DenseBuf, DenseRef, Element, check};
use crate::pg::error::Report;
use crate::types::bit::BitsBuf;
use crate::types::error;

/// Operator `+`.
pub fn add<E: Element>(a: DenseRef<E>, b: DenseRef<E>) -> Result<DenseBuf<E>, Report> {
    elementwise(&a, &b, |a, b| a + b)
}

/// Operator `-`.
pub fn sub<E: Element>(a: DenseRef<E>, b: DenseRef<E>) -> Result<DenseBuf<E>, Report> {
    elementwise(&a, &b, |a, b| a - b)
}

/// Operator `*`: element by element.
pub fn mul<E: Element>(a: DenseRef<E>, b: DenseRef<E>) -> Result<DenseBuf<E>, Report> {
    let mut product = elementwise(&a, &b, |a, b| a * b)?;
    let zero = E::from_f32(0.0);
    let is_zero = |x: E| x == zero;
    let factors = a.iter().zip(b.iter());
    let underflow = product
        .as_mut()
        .iter()
        .zip(factors)
        .fold(false, |any, (&x, (&a, &b))| any | (is_zero(x) & !is_zero(a) & !is_zero(b)));
    if underflow { Err(error::underflow()) } else { Ok(product) }
}

/// Operator `||`.
pub fn concat<E: Element>(a: DenseRef<E>, b: DenseRef<E>) -> Result<DenseBuf<E>, Report> {
    let mut result = DenseBuf::zeroed(a.len() + b.len())?;
    let (head, tail) = result.as_mut().split_at_mut(a.len());
    head.copy_from_slice(&a);
    tail.copy_from_slice(&b);
    Ok(result)
}

/// `count` elements from the `start`-th (the first is 1) on, clipped like `substring`.
pub fn subvector<E: Element>(
    vector: DenseRef<E>,
    start: i32,
    count: i32,
) -> Result<DenseBuf<E>, Report> {
    if count < 1 {
        return Err(error::no_dims(E::TYPE));
    }
    let position = |n: i64| usize::try_from(n - 1).unwrap_or(0).min(vector.len());
    let start = i64::from(start);
    let (from, to) = (position(start), position(start + i64::from(count)));
    check::dims::<E>(to.saturating_sub(from))?;
    DenseBuf::from_slice(&vector[from..to])
}

/// One bit an element: 1 where it is positive.
pub fn binary_quantize<E: Element>(vector: DenseRef<E>) -> Result<BitsBuf, Report> {
    let mut bits = BitsBuf::zeroed(vector.len())?;
    for (byte, elements) in bits.bytes_mut().iter_mut().zip(vector.chunks(8)) {
        let signs = elements.iter().enumerate();
        *byte = signs.fold(0, |byte, (i, x)| byte | u8::from(x.to_f32() > 0.0) << (7 - i));
    }
    Ok(bits)
}

/// Applies `op` to each pair of elements; results out of range are an error.
fn elementwise<E: Element>(
    a: &[E],
    b: &[E],
    op: impl Fn(f32, f32) -> f32,
) -> Result<DenseBuf<E>, Report> {
    check::same_dims(a, b)?;
    let mut space = [[0.0; CHUNK]; 2];
    let result = nearest(a.len(), |at, out| {
        let [space_a, space_b] = &mut space;
        let part = at..at + out.len();
        let a = E::widen(&a[part.clone()], &mut space_a[..out.len()]);
        let b = E::widen(&b[part], &mut space_b[..out.len()]);
        out.iter_mut().zip(a.iter().zip(b)).for_each(|(out, (&a, &b))| *out = op(a, b));
    });
    result?.ok_or_else(error::overflow)
}
