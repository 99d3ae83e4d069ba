//! Documents as pages of the write buffer hold them.
//!
//! A document is stored in one part, or, if it does not fit a page, in several, each on its own page.
//! A part has a column (for each term its hash, u32) and a payload: tid (6 bytes), flags (u8: 1 = goes
//! on from the page before, 2 = goes on in the next, 4 = sizes are u16), length (u32), then
//! - inner product: for each term its weight (u32);
//! - BM25: for each term the size of its entry (u8 or u16), then the entries: bytes of the term (u8), the
//!   term, the frequency, and, if there are positions, the first and the gaps between them; numbers as
//!   LEB128.

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
pub(super) const LONG: u8 = 4;

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

/// A part that is being made.
#[derive(Debug, Default)]
struct Draft {
    flags: u8,
    hashes: Vec<u32>,
    sizes: Vec<u16>,
    entries: Vec<u8>,
}

impl Draft {
    /// Bytes that it takes in a page with one more entry of so many bytes.
    fn size_with(&self, entry: usize) -> usize {
        let terms = self.sizes.len() + 1;
        4 + terms * 4 + PREFIX + terms * 2 + self.entries.len() + entry
    }

    fn finish(mut self, document: &Document, weighted: bool) -> Part {
        let long = self.sizes.iter().any(|&size| size > u16::from(u8::MAX));
        self.flags |= if long { LONG } else { 0 };
        let mut payload = Vec::with_capacity(PREFIX + self.sizes.len() * 2 + self.entries.len());
        payload.extend(document.tid.to_bytes());
        payload.push(self.flags);
        payload.extend(document.length.to_le_bytes());
        match (weighted, long) {
            (true, _) => {}
            (_, true) => payload.extend(self.sizes.iter().flat_map(|size| size.to_le_bytes())),
            // All are below 2^8.
            (_, false) => payload.extend(self.sizes.iter().map(|&size| size as u8)),
        }
        payload.extend_from_slice(&self.entries);
        Part { hashes: self.hashes, payload }
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
    let (mut drafts, mut encoded) = (vec![Draft::default()], Vec::<u8>::new());
    for posting in &document.postings {
        // A page is not as long as so many positions.
        if options.positions && posting.positions.len() > page::ROOM {
            return Ok(Parts::Large);
        }
        encoded.clear();
        // A number takes at most five bytes.
        let positions = if options.positions { posting.positions.len() } else { 0 };
        let most = MAX_TERM + 6 + positions * 5;
        encoded.try_reserve(most).map_err(|_| Error::OutOfMemory)?;
        push_posting(posting, options, &mut encoded);
        let full = |draft: &Draft| draft.size_with(encoded.len()) > page::ROOM;
        let parts = drafts.len();
        if let Some(last) = drafts.last_mut().filter(|last| full(last)) {
            if parts == MAX_PARTS {
                return Ok(Parts::Large);
            }
            last.flags |= CONTINUES;
            drafts.push(Draft { flags: CONTINUED, ..Draft::default() });
        }
        let Some(draft) = drafts.last_mut().filter(|last| !full(last)) else {
            return Ok(Parts::Large);
        };
        draft.hashes.push(hash(&posting.term, weighted));
        // It fits a page.
        draft.sizes.push(encoded.len() as u16);
        draft.entries.try_reserve(encoded.len()).map_err(|_| Error::OutOfMemory)?;
        draft.entries.extend_from_slice(&encoded);
    }
    let parts = drafts.into_iter().map(|draft| draft.finish(document, weighted));
    Ok(Parts::Buffered(parts.collect()))
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
