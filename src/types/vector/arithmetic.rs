//! `+ - * ||`, parts and signs of vectors.

use super::error::{check_dims, check_same_dims};
use super::{VectorBuf, VectorError, VectorRef};
use crate::pg::error::Report;
use crate::pg::function::pg_functions;
use crate::types::bit::BitsBuf;

pg_functions! {
    fn vector_add(a: VectorRef, b: VectorRef) -> Result<VectorBuf, Report> {
        elementwise(&a, &b, |a, b| a + b)
    }

    fn vector_sub(a: VectorRef, b: VectorRef) -> Result<VectorBuf, Report> {
        elementwise(&a, &b, |a, b| a - b)
    }

    fn vector_mul(a: VectorRef, b: VectorRef) -> Result<VectorBuf, Report> {
        let mut product = elementwise(&a, &b, |a, b| a * b)?;
        let factors = a.iter().zip(b.iter());
        let underflow = product.as_mut().iter().zip(factors).fold(false, |any, (&x, (&a, &b))| {
            any | ((x == 0.0) & (a != 0.0) & (b != 0.0))
        });
        if underflow {
            Err(VectorError::Underflow)?;
        }
        Ok(product)
    }

    fn vector_concat(a: VectorRef, b: VectorRef) -> Result<VectorBuf, Report> {
        let mut result = VectorBuf::zeroed(a.len() + b.len())?;
        let (head, tail) = result.as_mut().split_at_mut(a.len());
        head.copy_from_slice(&a);
        tail.copy_from_slice(&b);
        Ok(result)
    }

    /// `count` elements from the `start`-th (the first is 1) on, clipped like `substring`.
    fn subvector(vector: VectorRef, start: i32, count: i32) -> Result<VectorBuf, Report> {
        if count < 1 {
            Err(VectorError::NoDims)?;
        }
        let position = |n: i64| usize::try_from(n - 1).unwrap_or(0).min(vector.len());
        let start = i64::from(start);
        let (from, to) = (position(start), position(start + i64::from(count)));
        check_dims(to.saturating_sub(from))?;
        VectorBuf::from_slice(&vector[from..to])
    }

    /// One bit an element: 1 where it is positive.
    fn binary_quantize(vector: VectorRef) -> Result<BitsBuf, Report> {
        let mut bits = BitsBuf::zeroed(vector.len())?;
        for (byte, elements) in bits.bytes_mut().iter_mut().zip(vector.chunks(8)) {
            let signs = elements.iter().enumerate();
            *byte = signs.fold(0, |byte, (i, &x)| byte | u8::from(x > 0.0) << (7 - i));
        }
        Ok(bits)
    }
}

/// Applies `op` to each pair of elements; infinite results are an error.
fn elementwise(a: &[f32], b: &[f32], op: impl Fn(f32, f32) -> f32) -> Result<VectorBuf, Report> {
    check_same_dims(a, b)?;
    let mut result = VectorBuf::zeroed(a.len())?;
    for (out, (&a, &b)) in result.as_mut().iter_mut().zip(a.iter().zip(b)) {
        *out = op(a, b);
    }
    // Without an early end, so that the compiler can check several elements at once.
    if result.as_mut().iter().fold(false, |any, x| any | x.is_infinite()) {
        Err(VectorError::Overflow)?;
    }
    Ok(result)
}
