//! Changes of up to four pages that become visible and durable as one: a generic WAL record.
//!
//! The record is one that PostgreSQL's own replay of generic WAL understands, but it is made here:
//! `GenericXLogFinish` looks for changes byte by byte, which took a fifth of an insert's time.

#![allow(unsafe_code)] // buffers are raw memory

use std::mem::MaybeUninit;
use std::{ptr, slice, thread};

use pages::{Batch, Error, MAX_BATCH, Result, push_delta, reseal, seal};
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::{
    self, BLCKSZ, BUFFER_LOCK_EXCLUSIVE, Buffer, Page, REGBUF_FORCE_IMAGE, REGBUF_STANDARD,
};

use super::store::{RelationStore, release};
use super::{page, relation};

const _: () = assert!(MAX_BATCH <= pg_sys::MAX_GENERIC_XLOG_PAGES as usize);

/// Functions that are called in a critical section, where an error stops the server and no guard
/// is of use.
mod raw {
    use std::ffi::c_void;

    use pgrx::pg_sys::{Buffer, RmgrId, XLogRecPtr};

    unsafe extern "C-unwind" {
        pub fn MarkBufferDirty(buffer: Buffer);
        pub fn XLogBeginInsert();
        pub fn XLogRegisterBuffer(block_id: u8, buffer: Buffer, flags: u8);
        pub fn XLogRegisterBufData(block_id: u8, data: *const c_void, len: u32);
        pub fn XLogInsert(rmid: RmgrId, info: u8) -> XLogRecPtr;
    }
}

/// A page's memory, aligned for its header.
#[repr(C, align(64))]
struct Image([u8; BLCKSZ as usize]);

/// A page of a batch, pinned and locked for writing.
struct LockedPage {
    block: u32,
    buffer: Buffer,
    /// Whether the page is logged whole.
    whole: bool,
}

/// Pages locked for writing, and copies of them that are being changed.
pub struct WalBatch<'a> {
    store: &'a RelationStore<'a>,
    pages: Vec<LockedPage>,
    /// One for each page; never moves.
    images: Vec<Image>,
}

impl<'a> WalBatch<'a> {
    /// An empty batch.
    pub(super) fn new(store: &'a RelationStore<'a>) -> Self {
        let (pages, images) = (Vec::with_capacity(MAX_BATCH), Vec::with_capacity(MAX_BATCH));
        WalBatch { store, pages, images }
    }

    /// The copy of `block`, locked and copied when first asked for.
    fn copy(&mut self, block: u32, whole: bool) -> Result<Page> {
        let index = match position(&self.pages, block)? {
            Some(index) => index,
            None => self.lock(block, whole)?,
        };
        Ok(self.images[index].0.as_mut_ptr().cast())
    }

    /// Locks and copies the page that comes next, as [`position`] has checked.
    fn lock(&mut self, block: u32, whole: bool) -> Result<usize> {
        let index = self.pages.len();
        let buffer = self.store.lock(block, BUFFER_LOCK_EXCLUSIVE)?;
        // SAFETY: the buffer is pinned and locked; there is room for `MAX_BATCH` images, and memory
        // of a page is as long as one.
        unsafe {
            let page = pg_sys::BufferGetPage(buffer);
            // Replay does not change a page that is not there.
            let whole = whole || page::is_new(page);
            self.pages.push(LockedPage { block, buffer, whole });
            let spare: &mut [MaybeUninit<Image>] = self.images.spare_capacity_mut();
            ptr::copy_nonoverlapping(
                page.cast::<u8>(),
                spare[0].as_mut_ptr().cast(),
                size_of::<Image>(),
            );
            self.images.set_len(index + 1);
        }
        Ok(index)
    }

    /// Writes the copies that differ to their pages, and a WAL record of what that changes.
    ///
    /// # Safety
    /// Nothing else than this batch writes WAL meanwhile.
    unsafe fn apply(&mut self) {
        let mut changes = Vec::with_capacity(MAX_BATCH);
        for (page, image) in self.pages.iter().zip(&mut self.images) {
            let (copy, mut delta) = (image.0.as_mut_ptr().cast(), Vec::new());
            // SAFETY: the buffer is pinned and locked, the image is ours.
            unsafe {
                if page.whole {
                    seal(page::body_mut(copy));
                    page::shrink(copy);
                } else if page_of(page) != image.0 {
                    reseal(page::body(pg_sys::BufferGetPage(page.buffer)), page::body_mut(copy));
                    page::grow(copy);
                    push_delta(page_of(page), &image.0, &mut delta);
                }
            }
            if page.whole || !delta.is_empty() {
                changes.push((page, &*image, delta));
            }
        }
        // SAFETY: fields of an open relation.
        let logged = unsafe { relation::needs_wal(self.store.relation) };
        if changes.is_empty() {
            return;
        }
        // SAFETY: buffers are pinned and locked, deltas live until the record is inserted. Nothing
        // between the two counts can panic.
        unsafe {
            pg_guard_ffi_boundary(|| {
                if logged {
                    raw::XLogBeginInsert();
                }
                pg_sys::CritSectionCount += 1;
                for (id, (page, image, delta)) in (0u8..).zip(&changes) {
                    page_of(page).copy_from_slice(&image.0);
                    raw::MarkBufferDirty(page.buffer);
                    if logged && page.whole {
                        let flags = REGBUF_FORCE_IMAGE | REGBUF_STANDARD;
                        raw::XLogRegisterBuffer(id, page.buffer, flags as u8);
                    } else if logged {
                        raw::XLogRegisterBuffer(id, page.buffer, REGBUF_STANDARD as u8);
                        raw::XLogRegisterBufData(id, delta.as_ptr().cast(), delta.len() as u32);
                    }
                }
                if logged {
                    let lsn = raw::XLogInsert(pg_sys::RmgrIds::RM_GENERIC_ID as u8, 0);
                    for (page, ..) in &changes {
                        page::set_lsn(pg_sys::BufferGetPage(page.buffer), lsn);
                    }
                }
                pg_sys::CritSectionCount -= 1;
            });
        }
    }

    fn release(&mut self) {
        for page in self.pages.drain(..).rev() {
            // SAFETY: we hold it.
            unsafe { release(page.buffer) };
        }
    }
}

impl Batch for WalBatch<'_> {
    fn page(&mut self, block: u32) -> Result<&mut [u8]> {
        let copy = self.copy(block, false)?;
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
        let copy = self.copy(block, true)?;
        // SAFETY: the copy belongs to this batch.
        unsafe {
            page::init(copy);
            Ok(page::body_mut(copy))
        }
    }

    fn commit(mut self) -> Result<()> {
        if !self.pages.is_empty() {
            // SAFETY: we call nothing else meanwhile.
            unsafe { self.apply() };
        }
        self.release();
        Ok(())
    }
}

impl Drop for WalBatch<'_> {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.release();
        }
    }
}

/// Where `block` is among the pages of a batch; none if it may be locked next.
///
/// # Errors
/// [`Error::Limit`] if a record takes no more pages. [`Error::Internal`] if a higher block is locked:
/// writers that lock in different orders would wait for each other forever, as nothing detects a
/// deadlock of buffer locks.
fn position(locked: &[LockedPage], block: u32) -> Result<Option<usize>> {
    if let Some(index) = locked.iter().position(|page| page.block == block) {
        return Ok(Some(index));
    }
    if locked.len() == MAX_BATCH {
        return Err(Error::Limit("a change takes more pages than a WAL record"));
    }
    if locked.last().is_some_and(|last| last.block > block) {
        return Err(Error::Internal(format!("block {block} is locked after a higher one")));
    }
    Ok(None)
}

/// The page as it is in the buffer.
///
/// # Safety
/// The buffer is pinned and locked for writing, and this is the only reference to it.
unsafe fn page_of<'a>(page: &LockedPage) -> &'a mut [u8] {
    // SAFETY: the page of a pinned buffer stays where it is, and has `BLCKSZ` bytes, which nobody
    // else touches while we have the lock.
    unsafe {
        let page = pg_sys::BufferGetPage(page.buffer);
        slice::from_raw_parts_mut(page.cast(), BLCKSZ as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked<const N: usize>(blocks: [u32; N]) -> [LockedPage; N] {
        blocks.map(|block| LockedPage { block, buffer: 1, whole: false })
    }

    #[test]
    fn pages_are_locked_in_ascending_order_only() {
        assert_eq!(position(&[], 3), Ok(None));
        let pages = locked([3, 7]);
        assert_eq!([3, 7].map(|block| position(&pages, block)), [Ok(Some(0)), Ok(Some(1))]);
        assert_eq!(position(&pages, 9), Ok(None));
        for block in [0, 2, 5, 6] {
            assert!(matches!(position(&pages, block), Err(Error::Internal(_))), "{block}");
        }
    }

    #[test]
    fn a_batch_takes_no_more_pages_than_a_record() {
        let pages = locked([1, 2, 3, 4]);
        assert_eq!(pages.len(), MAX_BATCH);
        assert_eq!(position(&pages, 4), Ok(Some(3)));
        assert!(matches!(position(&pages, 5), Err(Error::Limit(_))));
    }
}
