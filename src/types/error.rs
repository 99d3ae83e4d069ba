//! What can be wrong with a vector. Messages and SQLSTATEs are pgvector's; `of` is the SQL name of
//! the type.

use pgrx::PgSqlErrorCode::*;

use crate::pg::error::{Report, printable};

/// Two vectors that must have the same number of dimensions do not.
#[cold]
pub fn different_dims(of: &str, a: usize, b: usize) -> Report {
    Report::new(ERRCODE_DATA_EXCEPTION, format!("different {of} dimensions {a} and {b}"))
}

/// Not the number of dimensions that the type modifier or a state says.
#[cold]
pub fn unexpected_dims(expected: i64, actual: usize) -> Report {
    Report::new(ERRCODE_DATA_EXCEPTION, format!("expected {expected} dimensions, not {actual}"))
}

/// A vector without elements.
#[cold]
pub fn no_dims(of: &str) -> Report {
    Report::new(ERRCODE_DATA_EXCEPTION, format!("{of} must have at least 1 dimension"))
}

/// More dimensions than the type allows.
#[cold]
pub fn too_many_dims(of: &str, max: usize) -> Report {
    let message = format!("{of} cannot have more than {max} dimensions");
    Report::new(ERRCODE_PROGRAM_LIMIT_EXCEEDED, message)
}

/// An element that is not a number.
#[cold]
pub fn nan(of: &str) -> Report {
    Report::new(ERRCODE_DATA_EXCEPTION, format!("NaN not allowed in {of}"))
}

/// An element that is infinite.
#[cold]
pub fn infinite(of: &str) -> Report {
    Report::new(ERRCODE_DATA_EXCEPTION, format!("infinite value not allowed in {of}"))
}

/// A literal that is not the text of a vector, and what is wrong with it, if that is known.
#[cold]
pub fn syntax(of: &str, literal: &[u8], detail: Option<&str>) -> Report {
    let literal = printable(literal);
    let message = format!("invalid input syntax for type {of}: \"{literal}\"");
    let report = Report::new(ERRCODE_INVALID_TEXT_REPRESENTATION, message);
    match detail {
        Some(detail) => report.detail(detail),
        None => report,
    }
}

/// A number, as it was written, that an element cannot hold.
#[cold]
pub fn out_of_range(of: &str, number: &[u8]) -> Report {
    let message = format!("\"{}\" is out of range for type {of}", printable(number));
    Report::new(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, message)
}

/// A result that is too large for an element.
#[cold]
pub fn overflow() -> Report {
    Report::new(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow")
}

/// A result that became zero although no operand is.
#[cold]
pub fn underflow() -> Report {
    Report::new(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: underflow")
}

/// A datum whose length and dimensions disagree.
#[cold]
pub fn corrupted(of: &str) -> Report {
    Report::new(ERRCODE_DATA_CORRUPTED, format!("invalid value of type {of}"))
}
