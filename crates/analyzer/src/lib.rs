//! Milvus's text analyzers: a tokenizer splits a text, and filters change, drop, or split its
//! tokens.
//!
//! An [`Analyzer`] is described by the JSON that Milvus takes for `analyzer_params`. Tokens,
//! offsets, and positions equal Milvus's, whose analyzers are tantivy's, except that
//!
//! - the filter `regex` knows no look-around,
//! - tokens of more than 255 bytes are not stemmed or split, and do not match regular expressions,
//! - stemmers and jieba's dictionary and model have the version of the libraries used here,
//! - unknown options and unknown names of stop word lists are refused, and files are not read,
//! - what `parse/tokenizers.rs` and `parse/filters.rs` name is not supported.
//!
//! No text and no definition makes the crate panic.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod error;
mod filter;
mod fuzzy;
mod highlight;
mod limits;
mod parse;
mod specification;
mod tokenizer;

use std::fmt;

pub use error::{Error, ErrorKind, Result};
pub use fuzzy::Pattern;
pub use highlight::{Highlighter, MAX_FRAGMENTS};
pub use limits::{MAX_DEFINITION, MAX_FILTERS};

use filter::Filter;
use specification::Specification;
use tokenizer::Tokenizer;

/// Version of what the analyzers do. It changes when a text yields other tokens than before, so
/// that an index can tell that its tokens are outdated.
pub const VERSION: u32 = 1;

/// A token of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// The token as the filters left it. Never empty.
    pub text: &'a str,
    /// First byte in the text analyzed.
    pub start: usize,
    /// End in the text analyzed, in bytes, exclusive.
    pub end: usize,
    /// Position for phrases. `standard` and `whitespace` count tokens, including those that a
    /// filter drops; `jieba` and `icu` count characters.
    pub position: u32,
    /// Number of positions that the token spans, at least 1.
    pub position_length: u32,
}

/// A tokenizer with its filters.
pub struct Analyzer {
    tokenizer: Tokenizer,
    filters: Vec<Filter>,
    definition: String,
}

impl Analyzer {
    /// Makes the analyzer that Milvus makes from `json`, which is a built-in analyzer
    /// (`{"type": "english"}`) or a tokenizer with filters
    /// (`{"tokenizer": "standard", "filter": ["lowercase"]}`). An empty text or object stands for
    /// `standard`.
    ///
    /// # Errors
    /// If `json` is not the definition of an analyzer, is too large, or names a part that is not
    /// available.
    pub fn from_json(json: &str) -> Result<Self> {
        let specification = parse::specification(json)?;
        Self::new(&specification)
    }

    fn new(specification: &Specification) -> Result<Self> {
        Ok(Self {
            tokenizer: Tokenizer::new(&specification.tokenizer)?,
            filters: specification.filters.iter().map(Filter::new).collect::<Result<_>>()?,
            definition: specification.to_json(),
        })
    }

    /// The JSON of the same analyzer in canonical form: analyzers that do the same by the same
    /// parts have equal definitions. [`Analyzer::from_json`] accepts it.
    pub fn definition(&self) -> &str {
        &self.definition
    }

    /// Calls `sink` with the tokens of `text`. Starts never decrease, except between the
    /// overlapping tokens of `jieba`.
    pub fn tokens(&self, text: &str, sink: &mut dyn FnMut(Token<'_>)) {
        self.tokens_with_pauses(text, &mut || {}, sink);
    }

    /// As [`Analyzer::tokens`], but calls `pause` now and then, also if filters drop all tokens.
    pub fn tokens_with_pauses(
        &self,
        text: &str,
        pause: &mut dyn FnMut(),
        sink: &mut dyn FnMut(Token<'_>),
    ) {
        let mut buffers = filter::Buffers::default();
        let mut work: usize = 0;
        self.tokenizer.split(text, &mut |token| {
            work = work.saturating_add(token.text.len()).saturating_add(TOKEN_WORK);
            if work > PAUSE_WORK {
                work = 0;
                pause();
            }
            filter::pass(&self.filters, token, &mut buffers, sink);
        });
    }
}

/// What a token costs besides its bytes, in bytes.
const TOKEN_WORK: usize = 16;

/// Bytes between two pauses.
const PAUSE_WORK: usize = 64 << 10;

impl fmt::Debug for Analyzer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Analyzer").field(&self.definition).finish()
    }
}
