//! The write buffer: pages of documents that no segment holds yet.
//!
//! A page has a column of the hashes of its terms, so that a search can tell from a few hundred numbers
//! which documents it has to look at. Pages are numbered in sequence; a page that is used again has a
//! new number, by which a reader with an old metapage knows.

mod encode;
mod page;
mod search;

pub(crate) use encode::{Part, Parts, check, encode, push_number};
pub(crate) use page::{Appended, Page, append, init, push_positions, seal, take_number};
pub(crate) use search::search;
pub use search::{BufferDocument, BufferMatch, BufferMatches};

/// The hash of a term in the column: of a dimension, its number.
pub(crate) fn hash(term: &[u8], weighted: bool) -> u32 {
    match term.try_into() {
        Ok(dimension) if weighted => u32::from_be_bytes(dimension),
        // 32-bit FNV-1a.
        _ => term
            .iter()
            .fold(0x811c_9dc5, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)),
    }
}
