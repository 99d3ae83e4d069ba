//! Computing with elements as `f32`, a few at a time, so that the compiler and the CPU can convert
//! several at once.

use super::{DenseBuf, Element};
use crate::pg::error::Report;

/// Elements at a time.
pub const CHUNK: usize = 128;

/// The vector of the elements nearest to `dims` numbers; `None` where one does not fit. `fill` is
/// given a position and writes the numbers from there on, at most [`CHUNK`].
pub fn nearest<E: Element>(
    dims: usize,
    mut fill: impl FnMut(usize, &mut [f32]),
) -> Result<Option<DenseBuf<E>>, Report> {
    let mut vector = DenseBuf::<E>::zeroed(dims)?;
    let mut numbers = [0.0; CHUNK];
    let mut fits = true;
    for (i, out) in vector.as_mut().chunks_mut(CHUNK).enumerate() {
        let numbers = &mut numbers[..out.len()];
        fill(i * CHUNK, numbers);
        // Without an early end, which would have each number wait for the last.
        fits &= numbers.iter().fold(true, |fits, &number| fits & E::fits(number));
        E::narrow(numbers, out);
    }
    Ok(fits.then_some(vector))
}

/// Calls `each` with the numbers that the elements are, at most [`CHUNK`] at a time, and the
/// position of the first.
pub fn widened<E: Element>(elements: &[E], mut each: impl FnMut(usize, &[f32])) {
    let mut space = [0.0; CHUNK];
    for (i, elements) in elements.chunks(CHUNK).enumerate() {
        each(i * CHUNK, E::widen(elements, &mut space[..elements.len()]));
    }
}
