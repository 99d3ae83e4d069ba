//! What an indexed column must be.

#![allow(unsafe_code)] // asks PostgreSQL for a column

use pgrx::PgSqlErrorCode::{
    ERRCODE_FEATURE_NOT_SUPPORTED, ERRCODE_INVALID_PARAMETER_VALUE, ERRCODE_PROGRAM_LIMIT_EXCEEDED,
};
use pgrx::pg_sys::{self, Relation};

use crate::pg::error::Report;
use crate::pg::relation;

/// Dimensions of the column of a new index of access method `method`, 1..=`most`.
///
/// # Errors
/// Where the column has none, or more, or its values differ in length.
///
/// # Safety
/// `index` is open.
pub unsafe fn dims(index: Relation, most: usize, method: &str) -> Result<usize, Report> {
    // SAFETY: `index` is open, and has a column, number 1.
    let (of, typmod) = unsafe { relation::type_and_modifier(index, 1) };
    if of == pg_sys::VARBITOID {
        let message = format!("type not supported for {method} index");
        return Err(Report::new(ERRCODE_FEATURE_NOT_SUPPORTED, message)
            .hint("Bit strings in an index have one length: cast the column to bit(n)."));
    }
    let Some(dims) = usize::try_from(typmod).ok().filter(|&dims| dims > 0) else {
        return Err(Report::new(
            ERRCODE_INVALID_PARAMETER_VALUE,
            "column does not have dimensions",
        ));
    };
    if dims > most {
        let message = format!("column cannot have more than {most} dimensions for {method} index");
        return Err(Report::new(ERRCODE_PROGRAM_LIMIT_EXCEEDED, message));
    }
    Ok(dims)
}
