//! Immutable segments: written once from sorted postings, then only read, but for the bits of dead
//! documents and the document frequencies, which vacuum changes in place.

use pages::Result;

/// Where the pages of a new segment come from and go to.
///
/// At most 16 pages are allocated and not yet written at any time; all are written at the end.
pub trait Pages {
    /// A block for a new page.
    ///
    /// # Errors
    /// Those of the store.
    fn allocate(&mut self) -> Result<u32>;

    /// Takes the finished page of a block that was allocated, once. The body has its trailer, and the
    /// store adds the checksum.
    ///
    /// # Errors
    /// Those of the store.
    fn write(&mut self, block: u32, body: &[u8]) -> Result<()>;
}

/// What the directory knows of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Tells its pages from those of all other segments, also earlier ones.
    pub id: u64,
    /// Block of its root page.
    pub root: u32,
    /// Number of pages.
    pub pages: u32,
    /// Documents when it was written, below 2^32 − 1.
    pub documents: u32,
    /// Sum of their lengths in tokens.
    pub total_length: u64,
}
