//! Documents as pages of the write buffer hold them.
//!
//! A document is stored in one part, or, if it does not fit a page, in several, each on its own page.
//! A part has a column (for each term its hash, u32) and a payload: tid (6 bytes), flags (u8: 1 = goes
//! on from the page before, 2 = goes on in the next), length (u32), then for each term
//! - BM25: bytes of the term (u8), the term, the frequency, and, if there are positions, the first and
//!   the gaps between them; numbers as LEB128;
//! - inner product: the weight (u32).

use pages::{Error, Result};

use super::{hash, page};
use crate::document::{Document, Posting};
use crate::meta::Options;
use crate::score::Scoring;
use crate::term::MAX_TERM;

/// The most parts of a document: pages that one batch adds beside the metapage.
pub(crate) const MAX_PARTS: usize = pages::MAX_BATCH - 1;

/// Bytes of a payload before its terms.
pub(super) const PREFIX: usize = 11;
/// The flags.
pub(super) const CONTINUED: u8 = 1;
pub(super) const CONTINUES: u8 = 2;

/// A part of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub hashes: Vec<u32>,
    pub payload: Vec<u8>,
}

impl Part {
    /// Bytes that it takes in a page.
    pub(super) fn size(&self) -> usize {
        4 + self.hashes.len() * 4 + self.payload.len()
    }
}

/// What a document becomes.
#[derive(Debug)]
pub(crate) enum Parts {
    /// So many parts for the buffer, at most [`MAX_PARTS`].
    Buffered(Vec<Part>),
    /// It is too large for the buffer.
    Large,
}

/// Checks a document and encodes it.
///
/// # Errors
/// [`Error::Internal`] for a document that breaks the rules of [`Document`].
pub(crate) fn encode(document: &Document, options: Options) -> Result<Parts> {
    check(document, options)?;
    let weighted = options.scoring == Scoring::InnerProduct;
    let begin = |flags| {
        let mut payload = document.tid.to_bytes().to_vec();
        payload.push(flags);
        payload.extend(document.length.to_le_bytes());
        Part { hashes: Vec::new(), payload }
    };
    let mut parts = vec![begin(0)];
    let mut encoded = Vec::new();
    for posting in &document.postings {
        // A page is not as long as so many positions.
        if options.positions && posting.positions.len() > page::ROOM {
            return Ok(Parts::Large);
        }
        encoded.clear();
        push_posting(posting, options, &mut encoded);
        let last = parts.len() - 1;
        if parts[last].size() + 4 + encoded.len() > page::ROOM {
            if PREFIX + 8 + encoded.len() > page::ROOM || parts.len() == MAX_PARTS {
                return Ok(Parts::Large);
            }
            parts[last].payload[PREFIX - 5] |= CONTINUES;
            parts.push(begin(CONTINUED));
        }
        if let Some(part) = parts.last_mut() {
            part.hashes.push(hash(&posting.term, weighted));
            part.payload.extend_from_slice(&encoded);
        }
    }
    Ok(Parts::Buffered(parts))
}

fn push_posting(posting: &Posting, options: Options, out: &mut Vec<u8>) {
    if options.scoring == Scoring::InnerProduct {
        return out.extend(posting.value.to_le_bytes());
    }
    out.push(posting.term.len() as u8);
    out.extend_from_slice(&posting.term);
    push_number(posting.value, out);
    if options.positions {
        let mut before = 0;
        for &position in &posting.positions {
            push_number(position.wrapping_sub(before), out);
            before = position;
        }
    }
}

/// Appends a number as LEB128.
pub(crate) fn push_number(mut number: u32, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Checks a document against the rules of [`Document`].
pub(crate) fn check(document: &Document, options: Options) -> Result<()> {
    let rising = document.postings.is_sorted_by(|a, b| a.term < b.term);
    let sound = |posting: &Posting| match options.scoring {
        Scoring::Bm25 { .. } => {
            posting.term.len() <= MAX_TERM
                && posting.value > 0
                && (!options.positions
                    || posting.positions.len() == posting.value as usize
                        && posting.positions.is_sorted_by(|a, b| a < b))
        }
        Scoring::InnerProduct => {
            let weight = f32::from_bits(posting.value);
            posting.term.len() == 4 && weight.is_finite() && weight != 0.0
        }
    };
    if rising && document.tid.is_possible() && document.postings.iter().all(sound) {
        Ok(())
    } else {
        Err(Error::Internal("document is not as an index takes it".to_owned()))
    }
}
