//! `standard_tsvector`: the tokens of a text that `text_match` and `phrase_match` of filters look
//! for.

use std::collections::HashSet;
use std::fmt::Write;

use pgrx::PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED;
use pgrx::pg_sys::{self, Datum};

use crate::pg::error::Report;
use crate::pg::function::{Args, Return, pg_functions};
use crate::pg::parameter::Parameter;

/// The last position that a `tsvector` has; what is behind it is there, too.
const MAX_POSITION: usize = (1 << 14) - 1;

/// Bytes of different tokens that a `tsvector` has room for.
const MAX_BYTES: usize = (1 << 20) - 1;

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
        let (mut seen, mut bytes) = (HashSet::new(), 0);
        for (token, position) in filter::tokens(&text).zip(1..) {
            if position % PAUSE == 0 {
                pgrx::check_for_interrupts!();
            }
            if !seen.contains(&token) {
                bytes += token.len();
                if bytes > MAX_BYTES {
                    return Err(too_long());
                }
                seen.insert(token.clone());
            } else if position > MAX_POSITION {
                continue;
            }
            // Writing to a string does not fail.
            let _ = write!(vector, "'{token}':{} ", position.min(MAX_POSITION));
        }
        Parameter::of_text(pg_sys::TSVECTOROID, vector).datum().map(TsVector)
    }
}

fn too_long() -> Report {
    let message = format!("text has too many different words, max {MAX_BYTES} bytes");
    Report::new(ERRCODE_PROGRAM_LIMIT_EXCEEDED, message).hint("Split the text into several rows.")
}
