//! Immutable segments: written once from sorted postings, then only read, but for the bits of dead
//! documents and the document frequencies, which vacuum changes in place.

mod blocks;
mod change;
mod documents;
mod head;
mod read;
mod resume;
mod root;
mod write;

pub use change::{kill, set_frequency};
pub use documents::{Documents, GROUP};
pub use head::Heads;
pub use read::Reader;
pub use write::Writer;

/// The most documents of a segment.
pub const MAX_DOCUMENTS: u32 = (1 << 31) - 1;

/// What the directory knows of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Tells its pages from those of all other segments, also earlier ones.
    pub id: u64,
    /// Block of its root page.
    pub root: u32,
    /// Number of pages.
    pub pages: u32,
    /// Documents when it was written, at most [`MAX_DOCUMENTS`].
    pub documents: u32,
    /// Sum of their lengths in tokens.
    pub total_length: u64,
}
