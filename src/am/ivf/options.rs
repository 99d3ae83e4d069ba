//! Storage parameters: `WITH (lists = …, quantization = …)`.

#![allow(unsafe_code)] // reads the parameters of an index

use std::ffi::CStr;

use ivf::Quantization;
use pgrx::PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED;
use pgrx::pg_sys::Relation;
use quant::Metric;

use crate::am::parameters::{Parameter, Parameters, Values};
use crate::pg::error::Report;

const MAX_LISTS: i32 = 32_768;

/// Those of `ivf`.
pub static IVF: Parameters = Parameters::new(&[lists(0, 0), codes(RABITQ)]);
/// Those of `ivfflat`.
pub static IVFFLAT: Parameters = Parameters::new(&[lists(100, 1), codes(NONE)]);

const fn lists(default: i32, least: i32) -> Parameter {
    let (name, text) = (c"lists", c"Number of inverted lists");
    Parameter { name, text, default, values: Values::Numbers(least, MAX_LISTS) }
}

/// Values of `quantization`, by their places.
const WORDS: &[&CStr] = &[c"none", c"rabitq", c"sq8"];
const NONE: i32 = 0;
const RABITQ: i32 = 1;
const SQ8: i32 = 2;

const fn codes(default: i32) -> Parameter {
    let (name, text) = (c"quantization", c"Codes that searches read instead of most vectors");
    let detail = c"Valid values are \"none\", \"sq8\" and \"rabitq\".";
    Parameter { name, text, default, values: Values::Words(WORDS, detail) }
}

/// The parameters of an index.
pub struct Options {
    /// Lists, 1..=32,768; 0 for as many as the rows want.
    pub lists: usize,
    /// What is stored of vectors.
    pub quantization: Quantization,
}

impl Options {
    /// Reads the parameters that an index is made with.
    ///
    /// # Safety
    /// `index` is an open index with these parameters.
    pub unsafe fn of(parameters: &Parameters, index: Relation) -> Options {
        // SAFETY: `index` is open, and `parameters` parsed its options.
        let [lists, codes] = unsafe { parameters.of(index) };
        // PostgreSQL has checked the ranges.
        Options { lists: lists as usize, quantization: quantization(codes) }
    }
}

/// The value that PostgreSQL keeps as `number`.
pub fn quantization(number: i32) -> Quantization {
    match number {
        RABITQ => Quantization::Rabitq,
        SQ8 => Quantization::Sq8,
        _ => Quantization::None,
    }
}

/// Refuses codes that vectors compared by `metric` cannot have.
///
/// # Errors
/// With the value to set instead.
pub fn check(quantization: Quantization, metric: Metric) -> Result<(), Report> {
    if quantization == Quantization::Sq8 && metric.is_of_bits() {
        let message = "quantization \"sq8\" is not supported for bit strings";
        return Err(Report::new(ERRCODE_FEATURE_NOT_SUPPORTED, message)
            .hint("Set quantization to \"none\"."));
    }
    Ok(())
}
