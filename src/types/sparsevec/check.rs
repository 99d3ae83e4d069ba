//! Checks of dimensions, indices and elements.

use pgrx::PgSqlErrorCode::{ERRCODE_DATA_EXCEPTION, ERRCODE_PROGRAM_LIMIT_EXCEEDED};

use super::{MAX_DIMS, MAX_NNZ, SparseRef, TYPE};
use crate::pg::error::Report;
use crate::types::error;

/// A number of dimensions within the limits of the type.
pub fn dims(dims: i64) -> Result<usize, Report> {
    match usize::try_from(dims) {
        Ok(0) | Err(_) => Err(error::no_dims(TYPE)),
        Ok(dims @ 1..=MAX_DIMS) => Ok(dims),
        Ok(_) => Err(error::too_many_dims(TYPE, MAX_DIMS)),
    }
}

/// Checks a number of elements against the limit of the type.
pub fn nnz(nnz: usize) -> Result<(), Report> {
    if nnz <= MAX_NNZ {
        return Ok(());
    }
    let message = format!("sparsevec cannot have more than {MAX_NNZ} non-zero elements");
    Err(Report::new(ERRCODE_PROGRAM_LIMIT_EXCEEDED, message))
}

/// An index (from 0) within the dimensions and behind the one before it.
#[inline]
pub fn index(index: i64, before: Option<u32>, dims: usize) -> Result<u32, Report> {
    let invalid = |what| Err(Report::new(ERRCODE_DATA_EXCEPTION, format!("sparsevec {what}")));
    match u32::try_from(index) {
        Ok(index) if (index as usize) < dims => match before {
            Some(before) if index < before => invalid("indices must be in ascending order"),
            Some(before) if index == before => invalid("indices must not contain duplicates"),
            Some(_) | None => Ok(index),
        },
        Ok(_) | Err(_) => invalid("index out of bounds"),
    }
}

/// Checks the indices of a value that came from a page: an index may keep it for long.
pub fn indices(vector: &SparseRef) -> Result<(), Report> {
    let indices = vector.indices();
    let within = indices.last().is_none_or(|&last| (last as usize) < vector.dims());
    let sound = within && indices.len() <= MAX_NNZ && indices.is_sorted_by(|a, b| a < b);
    if sound { Ok(()) } else { Err(error::corrupted(TYPE)) }
}

/// Checks that an element is finite.
#[inline]
pub fn finite(x: f32) -> Result<(), Report> {
    if x.is_nan() {
        Err(error::nan(TYPE))
    } else if x.is_infinite() {
        Err(error::infinite(TYPE))
    } else {
        Ok(())
    }
}
