//! What an indexed column must be.

use pgrx::PgSqlErrorCode::{
    ERRCODE_FEATURE_NOT_SUPPORTED, ERRCODE_INVALID_PARAMETER_VALUE, ERRCODE_PROGRAM_LIMIT_EXCEEDED,
};
use pgrx::pg_sys::{self, Oid};

use crate::pg::error::Report;

/// Dimensions of a column of this type and modifier, 1..=`most`, for an index of access method
/// `method`.
///
/// # Errors
/// Where the column has none, or more, or its values differ in length.
pub fn dims((of, typmod): (Oid, i32), most: usize, method: &str) -> Result<usize, Report> {
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
