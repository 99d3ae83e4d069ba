//! By PostgreSQL's own bulk writer, from 17 on. Each page goes to the file once, past the shared
//! buffers, where it would take the place of others.

#![allow(unsafe_code)] // pages are raw memory

use pages::{Error, PAGE_BODY, Result, seal};
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::{ForkNumber, Page, Relation};

use crate::pg::{page, reserve};

/// `storage/bulk_write.h`, for which pgrx has no bindings.
mod raw {
    use pgrx::pg_sys::{BlockNumber, ForkNumber, Page, Relation};

    /// `BulkWriteState`, of which only pointers are known.
    pub enum State {}

    unsafe extern "C-unwind" {
        pub fn smgr_bulk_start_rel(relation: Relation, fork: ForkNumber::Type) -> *mut State;
        pub fn smgr_bulk_get_buf(state: *mut State) -> Page;
        pub fn smgr_bulk_write(state: *mut State, block: BlockNumber, page: Page, standard: bool);
        pub fn smgr_bulk_finish(state: *mut State);
    }
}

/// Appends pages to a fork that nobody else sees yet.
pub struct BulkWriter {
    /// Belongs to the memory context of the build, and ends with it where [`finish`](Self::finish)
    /// is not reached.
    state: *mut raw::State,
    blocks: u32,
}

impl BulkWriter {
    /// Begins an empty fork: the main one, or the initial one of an unlogged index.
    ///
    /// # Safety
    /// `index` is open, and nobody else uses the fork, as long as the writer lives; so long lives
    /// the current memory context.
    pub unsafe fn new(index: Relation, fork: ForkNumber::Type) -> BulkWriter {
        // SAFETY: `index` is open, and nobody else uses the fork; the closure owns nothing that an
        // error would leak.
        let state = unsafe { pg_guard_ffi_boundary(|| raw::smgr_bulk_start_rel(index, fork)) };
        BulkWriter { state, blocks: 0 }
    }

    /// Adds a page with this body.
    pub fn append(&mut self, body: &[u8]) -> Result<()> {
        if body.len() != PAGE_BODY {
            return Err(Error::corrupted(self.blocks, "page body has the wrong size"));
        }
        pgrx::check_for_interrupts!();
        reserve::check()?;
        let (state, block) = (self.state, self.blocks);
        // SAFETY: the page is ours until it is given back to be written; the closures own nothing
        // that an error would leak.
        unsafe {
            let page: Page = pg_guard_ffi_boundary(|| raw::smgr_bulk_get_buf(state));
            page::init(page);
            page::body_mut(page).copy_from_slice(body);
            seal(page::body_mut(page));
            pg_guard_ffi_boundary(|| raw::smgr_bulk_write(state, block, page, true));
        }
        self.blocks += 1;
        Ok(())
    }

    /// Writes what is not written yet, and sees to it that all will be on disk.
    pub fn finish(self) {
        // SAFETY: the state is valid, and not used again.
        unsafe { pg_guard_ffi_boundary(|| raw::smgr_bulk_finish(self.state)) };
    }
}
