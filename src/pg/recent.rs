//! Where this backend last saw pages: in which of the shared buffers.
//!
//! To find a page PostgreSQL looks it up in a table of all shared buffers: a lock, and two or three
//! waits for memory. But a page is mostly still where it was seen last, and to make sure of that
//! PostgreSQL looks at that one buffer alone. So what is remembered may be wrong at any time, and
//! nothing that happens to an index need be watched for.
//!
//! A page found so does not count as used when a buffer is chosen to be given up. Hence one visit of
//! [`SAMPLE`] asks the table, and all do while this backend finds pages missing.

#![allow(unsafe_code)] // reads PostgreSQL's counters

use std::cell::Cell;

use pgrx::pg_sys::{self, Buffer};

use super::version::RelFile;

/// Pages remembered at most, in 8 bytes each.
const MOST: usize = 1 << 18;
/// One visit of so many asks the table of buffers.
const SAMPLE: u32 = 8;
/// Visits that ask it after a page was missing.
const PATIENCE: u32 = 1_000;

/// The memory of one backend, for all its indexes.
///
/// Each page has one place, next to that of the block before: an index of n pages takes 8 n bytes.
/// Pages far apart share places, and the last one seen is remembered.
pub struct RecentBuffers {
    /// A page's tag and its buffer; 0 where none is remembered.
    places: &'static [Cell<u64>],
    /// Visits so far.
    visits: Cell<u32>,
    /// Visits left that ask the table because a page was missing.
    patience: Cell<u32>,
    /// Reads of this backend that missed the shared buffers, when last looked at.
    missed: Cell<i64>,
}

thread_local! {
    static OF_BACKEND: Cell<Option<&'static RecentBuffers>> = const { Cell::new(None) };
}

impl RecentBuffers {
    /// That of this backend; lives as long.
    pub fn of_backend() -> &'static RecentBuffers {
        OF_BACKEND.get().unwrap_or_else(|| {
            let recent: &_ = Box::leak(Box::new(Self::new()));
            OF_BACKEND.set(Some(recent));
            recent
        })
    }

    fn new() -> Self {
        // SAFETY: a number fixed at server start.
        let buffers = usize::try_from(unsafe { pg_sys::NBuffers }).unwrap_or(0);
        let places = vec![0; buffers.min(MOST).next_power_of_two()];
        Self {
            places: Cell::from_mut(places.leak()).as_slice_of_cells(),
            visits: Cell::new(0),
            patience: Cell::new(0),
            missed: Cell::new(0),
        }
    }

    /// Whether the visit that begins now may go where the page was seen.
    #[inline]
    pub fn suffices(&self) -> bool {
        // SAFETY: a counter of this backend, read on its own thread.
        let missed = unsafe { pg_sys::pgBufferUsage.shared_blks_read };
        if self.missed.replace(missed) != missed {
            self.patience.set(PATIENCE);
        }
        let visit = self.visits.get().wrapping_add(1);
        self.visits.set(visit);
        match self.patience.get() {
            0 => !visit.is_multiple_of(SAMPLE),
            left => {
                self.patience.set(left - 1);
                false
            }
        }
    }

    /// The shared buffer in which `block` of `file` was seen. (Or another page with its tag.)
    #[inline]
    pub fn get(&self, file: RelFile, block: u32) -> Option<Buffer> {
        let (place, tag) = self.place(file, block);
        let (seen, buffer) = ((place.get() >> 32) as u32, place.get() as Buffer);
        (seen == tag && buffer > 0).then_some(buffer)
    }

    /// Remembers where `block` of `file` is; a buffer that is not shared has a negative number.
    #[inline]
    pub fn set(&self, file: RelFile, block: u32, buffer: Buffer) {
        let (place, tag) = self.place(file, block);
        place.set(u64::from(tag) << 32 | u64::from(buffer.cast_unsigned()));
    }

    /// The place of a page, and what tells it from most others there.
    #[inline]
    fn place(&self, file: RelFile, block: u32) -> (&Cell<u64>, u32) {
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        let number = file.relNode.to_u32();
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        let number = file.relNumber.to_u32();
        let tag = number.wrapping_mul(0x9E37_79B9).wrapping_add(block);
        (&self.places[tag as usize & (self.places.len() - 1)], tag)
    }
}
