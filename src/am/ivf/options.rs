//! Storage parameters: `WITH (lists = …, quantization = …)`.

#![allow(unsafe_code)] // reads the parameters of an index

use std::ffi::CStr;

use ivf::Quantization;
use pgrx::pg_sys::Relation;

use crate::am::parameters::{Parameter, Parameters, Values};

const MAX_LISTS: i32 = 32_768;

/// Those of `ivf`.
pub static IVF: Parameters = Parameters::new(&[lists(0, 0), quantization(RABITQ)]);
/// Those of `ivfflat`.
pub static IVFFLAT: Parameters = Parameters::new(&[lists(100, 1), quantization(NONE)]);

const fn lists(default: i32, least: i32) -> Parameter {
    let (name, text) = (c"lists", c"Number of inverted lists");
    Parameter { name, text, default, values: Values::Numbers(least, MAX_LISTS) }
}

/// Values of `quantization`, by their places.
const WORDS: &[&CStr] = &[c"none", c"rabitq", c"sq8"];
const NONE: i32 = 0;
const RABITQ: i32 = 1;
const SQ8: i32 = 2;

const fn quantization(default: i32) -> Parameter {
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
        let [lists, quantization] = unsafe { parameters.of(index) };
        let quantization = match quantization {
            RABITQ => Quantization::Rabitq,
            SQ8 => Quantization::Sq8,
            _ => Quantization::None,
        };
        // PostgreSQL has checked the ranges.
        Options { lists: lists as usize, quantization }
    }
}
