//! `vector_index_memory`: what a build and its index will take.

use graph::{IndexOptions, build_memory, index_pages};
use pages::Form;
use pgrx::PgSqlErrorCode::{ERRCODE_INVALID_PARAMETER_VALUE, ERRCODE_PROGRAM_LIMIT_EXCEEDED};
use pgrx::pg_sys::BLCKSZ;
use quant::Metric;

use crate::pg::error::Report;
use crate::pg::function::pg_functions;
use crate::pg::rows::Rows;
use crate::types::dense::MAX_DIMS;

pg_functions! {
    /// Bytes of memory that a build of so many rows needs to stay off the disk, and bytes of the
    /// index: one row.
    fn vector_index_memory(rows: i64, dims: i32, m: i32) -> Result<Rows<2>, Report> {
        let rows = u64::try_from(rows).map_err(|_| invalid("rows must not be negative".into()))?;
        let dims = within(dims, 1..=MAX_DIMS, "dims")?;
        let m = within(m, 2..=100, "m")?;
        let (metric, form, ef_construction, seed) = (Metric::L2, Form::Halves, 2 * m, 0);
        let options = IndexOptions { metric, form, dims, m, ef_construction, seed };
        let pages = index_pages(&options, rows)
            .map_err(|error| Report::new(ERRCODE_PROGRAM_LIMIT_EXCEEDED, error.to_string()))?;
        let size = pages.saturating_mul(BLCKSZ.into());
        Ok(Rows(vec![[build_memory(&options, rows).into(), size.into()]]))
    }
}

fn within(value: i32, range: std::ops::RangeInclusive<usize>, name: &str) -> Result<usize, Report> {
    let found = usize::try_from(value).ok().filter(|value| range.contains(value));
    found.ok_or_else(|| {
        invalid(format!("{name} must be between {} and {}", range.start(), range.end()))
    })
}

fn invalid(message: String) -> Report {
    Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message)
}
