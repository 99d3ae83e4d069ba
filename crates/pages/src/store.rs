//! The traits between index cores and the place their pages live.

use std::ops::{Deref, Range};

use crate::Result;

/// Pages that one batch may hold at most: what one generic WAL record can carry.
pub const MAX_BATCH: usize = 4;

/// Pages that a batch may leave out behind the end of a store when it adds one: those that others have
/// reserved and will write. A block farther behind the end comes from a page that lies.
pub const MAX_GAP: u32 = 256;

/// A sequence of pages, numbered from 0, shared by concurrent readers and writers.
///
/// Pages are seen as their bodies of [`crate::PAGE_BODY`] bytes; the host's page header is its own.
pub trait PageStore {
    /// A page held for reading. Writers of the page wait until it is dropped.
    type Page<'a>: Deref<Target = [u8]>
    where
        Self: 'a;

    /// A set of page changes that becomes visible and durable as one.
    type Batch<'a>: Batch
    where
        Self: 'a;

    /// Number of pages.
    fn blocks(&self) -> Result<u32>;

    /// Holds `block` for reading. A caller holds at most one page at a time.
    fn read(&self, block: u32) -> Result<Self::Page<'_>>;

    /// How many of the pages that will be read soon are worth a [`PageStore::prefetch`] now; none
    /// while pages come from memory.
    fn read_ahead(&self) -> usize {
        0
    }

    /// Tells that `block` will be read soon.
    fn prefetch(&self, _block: u32) {}

    /// Tells that these bytes of `block` will be read at once, so that the processor may load them
    /// while it does other things. Does nothing where the page is not in memory.
    fn warm(&self, _block: u32, _bytes: Range<usize>) {}

    /// Starts an empty batch.
    fn batch(&self) -> Self::Batch<'_>;

    /// Called once a page by long loops: the host may throttle or stop them here.
    /// Never called while a page or a batch is held.
    fn pause(&self) -> Result<()>;

    /// As [`PageStore::pause`], where others wait for the caller: the host does not throttle it.
    ///
    /// # Errors
    /// As [`PageStore::pause`].
    fn stop_if_asked(&self) -> Result<()> {
        self.pause()
    }
}

/// At most [`MAX_BATCH`] pages, changed together. Dropping a batch undoes it.
pub trait Batch {
    /// Locks `block` for writing and returns its body; the same body when asked again.
    ///
    /// First calls come in ascending block order: that is the lock order of all writers.
    fn page(&mut self, block: u32) -> Result<&mut [u8]>;

    /// As [`Batch::page`], for a page whose old content does not matter: the body is zero. Extends
    /// the store up to `block` where needed.
    fn create(&mut self, block: u32) -> Result<&mut [u8]>;

    /// Makes all changes visible and durable, as one.
    fn commit(self) -> Result<()>;
}

/// A store whose writers take turns, and know how long readers may look at what is no more.
pub trait Coordination: PageStore {
    /// A lock that is held until it is dropped; at the latest, its holder's transaction ends it.
    type Lock<'a>
    where
        Self: 'a;

    /// Takes lock `number` of the index, unless another has it.
    ///
    /// # Errors
    /// Those of the host.
    fn try_lock(&self, number: u32) -> Result<Option<Self::Lock<'_>>>;

    /// Takes lock `number` of the index, and waits while another has it.
    /// Never called while a page or a batch is held, nor for a lower number than one that is held.
    ///
    /// # Errors
    /// Those of the host, and [`crate::Error::Interrupted`].
    fn lock(&self, number: u32) -> Result<Self::Lock<'_>>;

    /// Stands for now: readers that have begun before may still look at pages that nothing leads to
    /// any more.
    ///
    /// # Errors
    /// Those of the host.
    fn mark(&self) -> Result<u64>;

    /// Whether all readers that had begun at `mark` have ended. A standby's readers are not counted.
    ///
    /// # Errors
    /// Those of the host.
    fn has_passed(&self, mark: u64) -> Result<bool>;
}
