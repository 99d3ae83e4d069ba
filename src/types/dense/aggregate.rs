//! `avg` and `sum`. Their state is a `float8[]`: the number of vectors, then the sum of each
//! element; `{0}` before the first vector. Nothing is rounded but the result.

use pgrx::pg_sys;

use super::round::{nearest, widened};
use super::{DenseBuf, DenseRef, Element, check};
use crate::pg::array::{AggregateState, ArrayBuf, ArrayRef};
use crate::pg::error::Report;
use crate::types::error;

/// Transition function of `avg`.
pub fn accumulate<E: Element>(
    state: AggregateState,
    vector: DenseRef<E>,
) -> Result<ArrayBuf<f64>, Report> {
    add_vector(state, &vector, "accum", |state, vector| {
        error::unexpected_dims(state as i64, vector)
    })
}

/// Transition function of `sum`, which says like `+` that dimensions differ.
pub fn accumulate_sum<E: Element>(
    state: AggregateState,
    vector: DenseRef<E>,
) -> Result<ArrayBuf<f64>, Report> {
    add_vector(state, &vector, "sum_accum", |state, vector| {
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
        if !add(&mut state.items_mut()[1..], addend.iter().copied()) {
            return Err(error::overflow());
        }
    }
    Ok(state)
}

/// Final function of `avg`: NULL of no vectors.
pub fn avg<E: Element>(state: ArrayRef) -> Result<Option<DenseBuf<E::Total>>, Report> {
    let (n, sums) = parts::<E>(&state, "avg")?;
    total(n, sums, |sum| (sum / n) as f32, check::misfit::<E::Total>)
}

/// Final function of `sum`: NULL of no vectors.
pub fn sum<E: Element>(state: ArrayRef) -> Result<Option<DenseBuf<E::Total>>, Report> {
    let (n, sums) = parts::<E>(&state, "sum")?;
    total(n, sums, |sum| sum as f32, |_| error::overflow())
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
    state: AggregateState,
    vector: &[E],
    caller: &str,
    mismatch: impl Fn(usize, usize) -> Report,
) -> Result<ArrayBuf<f64>, Report> {
    let (n, sums) = parts::<E>(state.array(), caller)?;
    if sums.is_empty() {
        return new_state(n + 1.0, vector.iter().map(|x| x.to_f32().into()));
    }
    if sums.len() != vector.len() {
        return Err(mismatch(sums.len(), vector.len()));
    }
    let mut state = match state.is_own() {
        true => state.into_buf::<f64>()?,
        false => new_state(n, sums.iter().copied())?,
    };
    if let [n, sums @ ..] = state.items_mut() {
        *n += 1.0;
        let mut fits = true;
        widened(vector, |at, numbers| {
            fits &= add(&mut sums[at..], numbers.iter().map(|&x| x.into()));
        });
        if !fits {
            return Err(error::overflow());
        }
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

/// Adds to sums; whether all stay finite.
fn add(sums: &mut [f64], addend: impl Iterator<Item = f64>) -> bool {
    sums.iter_mut().zip(addend).fold(true, |fits, (sum, x)| {
        *sum += x;
        fits & !sum.is_infinite()
    })
}

/// The vector of `number` of each sum, none of no vectors; `misfit` tells what is wrong with a
/// number that no element fits.
fn total<T: Element>(
    n: f64,
    sums: &[f64],
    number: impl Fn(f64) -> f32,
    misfit: impl Fn(f32) -> Report,
) -> Result<Option<DenseBuf<T>>, Report> {
    if n == 0.0 {
        return Ok(None);
    }
    let total = nearest(sums.len(), |at, out| {
        out.iter_mut().zip(&sums[at..]).for_each(|(out, &sum)| *out = number(sum));
    })?;
    if total.is_none() {
        let misfits = sums.iter().map(|&sum| number(sum)).find(|&number| !T::fits(number));
        return Err(misfit(misfits.unwrap_or(f32::NAN)));
    }
    Ok(total)
}
