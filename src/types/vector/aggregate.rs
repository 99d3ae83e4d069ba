//! `avg(vector)`. Its state is a `float8[]`: the number of vectors, then the sum of each element;
//! `{0}` before the first vector. (`sum(vector)` needs nothing but `vector_add`.)

use pgrx::pg_sys;

use super::error::{check_dims, check_element};
use super::{VectorBuf, VectorError, VectorRef};
use crate::pg::array::{ArrayBuf, ArrayRef};
use crate::pg::error::Report;
use crate::pg::function::{Call, pg_functions};

pg_functions! {
    /// Transition function.
    fn vector_accum(call: Call, state: ArrayRef, vector: VectorRef) -> Result<ArrayBuf<f64>, Report> {
        let (n, sums) = parts(&state, "vector_accum")?;
        if sums.is_empty() {
            return new_state(n + 1.0, vector.iter().map(|&x| f64::from(x)));
        }
        check_state_dims(sums.len(), vector.len())?;
        let mut state = match call.in_aggregate {
            true => state.into_buf::<f64>(),
            false => new_state(n, sums.iter().copied())?,
        };
        if let [n, sums @ ..] = state.items_mut() {
            *n += 1.0;
            add(sums, vector.iter().map(|&x| f64::from(x)))?;
        }
        Ok(state)
    }

    /// Combine function of parallel aggregation.
    fn vector_combine(a: ArrayRef, b: ArrayRef) -> Result<ArrayBuf<f64>, Report> {
        let (n_a, a) = parts(&a, "vector_combine")?;
        let (n_b, b) = parts(&b, "vector_combine")?;
        let n = n_a + n_b;
        let (sums, addend) = if a.is_empty() { (b, a) } else { (a, b) };
        if sums.is_empty() {
            return new_state(n, [].into_iter());
        }
        check_dims(sums.len())?;
        let mut state = new_state(n, sums.iter().copied())?;
        if !addend.is_empty() {
            check_state_dims(sums.len(), addend.len())?;
            add(&mut state.items_mut()[1..], addend.iter().copied())?;
        }
        Ok(state)
    }

    /// Final function: NULL of no vectors.
    fn vector_avg(state: ArrayRef) -> Result<Option<VectorBuf>, Report> {
        let (n, sums) = parts(&state, "vector_avg")?;
        if n == 0.0 {
            return Ok(None);
        }
        let mut avg = VectorBuf::zeroed(sums.len())?;
        for (out, &sum) in avg.as_mut().iter_mut().zip(sums) {
            *out = (sum / n) as f32;
            check_element(*out)?;
        }
        Ok(Some(avg))
    }
}

/// Number of vectors and sums of a state, which may come from anywhere.
fn parts<'s>(state: &'s ArrayRef, caller: &str) -> Result<(f64, &'s [f64]), Report> {
    let plausible =
        state.n_dims() == 1 && state.item_type() == pg_sys::FLOAT8OID && !state.has_null_bitmap();
    match (plausible, plausible.then(|| state.items::<f64>()).transpose()?) {
        (true, Some([n, sums @ ..])) => Ok((*n, sums)),
        _ => Err(Report::internal(format!("{caller}: expected state array"))),
    }
}

fn new_state(n: f64, sums: impl ExactSizeIterator<Item = f64>) -> Result<ArrayBuf<f64>, Report> {
    let mut state = ArrayBuf::zeroed(sums.len() + 1)?;
    if let [first, rest @ ..] = state.items_mut() {
        *first = n;
        rest.iter_mut().zip(sums).for_each(|(out, sum)| *out = sum);
    }
    Ok(state)
}

fn check_state_dims(expected: usize, actual: usize) -> Result<(), VectorError> {
    if expected == actual {
        Ok(())
    } else {
        Err(VectorError::UnexpectedDims { expected: expected as i64, actual })
    }
}

fn add(sums: &mut [f64], addend: impl Iterator<Item = f64>) -> Result<(), VectorError> {
    for (sum, x) in sums.iter_mut().zip(addend) {
        *sum += x;
        if sum.is_infinite() {
            return Err(VectorError::Overflow);
        }
    }
    Ok(())
}
