//! `avg` and `sum`. Their state is a `float8[]`: the number of vectors, then the sum of each
//! element; `{0}` before the first vector. Nothing is rounded but the result.

use pgrx::pg_sys;

use super::{DenseBuf, DenseRef, Element, check};
use crate::pg::array::{ArrayBuf, ArrayRef};
use crate::pg::error::Report;
use crate::pg::function::Call;
use crate::types::error;

/// Transition function of `avg`.
pub fn accumulate<E: Element>(
    call: Call,
    state: ArrayRef,
    vector: DenseRef<E>,
) -> Result<ArrayBuf<f64>, Report> {
    add_vector(call, state, &vector, "accum", |state, vector| {
        error::unexpected_dims(state as i64, vector)
    })
}

/// Transition function of `sum`, which says like `+` that dimensions differ.
pub fn accumulate_sum<E: Element>(
    call: Call,
    state: ArrayRef,
    vector: DenseRef<E>,
) -> Result<ArrayBuf<f64>, Report> {
    add_vector(call, state, &vector, "sum_accum", |state, vector| {
        error::different_dims(E::TYPE, state, vector)
    })
}

/// Combine function of parallel aggregation.
pub fn combine<E: Element>(a: ArrayRef, b: ArrayRef) -> Result<ArrayBuf<f64>, Report> {
    let (n_a, a) = parts::<E>(&a, "combine")?;
    let (n_b, b) = parts::<E>(&b, "combine")?;
    let n = n_a + n_b;
    let (sums, addend) = if a.is_empty() { (b, a) } else { (a, b) };
    if sums.is_empty() {
        return new_state(n, [].into_iter());
    }
    check::dims::<E>(sums.len())?;
    let mut state = new_state(n, sums.iter().copied())?;
    if !addend.is_empty() {
        if sums.len() != addend.len() {
            return Err(error::unexpected_dims(sums.len() as i64, addend.len()));
        }
        add(&mut state.items_mut()[1..], addend.iter().copied())?;
    }
    Ok(state)
}

/// Final function of `avg`: NULL of no vectors.
pub fn avg<E: Element>(state: ArrayRef) -> Result<Option<DenseBuf<E::Total>>, Report> {
    let (n, sums) = parts::<E>(&state, "avg")?;
    total(n, sums, |sum| check::element((sum / n) as f32))
}

/// Final function of `sum`: NULL of no vectors.
pub fn sum<E: Element>(state: ArrayRef) -> Result<Option<DenseBuf<E::Total>>, Report> {
    let (n, sums) = parts::<E>(&state, "sum")?;
    total(n, sums, |sum| {
        let sum = sum as f32;
        if E::Total::fits(sum) { Ok(E::Total::from_f32(sum)) } else { Err(error::overflow()) }
    })
}

/// Number of vectors and sums of a state, which may come from anywhere.
fn parts<'s, E: Element>(state: &'s ArrayRef, caller: &str) -> Result<(f64, &'s [f64]), Report> {
    let plausible =
        state.n_dims() == 1 && state.item_type() == pg_sys::FLOAT8OID && !state.has_null_bitmap();
    match (plausible, plausible.then(|| state.items::<f64>()).transpose()?) {
        (true, Some([n, sums @ ..])) => Ok((*n, sums)),
        _ => Err(Report::internal(format!("{}_{caller}: expected state array", E::TYPE))),
    }
}

/// Adds a vector to a state; `mismatch` tells that one has other dimensions than the other.
fn add_vector<E: Element>(
    call: Call,
    state: ArrayRef,
    vector: &[E],
    caller: &str,
    mismatch: impl Fn(usize, usize) -> Report,
) -> Result<ArrayBuf<f64>, Report> {
    let numbers = vector.iter().map(|x| f64::from(x.to_f32()));
    let (n, sums) = parts::<E>(&state, caller)?;
    if sums.is_empty() {
        return new_state(n + 1.0, numbers);
    }
    if sums.len() != vector.len() {
        return Err(mismatch(sums.len(), vector.len()));
    }
    let mut state = match call.in_aggregate {
        true => state.into_buf::<f64>(),
        false => new_state(n, sums.iter().copied())?,
    };
    if let [n, sums @ ..] = state.items_mut() {
        *n += 1.0;
        add(sums, numbers)?;
    }
    Ok(state)
}

fn new_state(n: f64, sums: impl ExactSizeIterator<Item = f64>) -> Result<ArrayBuf<f64>, Report> {
    let mut state = ArrayBuf::zeroed(sums.len() + 1)?;
    if let [first, rest @ ..] = state.items_mut() {
        *first = n;
        rest.iter_mut().zip(sums).for_each(|(out, sum)| *out = sum);
    }
    Ok(state)
}

fn add(sums: &mut [f64], addend: impl Iterator<Item = f64>) -> Result<(), Report> {
    for (sum, x) in sums.iter_mut().zip(addend) {
        *sum += x;
        if sum.is_infinite() {
            return Err(error::overflow());
        }
    }
    Ok(())
}

/// The vector of `result` of each sum; none of no vectors.
fn total<T: Element>(
    n: f64,
    sums: &[f64],
    result: impl Fn(f64) -> Result<T, Report>,
) -> Result<Option<DenseBuf<T>>, Report> {
    if n == 0.0 {
        return Ok(None);
    }
    let mut total = DenseBuf::zeroed(sums.len())?;
    for (out, &sum) in total.as_mut().iter_mut().zip(sums) {
        *out = result(sum)?;
    }
    Ok(Some(total))
}
