//! What a search reads: the directory and the extent of the write buffer at one moment.

use pages::{Error, META_BLOCK, PageStore, Result};

use crate::buffer::{self, BufferMatches};
use crate::meta::{Meta, Options};
use crate::score::Statistics;
use crate::segment::SegmentInfo;

/// How often work is done anew because the index was reorganized. Beyond that, pages are damaged.
const TRIES: usize = 10;

/// The index at one moment. Its segments and the pages of its buffer are there until readers that begin
/// now have ended; on a standby they may vanish earlier, see [`Snapshot::is_outdated`].
#[derive(Clone, Debug)]
pub struct Snapshot {
    options: Options,
    epoch: u64,
    segments: Vec<SegmentInfo>,
    statistics: Statistics,
    first_sequence: u64,
    buffer: Vec<u32>,
}

impl Snapshot {
    /// The index now.
    ///
    /// # Errors
    /// Those of the store, and [`Error::Corrupted`].
    pub fn read<S: PageStore>(store: &S) -> Result<Self> {
        Ok(Self::of(&Meta::read(store)?))
    }

    pub(crate) fn of(meta: &Meta) -> Self {
        let mut statistics = Statistics::default();
        for entry in &meta.segments {
            statistics.documents += u64::from(entry.living);
            statistics.total_length = statistics.total_length.saturating_add(entry.length);
        }
        Self {
            options: meta.options,
            epoch: meta.epoch,
            segments: meta.segments.iter().map(|entry| entry.info).collect(),
            statistics,
            first_sequence: meta.first_sequence,
            buffer: meta.buffer.clone(),
        }
    }

    /// What the index was made with.
    pub fn options(&self) -> Options {
        self.options
    }

    /// The segments.
    pub fn segments(&self) -> &[SegmentInfo] {
        &self.segments
    }

    /// Of the living documents in segments; those of the buffer come to them.
    pub fn statistics(&self) -> Statistics {
        self.statistics
    }

    /// Number of the first page of the buffer.
    pub(crate) fn first_sequence(&self) -> u64 {
        self.first_sequence
    }

    /// Blocks of the buffer.
    pub(crate) fn buffer(&self) -> &[u32] {
        &self.buffer
    }

    /// Whether segments were merged or the buffer was emptied since. What cannot be read then was not
    /// damaged but used again: begin anew.
    ///
    /// # Errors
    /// Those of the store, and [`Error::Corrupted`].
    pub fn is_outdated<S: PageStore>(&self, store: &S) -> Result<bool> {
        Ok(Meta::read(store)?.epoch != self.epoch)
    }

    /// Finds the documents of the write buffer that hold any of `terms`, which are distinct and in their
    /// stored form, with their positions if `positions`. Reads every page of the buffer.
    ///
    /// # Errors
    /// Those of the store, and [`Error::Corrupted`], also if the buffer was emptied meanwhile and its
    /// pages used again, see [`Snapshot::is_outdated`].
    pub fn buffer_matches<S: PageStore>(
        &self,
        store: &S,
        terms: &[&[u8]],
        positions: bool,
    ) -> Result<BufferMatches> {
        let found = buffer::search(store, self, terms, positions)?;
        let block = self.buffer.first().copied().unwrap_or(META_BLOCK);
        found.ok_or(Error::corrupted(block, "page of the write buffer has another number"))
    }

    /// Does `work` on the index as it is now, and again if it fails because the index was reorganized
    /// meanwhile.
    ///
    /// # Errors
    /// Those of `work`, also if the index was reorganized in each of [`TRIES`] tries.
    pub fn undisturbed<S: PageStore, T>(
        store: &S,
        mut work: impl FnMut(&Self) -> Result<T>,
    ) -> Result<T> {
        for _ in 1..TRIES {
            let snapshot = Self::read(store)?;
            match work(&snapshot) {
                Err(error) if !error.ends_work() && snapshot.is_outdated(store)? => {}
                result => return result,
            }
        }
        work(&Self::read(store)?)
    }
}
