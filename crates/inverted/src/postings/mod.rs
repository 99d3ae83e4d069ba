//! Lists of postings, in blocks of 128.

mod block;
mod bound;
mod cursor;
mod pack;
mod positions;
mod skip;
mod write;

pub(crate) use block::{Block, decode, decode_inline};
pub(crate) use bound::{Bound, least_length, length_code};
pub use cursor::Postings;
pub(crate) use cursor::Recycled;
pub(crate) use skip::{Skip, Skips};
pub(crate) use write::{Lists, Place, Written};

/// Postings in a block.
pub(crate) const BLOCK: usize = 128;
/// Blocks in a group of skip entries.
pub(crate) const GROUP: usize = 64;
/// The most postings of a list that is stored in the dictionary, and the most bytes of it.
pub(crate) const INLINE: usize = 4;
pub(crate) const INLINE_BYTES: usize = 64;
