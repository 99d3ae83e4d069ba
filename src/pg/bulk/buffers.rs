//! Through the shared buffers: before 17, PostgreSQL has nothing better to offer.

#![allow(unsafe_code)] // buffers are raw memory

use std::ptr;

use pages::{Error, PAGE_BODY, Result, seal};
use pgrx::pg_sys::{self, ForkNumber, InvalidBlockNumber, ReadBufferMode, Relation};

use crate::pg::{page, relation, reserve};

/// Pages that go to the WAL at a time, while they are still in shared buffers.
const LOG_EVERY: u32 = 256;

/// Appends pages to a fork that nobody else sees yet.
pub struct BulkWriter {
    index: Relation,
    fork: ForkNumber::Type,
    logs: bool,
    blocks: u32,
    logged: u32,
}

impl BulkWriter {
    /// Begins an empty fork: the main one, or the initial one of an unlogged index.
    ///
    /// # Safety
    /// `index` is open, and nobody else uses the fork, as long as the writer lives.
    pub unsafe fn new(index: Relation, fork: ForkNumber::Type) -> BulkWriter {
        // The initial fork is read after a crash, so it is always logged.
        // SAFETY: the relation is open.
        let logs = fork == ForkNumber::INIT_FORKNUM || unsafe { relation::needs_wal(index) };
        BulkWriter { index, fork, logs, blocks: 0, logged: 0 }
    }

    /// Adds a page with this body.
    pub fn append(&mut self, body: &[u8]) -> Result<()> {
        if body.len() != PAGE_BODY {
            return Err(Error::corrupted(self.blocks, "page body has the wrong size"));
        }
        pgrx::check_for_interrupts!();
        reserve::check()?;
        // SAFETY: the fork is ours, so its end is where the new page comes to lie; the buffer is
        // pinned and locked while it is written.
        let block = unsafe {
            let buffer = pg_sys::ReadBufferExtended(
                self.index,
                self.fork,
                InvalidBlockNumber,
                ReadBufferMode::RBM_NORMAL,
                ptr::null_mut(),
            );
            pg_sys::LockBuffer(buffer, pg_sys::BUFFER_LOCK_EXCLUSIVE as i32);
            let new = pg_sys::BufferGetPage(buffer);
            page::init(new);
            page::body_mut(new).copy_from_slice(body);
            seal(page::body_mut(new));
            pg_sys::MarkBufferDirty(buffer);
            let block = pg_sys::BufferGetBlockNumber(buffer);
            pg_sys::UnlockReleaseBuffer(buffer);
            block
        };
        if block != self.blocks {
            return Err(Error::corrupted(block, "somebody else writes to the new index"));
        }
        self.blocks += 1;
        if self.blocks - self.logged >= LOG_EVERY {
            self.log();
        }
        Ok(())
    }

    /// Logs what is not logged yet.
    pub fn finish(mut self) {
        self.log();
    }

    fn log(&mut self) {
        if self.logs && self.logged < self.blocks {
            // SAFETY: the blocks exist, and their pages have proper headers.
            unsafe {
                let (from, to) = (self.logged, self.blocks);
                pg_sys::log_newpage_range(self.index, self.fork, from, to, true);
            }
        }
        self.logged = self.blocks;
    }
}
