//! What SQL calls: `run_analyzer`.

use pgrx::pg_sys::Datum;

use super::analyzer::{Analyzer, Token};
use crate::pg::error::Report;
use crate::pg::function::{Args, Return, pg_functions};
use crate::pg::rows::{Cell, ResultSet};

pg_functions! {
    /// The tokens of a text, one a row.
    fn run_analyzer(text: String, analyzer: String) -> Result<Analyzed, Report> {
        Ok(Analyzed { text, analyzer: Analyzer::new(&analyzer)? })
    }
}

/// A text that becomes rows of token, start and end in characters, position, and number of
/// positions.
struct Analyzed {
    text: String,
    analyzer: Analyzer,
}

impl Return for Analyzed {
    fn into_datum(self, args: &Args) -> Result<Datum, Report> {
        let set = ResultSet::begin::<5>(args)?;
        let mut characters = Characters::new(&self.text);
        let mut failure = None;
        self.analyzer.tokens(&self.text, &mut |token| {
            if failure.is_none() {
                failure = set.add_cells(row(token, &mut characters), args).err();
            }
        })?;
        failure.map_or(Ok(Datum::null()), Err)
    }
}

fn row(token: Token, characters: &mut Characters) -> [Cell; 5] {
    let [start, end] = match token.place {
        Some((start, end)) => [characters.before(start), characters.before(end)].map(Cell::from),
        None => [Cell::Null, Cell::Null],
    };
    let text = Cell::Text(token.text.to_owned());
    let [position, length] =
        [token.position, token.position_length].map(|number| Cell::from(u64::from(number)));
    [text, start, end, position, length]
}

/// Counts the characters of a text. Counting goes on from the last place.
struct Characters<'a> {
    text: &'a str,
    byte: usize,
    characters: usize,
}

impl<'a> Characters<'a> {
    fn new(text: &'a str) -> Self {
        Characters { text, byte: 0, characters: 0 }
    }

    /// The number of characters before a byte.
    fn before(&mut self, byte: usize) -> u64 {
        let count = |from, to| self.text.get(from..to).map_or(0, |part| part.chars().count());
        self.characters = if byte >= self.byte {
            self.characters + count(self.byte, byte)
        } else {
            self.characters - count(byte, self.byte)
        };
        self.byte = byte;
        self.characters as u64
    }
}
