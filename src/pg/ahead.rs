//! How far ahead of a search its pages are asked for.
//!
//! Asking for a page that is in shared buffers is a wasted look-up, and for one in the operating
//! system's cache a wasted system call. So nothing is asked for until a read has missed the shared
//! buffers, and no longer once a run of reads has not.

#![allow(unsafe_code)] // reads PostgreSQL's counters

use std::cell::Cell;

use pgrx::pg_sys::{self, Oid};

/// Reads without a miss after which pages are taken to be in memory.
const PATIENCE: u32 = 16;
/// Pages asked for at most: of those farther ahead, many are never read.
const MOST: usize = 32;

/// Watches the reads of one store.
#[derive(Default)]
pub struct ReadAhead {
    /// Reads of this backend that missed the shared buffers, when last looked at.
    missed: Cell<Option<i64>>,
    /// Looks left before pages are taken to be in memory.
    patience: Cell<u32>,
    /// What `effective_io_concurrency` says of the tablespace, once it was asked.
    pages: Cell<Option<usize>>,
}

impl ReadAhead {
    /// Pages worth asking for now, of a relation in the tablespace that `space` tells.
    #[inline]
    pub fn pages(&self, space: impl FnOnce() -> Oid) -> usize {
        // SAFETY: a counter of this backend, read on its own thread.
        let missed = unsafe { pg_sys::pgBufferUsage.shared_blks_read };
        if self.missed.replace(Some(missed)).is_some_and(|before| before != missed) {
            self.patience.set(PATIENCE);
        }
        match self.patience.get() {
            0 => 0,
            left => {
                self.patience.set(left - 1);
                self.concurrency(space)
            }
        }
    }

    fn concurrency(&self, space: impl FnOnce() -> Oid) -> usize {
        let pages = self.pages.get().unwrap_or_else(|| {
            // SAFETY: a look-up in a catalog cache.
            let setting = unsafe { pg_sys::get_tablespace_io_concurrency(space()) };
            usize::try_from(setting).unwrap_or(0).min(MOST)
        });
        self.pages.set(Some(pages));
        pages
    }
}
