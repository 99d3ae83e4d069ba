//! Storage parameters: `WITH (analyzer = …, k1 = …, b = …, positions = …)`.

#![allow(unsafe_code)] // reads the parameters of an index, called by PostgreSQL

use std::ffi::c_char;

use pgrx::pg_guard;
use pgrx::pg_sys::Relation;

use crate::am::parameters::{Parameter, Parameters, Values};
use crate::fulltext::Analyzer;
use crate::pg::encoding::decode_c;
use crate::pg::error::Report;

const ANALYZER: usize = 0;
const K1: usize = 1;
const B: usize = 2;
const POSITIONS: usize = 3;

/// The parameters.
pub static PARAMETERS: Parameters = Parameters::new(&[
    Parameter {
        name: c"analyzer",
        text: c"What splits texts into terms",
        default: 0,
        values: Values::Text(c"standard", check_analyzer),
    },
    Parameter {
        name: c"k1",
        text: c"How much repetitions of a term count",
        default: 0,
        values: Values::Reals(0.0, 3.0, 1.2),
    },
    Parameter {
        name: c"b",
        text: c"How much long texts are discounted",
        default: 0,
        values: Values::Reals(0.0, 1.0, 0.75),
    },
    Parameter {
        name: c"positions",
        text: c"Whether the places of terms in texts are stored",
        default: 1,
        values: Values::Flag,
    },
]);

/// Refuses a definition of which no index could be made.
#[pg_guard]
unsafe extern "C-unwind" fn check_analyzer(definition: *const c_char) {
    // SAFETY: PostgreSQL gives a string that ends with NUL.
    let definition = unsafe { decode_c(definition) };
    if let Err(error) = definition.and_then(|text| Analyzer::of_index(&text)) {
        error.raise();
    }
}

/// The parameters of an index.
#[derive(Debug)]
pub struct Options {
    /// What splits texts into terms, as the user has written it.
    pub analyzer: String,
    /// How much repetitions of a term count, 0 to 3.
    pub k1: f64,
    /// How much long texts are discounted, 0 to 1.
    pub b: f64,
    /// Whether the places of terms are stored.
    pub positions: bool,
}

impl Options {
    /// Reads the parameters that a new index is to be made with.
    ///
    /// # Errors
    /// If the name of the analyzer is no text.
    ///
    /// # Safety
    /// `index` is open.
    pub unsafe fn of(index: Relation) -> Result<Options, Report> {
        // SAFETY: `index` is open, and `PARAMETERS` parsed its options.
        unsafe {
            Ok(Options {
                analyzer: PARAMETERS.text(index, ANALYZER)?,
                k1: PARAMETERS.real(index, K1),
                b: PARAMETERS.real(index, B),
                positions: PARAMETERS.flag(index, POSITIONS),
            })
        }
    }
}
