//! Changes of up to four pages that become visible and durable as one: a generic WAL record.

#![allow(unsafe_code)] // buffers are raw memory

use std::{ptr, thread};

use pages::{Batch, Error, MAX_BATCH, Result};
use pgrx::pg_sys::{
    self, BUFFER_LOCK_EXCLUSIVE, Buffer, GenericXLogState, InvalidBlockNumber, Page,
};

use super::page;
use super::store::{RelationStore, release};

const _: () = assert!(MAX_BATCH <= pg_sys::MAX_GENERIC_XLOG_PAGES as usize);

/// A page of a batch: its buffer, and the copy that is being changed.
#[derive(Clone, Copy)]
struct Held {
    block: u32,
    buffer: Buffer,
    copy: Page,
}

impl Held {
    const NONE: Held = Held { block: InvalidBlockNumber, buffer: 0, copy: ptr::null_mut() };
}

/// Pages locked for writing, and one generic WAL record that will change them.
pub struct WalBatch<'a> {
    store: &'a RelationStore<'a>,
    /// Null before the first page.
    state: *mut GenericXLogState,
    held: [Held; MAX_BATCH],
    len: usize,
}

impl<'a> WalBatch<'a> {
    /// An empty batch.
    pub(super) fn new(store: &'a RelationStore<'a>) -> Self {
        WalBatch { store, state: ptr::null_mut(), held: [Held::NONE; MAX_BATCH], len: 0 }
    }

    /// The copy of `block`, locked and registered when first asked for.
    fn copy(&mut self, block: u32, flags: u32) -> Result<Page> {
        if let Some(held) = self.held[..self.len].iter().find(|held| held.block == block) {
            return Ok(held.copy);
        }
        if self.len == MAX_BATCH {
            return Err(Error::Limit("a change takes more pages than a WAL record"));
        }
        let buffer = self.store.lock(block, BUFFER_LOCK_EXCLUSIVE)?;
        // SAFETY: the relation is open, the buffer pinned and locked; `state` is freed by `finish`.
        let copy = unsafe {
            if self.state.is_null() {
                self.state = pg_sys::GenericXLogStart(self.store.relation);
            }
            pg_sys::GenericXLogRegisterBuffer(self.state, buffer, flags as i32)
        };
        self.held[self.len] = Held { block, buffer, copy };
        self.len += 1;
        Ok(copy)
    }

    /// Ends the record by `end`, then unlocks all pages.
    fn finish(&mut self, end: impl FnOnce(*mut GenericXLogState)) {
        if !self.state.is_null() {
            end(self.state);
            self.state = ptr::null_mut();
        }
        for held in self.held[..self.len].iter().rev() {
            // SAFETY: we hold it.
            unsafe { release(held.buffer) };
        }
        self.len = 0;
    }
}

impl Batch for WalBatch<'_> {
    fn page(&mut self, block: u32) -> Result<&mut [u8]> {
        let copy = self.copy(block, 0)?;
        // SAFETY: the copy belongs to this batch. A page without a header gets one, since it will
        // have a body.
        unsafe {
            if page::is_new(copy) {
                page::init(copy);
            }
            Ok(page::body_mut(copy))
        }
    }

    fn create(&mut self, block: u32) -> Result<&mut [u8]> {
        self.store.extend_to(block)?;
        let copy = self.copy(block, pg_sys::GENERIC_XLOG_FULL_IMAGE)?;
        // SAFETY: the copy belongs to this batch.
        unsafe {
            page::init(copy);
            Ok(page::body_mut(copy))
        }
    }

    fn commit(mut self) -> Result<()> {
        // SAFETY: the state is open, its buffers are locked.
        self.finish(|state| unsafe {
            pg_sys::GenericXLogFinish(state);
        });
        Ok(())
    }
}

impl Drop for WalBatch<'_> {
    fn drop(&mut self) {
        if !thread::panicking() {
            // SAFETY: the state is open.
            self.finish(|state| unsafe { pg_sys::GenericXLogAbort(state) });
        }
    }
}
