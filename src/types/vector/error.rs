//! What can be wrong with a vector.

use pgrx::PgSqlErrorCode;

use super::MAX_DIMS;
use crate::pg::error::Report;

/// An error about a value of type `vector`; messages and SQLSTATEs are pgvector's.
#[derive(Clone, Debug, PartialEq)]
pub enum VectorError {
    /// Two vectors that must have the same number of dimensions do not.
    DifferentDims(usize, usize),
    /// Not the number of dimensions that the column or the state has.
    UnexpectedDims {
        /// What the type modifier or the state says.
        expected: i64,
        /// What the value has.
        actual: usize,
    },
    /// A vector without elements.
    NoDims,
    /// More than [`MAX_DIMS`] elements.
    TooManyDims,
    /// An element that is not a number.
    Nan,
    /// An element that is infinite.
    Infinite,
    /// A literal that is not the text of a vector.
    Syntax {
        /// The whole literal.
        literal: String,
        /// What is wrong with it, if that is known.
        detail: Option<&'static str>,
    },
    /// A number that a single-precision one cannot hold.
    OutOfRange {
        /// The number as written.
        token: String,
    },
    /// A result that is too large for a single-precision number.
    Overflow,
    /// A result that became zero although no operand is.
    Underflow,
    /// A datum whose length and dimensions disagree.
    Corrupted,
}

impl From<VectorError> for Report {
    fn from(error: VectorError) -> Report {
        use PgSqlErrorCode::*;
        use VectorError::*;
        match error {
            DifferentDims(a, b) => Report::new(
                ERRCODE_DATA_EXCEPTION,
                format!("different vector dimensions {a} and {b}"),
            ),
            UnexpectedDims { expected, actual } => Report::new(
                ERRCODE_DATA_EXCEPTION,
                format!("expected {expected} dimensions, not {actual}"),
            ),
            NoDims => Report::new(ERRCODE_DATA_EXCEPTION, "vector must have at least 1 dimension"),
            TooManyDims => Report::new(
                ERRCODE_PROGRAM_LIMIT_EXCEEDED,
                format!("vector cannot have more than {MAX_DIMS} dimensions"),
            ),
            Nan => Report::new(ERRCODE_DATA_EXCEPTION, "NaN not allowed in vector"),
            Infinite => Report::new(ERRCODE_DATA_EXCEPTION, "infinite value not allowed in vector"),
            Syntax { literal, detail } => {
                let report = Report::new(
                    ERRCODE_INVALID_TEXT_REPRESENTATION,
                    format!("invalid input syntax for type vector: \"{literal}\""),
                );
                match detail {
                    Some(detail) => report.detail(detail),
                    None => report,
                }
            }
            OutOfRange { token } => Report::new(
                ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
                format!("\"{token}\" is out of range for type vector"),
            ),
            Overflow => {
                Report::new(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow")
            }
            Underflow => {
                Report::new(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: underflow")
            }
            Corrupted => Report::new(ERRCODE_DATA_CORRUPTED, "invalid value of type vector"),
        }
    }
}

/// Checks that two vectors have the same number of dimensions.
#[inline]
pub fn check_same_dims(a: &[f32], b: &[f32]) -> Result<(), VectorError> {
    if a.len() == b.len() { Ok(()) } else { Err(VectorError::DifferentDims(a.len(), b.len())) }
}

/// Checks a number of dimensions against the limits of the type.
pub fn check_dims(dims: usize) -> Result<(), VectorError> {
    match dims {
        0 => Err(VectorError::NoDims),
        1..=MAX_DIMS => Ok(()),
        _ => Err(VectorError::TooManyDims),
    }
}

/// Checks a number of dimensions against a type modifier (-1: none).
pub fn check_typmod(typmod: i32, dims: usize) -> Result<(), VectorError> {
    if typmod == -1 || usize::try_from(typmod) == Ok(dims) {
        Ok(())
    } else {
        Err(VectorError::UnexpectedDims { expected: typmod.into(), actual: dims })
    }
}

/// Checks that an element is finite.
#[inline]
pub fn check_element(x: f32) -> Result<(), VectorError> {
    if x.is_nan() {
        Err(VectorError::Nan)
    } else if x.is_infinite() {
        Err(VectorError::Infinite)
    } else {
        Ok(())
    }
}
