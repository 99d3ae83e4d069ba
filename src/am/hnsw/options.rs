//! Storage parameters: `WITH (m = …, ef_construction = …, quantization = …)`.

#![allow(unsafe_code)] // reads the parameters of an index

use pgrx::PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;
use pgrx::pg_sys::Relation;

use super::quantization::{self, Quantization};
use crate::am::parameters::{Parameter, Parameters, Values};
use crate::pg::error::Report;

/// The parameters.
pub static PARAMETERS: Parameters = Parameters::checked(
    &[
        Parameter {
            name: c"m",
            text: c"Half the number of neighbors of an element",
            default: 16,
            values: Values::Numbers(2, 100),
        },
        Parameter {
            name: c"ef_construction",
            text: c"Size of the candidate list while building",
            default: 64,
            values: Values::Numbers(4, 1_000),
        },
        quantization::PARAMETER,
    ],
    check,
);

/// Refuses a candidate list that has fewer elements than an element may have neighbors.
fn check(values: &[i32]) -> Result<(), Report> {
    match *values {
        [m, ef_construction, ..] if ef_construction < 2 * m => Err(Report::new(
            ERRCODE_INVALID_PARAMETER_VALUE,
            "ef_construction must be greater than or equal to 2 * m",
        )
        .hint(format!("Set both, for example m = {m} and ef_construction = {}.", 4 * m))),
        _ => Ok(()),
    }
}

/// The parameters of an index.
pub struct Options {
    /// Half the neighbors of an element, 2..=100.
    pub m: usize,
    /// Width of the search that finds a new element's neighbors, 4..=1,000, at least `2 * m`.
    pub ef_construction: usize,
    /// In which form vectors are stored.
    pub quantization: Quantization,
}

impl Options {
    /// Reads the parameters that a new index is to be made with.
    ///
    /// # Safety
    /// `index` is open.
    pub unsafe fn of(index: Relation) -> Result<Options, Report> {
        // SAFETY: `index` is open, and `PARAMETERS` parsed its options.
        let [m, ef_construction, quantization] = unsafe { PARAMETERS.of(index) };
        check(&[m, ef_construction])?;
        let quantization = Quantization::from_number(quantization);
        // PostgreSQL has checked the ranges.
        Ok(Options { m: m as usize, ef_construction: ef_construction as usize, quantization })
    }
}
