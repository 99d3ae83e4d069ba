//! Allocation that reports failure instead of ending the process.

use super::BuildError;

/// A vector of what `items` yields, exactly `len` of them.
pub(super) fn collect<T>(len: usize, items: impl Iterator<Item = T>) -> Result<Vec<T>, BuildError> {
    let mut vec = Vec::new();
    vec.try_reserve_exact(len).map_err(|_| BuildError::OutOfMemory)?;
    vec.extend(items.take(len));
    Ok(vec)
}

/// `len` copies of `value`.
pub(super) fn filled<T: Clone>(len: usize, value: T) -> Result<Vec<T>, BuildError> {
    collect(len, std::iter::repeat_n(value, len))
}
