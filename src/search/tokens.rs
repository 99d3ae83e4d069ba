//! `standard_tsvector`: the tokens of a text that `text_match` and `phrase_match` of filters look for.

use std::fmt::Write;

use pgrx::pg_sys::{self, Datum};

use crate::pg::error::Report;
use crate::pg::function::{Args, Return, pg_functions};
use crate::pg::parameter::Parameter;

/// The last position that a `tsvector` has; what is behind it is there, too.
const MAX_POSITION: usize = (1 << 14) - 1;

/// Tokens between two looks for a cancellation.
const PAUSE: usize = 4096;

/// A value of type `tsvector`.
struct TsVector(Datum);

impl Return for TsVector {
    fn into_datum(self, _: &Args) -> Result<Datum, Report> {
        Ok(self.0)
    }
}

pg_functions! {
    /// The tokens, with their positions.
    fn standard_tsvector(text: String) -> Result<TsVector, Report> {
        let mut vector = String::new();
        for (token, position) in filter::tokens(&text).zip(1..) {
            if position % PAUSE == 0 {
                pgrx::check_for_interrupts!();
            }
            // Writing to a string does not fail.
            let _ = write!(vector, "'{token}':{} ", position.min(MAX_POSITION));
        }
        Parameter::of_text(pg_sys::TSVECTOROID, vector).datum().map(TsVector)
    }
}
