//! The terms of a segment: a tree of pages, by term.

mod entry;
mod keys;
mod read;
mod terms;
mod write;

pub use entry::Entry;
pub(crate) use entry::Stored;
pub(crate) use read::{find, leaf};
pub use terms::Terms;
pub(crate) use write::{Dictionary, Tree};

/// Entries of which the first stores its whole key.
const RESTART: usize = 16;
