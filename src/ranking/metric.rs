//! Names of metrics in arguments.

use std::fmt::Display;

use pgrx::PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;

use crate::pg::error::{Report, printable};
use crate::pg::varlena::{Detoasted, VARHDRSZ};

/// The metric of `owner` that a `text` names, in upper or lower case.
pub fn named<M: Copy>(
    name: &Detoasted,
    owner: impl Display,
    metrics: &[(&'static str, M)],
) -> Result<M, Report> {
    let name = name.slice::<u8>(VARHDRSZ, name.size() - VARHDRSZ).unwrap_or_default();
    let found = metrics.iter().find(|(metric, _)| name.eq_ignore_ascii_case(metric.as_bytes()));
    if let Some(&(_, metric)) = found {
        return Ok(metric);
    }
    let names: Vec<&str> = metrics.iter().map(|&(metric, _)| metric).collect();
    let message = format!("{owner} has no metric \"{}\"", printable(name));
    let hint = format!("Its metrics are {}.", names.join(", "));
    Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message).hint(hint))
}
