//! An index relation as a store of pages, over the buffer manager and generic WAL.
//!
//! A visit of a page calls C twice: pin and lock under one guard, then unlock and unpin without
//! one (which raises no error for a page that is held). So it costs about 10 ns over plain C,
//! where one guard for each call costs 30 ns of about 110.
//!
//! When a statement fails, PostgreSQL's abort releases locks and pins. While Rust unwinds to let
//! it do so nothing is released here: raising the error has already reset the count of held-off
//! interrupts that a release would count down.

#![allow(unsafe_code)] // buffers are raw memory

use std::cell::Cell;
use std::marker::PhantomData;
use std::ops::{Deref, Range};
use std::{ptr, thread};

use pages::{Error, MAX_GAP, PageStore, Result};
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::{
    self, BUFFER_LOCK_SHARE, Buffer, BufferAccessStrategy, InvalidBlockNumber, Relation,
};

use super::ahead::ReadAhead;
use super::attempt::extend_if_there_is_room;
use super::batch::WalBatch;
use super::recent::RecentBuffers;
use super::version::RelFile;
use super::{page, reserve, version};

const MAIN: pg_sys::ForkNumber::Type = pg_sys::ForkNumber::MAIN_FORKNUM;
const NORMAL: pg_sys::ReadBufferMode::Type = pg_sys::ReadBufferMode::RBM_NORMAL;

/// The functions of a page visit as they are, without pgrx's guard round each.
mod raw {
    use pgrx::pg_sys::{
        BlockNumber, Buffer, BufferAccessStrategy, ForkNumber, ReadBufferMode, Relation,
    };

    use crate::pg::version::RelFile;

    unsafe extern "C-unwind" {
        pub fn ReadBufferExtended(
            relation: Relation,
            fork: ForkNumber::Type,
            block: BlockNumber,
            mode: ReadBufferMode::Type,
            strategy: BufferAccessStrategy,
        ) -> Buffer;
        pub fn ReadRecentBuffer(
            file: RelFile,
            fork: ForkNumber::Type,
            block: BlockNumber,
            recent: Buffer,
        ) -> bool;
        pub fn LockBuffer(buffer: Buffer, mode: i32);
        pub fn UnlockReleaseBuffer(buffer: Buffer);
    }
}

/// What [`PageStore::pause`] does beside looking for a request to stop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// Nothing.
    Full,
    /// Sleeps as `vacuum_cost_delay` says.
    Vacuum,
}

/// The main fork of an open index.
pub struct RelationStore<'a> {
    pub(super) relation: Relation,
    strategy: BufferAccessStrategy,
    pace: Pace,
    /// Whether lack of room for another page is told rather than raised.
    optional: bool,
    /// Blocks when last asked: an index never shrinks.
    blocks: Cell<u32>,
    /// Pages held for reading so far, again ones included.
    reads: Cell<u64>,
    ahead: ReadAhead,
    recent: &'static RecentBuffers,
    /// The file whose pages `recent` may know.
    file: Option<RelFile>,
    open: PhantomData<&'a ()>,
}

impl RelationStore<'_> {
    /// # Safety
    /// `index` stays open, with a lock, during `'a`.
    pub unsafe fn new(index: Relation) -> Self {
        RelationStore {
            relation: index,
            strategy: ptr::null_mut(),
            pace: Pace::Full,
            optional: false,
            blocks: Cell::new(0),
            reads: Cell::new(0),
            ahead: ReadAhead::default(),
            recent: RecentBuffers::of_backend(),
            // SAFETY: `index` is open.
            file: unsafe { version::shared_file(index) },
            open: PhantomData,
        }
    }

    /// For vacuum: reads through the buffers of `strategy`, and pauses as its cost limits say.
    ///
    /// # Safety
    /// As [`RelationStore::new`]; `strategy` is null or valid as long.
    pub unsafe fn for_vacuum(index: Relation, strategy: BufferAccessStrategy) -> Self {
        // SAFETY: `index` stays open during `'a`, and `strategy`, if it is not null, valid.
        RelationStore { strategy, pace: Pace::Vacuum, file: None, ..unsafe { Self::new(index) } }
    }

    /// For work that is left undone where there is no room for another page: what needs one fails with
    /// [`Error::NoRoom`], and the statement goes on.
    pub fn optional(self) -> Self {
        RelationStore { optional: true, ..self }
    }

    /// The index.
    pub(super) fn relation(&self) -> Relation {
        self.relation
    }

    /// Counts pages of the index that were held for reading through another store.
    pub fn add_reads(&self, reads: u64) {
        self.reads.set(self.reads.get() + reads);
    }

    /// Pages held for reading so far, again ones included.
    pub fn reads(&self) -> u64 {
        self.reads.get()
    }

    /// Pins and locks an existing block.
    #[inline]
    pub(super) fn lock(&self, block: u32, mode: u32) -> Result<Buffer> {
        if block >= self.blocks.get() && block >= self.blocks()? {
            return Err(Error::corrupted(block, "block is beyond the end of the index"));
        }
        // SAFETY: the relation is open; the closure owns nothing that an error would leak.
        let buffer = unsafe {
            pg_guard_ffi_boundary(|| {
                let buffer = self.pin(block);
                raw::LockBuffer(buffer, mode as i32);
                buffer
            })
        };
        Ok(buffer)
    }

    /// Pins an existing block, where it was seen last if it is still there.
    ///
    /// # Safety
    /// To be called under a guard; owns nothing that an error would leak.
    #[inline]
    unsafe fn pin(&self, block: u32) -> Buffer {
        // SAFETY: the relation is open; a buffer that was seen exists.
        unsafe {
            let read =
                || raw::ReadBufferExtended(self.relation, MAIN, block, NORMAL, self.strategy);
            let Some(file) = self.file else { return read() };
            if self.recent.suffices()
                && let Some(buffer) = self.recent.get(file, block)
                && raw::ReadRecentBuffer(file, MAIN, block, buffer)
            {
                version::count_hit(self.relation);
                return buffer;
            }
            let buffer = read();
            self.recent.set(file, block, buffer);
            buffer
        }
    }

    /// Makes `block` exist.
    pub(super) fn extend_to(&self, block: u32) -> Result<()> {
        if block < self.blocks.get() {
            return Ok(());
        }
        if self.optional {
            // SAFETY: nothing else is done.
            unsafe { extend_if_there_is_room(|| self.add_pages_to(block)) }
        } else {
            self.add_pages_to(block)
        }
    }

    fn add_pages_to(&self, block: u32) -> Result<()> {
        let lock = pg_sys::ExclusiveLock as i32;
        // SAFETY: the relation is open; the lock keeps others from adding the same page.
        unsafe {
            pg_sys::LockRelationForExtension(self.relation, lock);
            let end = self.blocks()?;
            let near = block.saturating_sub(end) <= MAX_GAP;
            for _ in end..=(if near { block } else { 0 }) {
                let buffer = pg_sys::ReadBuffer(self.relation, InvalidBlockNumber);
                pg_sys::ReleaseBuffer(buffer);
            }
            pg_sys::UnlockRelationForExtension(self.relation, lock);
            if near {
                Ok(())
            } else {
                Err(Error::corrupted(block, "block is beyond the end of the index"))
            }
        }
    }
}

impl PageStore for RelationStore<'_> {
    type Page<'a>
        = ReadPage<'a>
    where
        Self: 'a;
    type Batch<'a>
        = WalBatch<'a>
    where
        Self: 'a;

    fn blocks(&self) -> Result<u32> {
        // SAFETY: the relation is open.
        let blocks = unsafe { pg_sys::RelationGetNumberOfBlocksInFork(self.relation, MAIN) };
        self.blocks.set(blocks);
        Ok(blocks)
    }

    #[inline]
    fn read(&self, block: u32) -> Result<ReadPage<'_>> {
        let buffer = self.lock(block, BUFFER_LOCK_SHARE)?;
        self.reads.set(self.reads.get() + 1);
        // SAFETY: the buffer is pinned, and locked against writers, until the result is dropped.
        let body = unsafe { page::body(pg_sys::BufferGetPage(buffer)) };
        Ok(ReadPage { buffer, body })
    }

    #[inline]
    fn read_ahead(&self) -> usize {
        // SAFETY: the relation is open.
        self.ahead.pages(|| unsafe { (*(*self.relation).rd_rel).reltablespace })
    }

    fn prefetch(&self, block: u32) {
        if block < self.blocks.get() {
            // SAFETY: the relation is open, the block exists.
            unsafe { pg_sys::PrefetchBuffer(self.relation, MAIN, block) };
        }
    }

    #[inline]
    fn warm(&self, block: u32, bytes: Range<usize>) {
        if let Some(buffer) = self.file.and_then(|file| self.recent.get(file, block)) {
            page::warm(buffer, bytes);
        }
    }

    fn batch(&self) -> WalBatch<'_> {
        WalBatch::new(self)
    }

    fn pause(&self) -> Result<()> {
        match self.pace {
            Pace::Full => self.stop_if_asked(),
            Pace::Vacuum => {
                // SAFETY: no page is held here.
                unsafe { version::vacuum_delay_point() };
                Ok(reserve::check()?)
            }
        }
    }

    fn stop_if_asked(&self) -> Result<()> {
        pgrx::check_for_interrupts!();
        Ok(reserve::check()?)
    }
}

/// A page held for reading.
pub struct ReadPage<'a> {
    buffer: Buffer,
    body: &'a [u8],
}

impl Deref for ReadPage<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.body
    }
}

impl Drop for ReadPage<'_> {
    #[inline]
    fn drop(&mut self) {
        if !thread::panicking() {
            // SAFETY: we hold it.
            unsafe { release(self.buffer) };
        }
    }
}

/// Unlocks and unpins a buffer.
///
/// # Safety
/// We hold both lock and pin; then it raises no error, which is why it has no guard.
#[inline]
pub(super) unsafe fn release(buffer: Buffer) {
    // SAFETY: this backend has pinned and locked the buffer, so no error is raised.
    unsafe { raw::UnlockReleaseBuffer(buffer) };
}
