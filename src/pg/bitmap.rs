//! Bitmaps of rows: those that PostgreSQL makes of other indexes, copied to sets that can be asked, and those
//! that we make.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::ptr;

use memory::{Grow, OutOfMemory};
use pages::HeapTid;
use pgrx::pg_sys::{self, BitmapIndexScanState, NodeTag, PlanState, ScanDirection, TIDBitmap};
use tidset::{Builder, TidSet};

use super::error::Report;
use super::{tid, version};

/// Line pointers that a page has room for.
const MOST_OFFSETS: usize = pg_sys::BLCKSZ as usize / 28;

/// Runs a node of a plan that makes a bitmap.
///
/// # Errors
/// That memory is used up; and a bug, if the node makes something else.
///
/// # Safety
/// The node was begun, and has not been run since it was begun or asked to begin anew.
pub unsafe fn rows_of(node: *mut PlanState) -> Result<TidSet, Report> {
    // SAFETY: the node is ready to be run, and what it makes is ours.
    unsafe {
        let made = pg_sys::MultiExecProcNode(node);
        if made.is_null() || (*made).type_ != NodeTag::T_TIDBitmap {
            return Err(Report::internal("a node below a vector scan makes no bitmap"));
        }
        copy(made.cast())
    }
}

/// Whether a node finds at most so many rows of a btree or hash index. It reads no more of these, and can be run
/// afterwards.
///
/// # Safety
/// The node was begun, makes a bitmap, and is not being run.
pub unsafe fn finds_at_most(node: *mut PlanState, most: usize) -> bool {
    // SAFETY: the node is of the type that it says. It has a scan of its index, which nobody reads now; to
    // begin anew computes the keys that it looks for.
    unsafe {
        if (*node).type_ != NodeTag::T_BitmapIndexScanState {
            return false;
        }
        let of = node.cast::<BitmapIndexScanState>();
        let method = (*(*(*of).biss_RelationDesc).rd_rel).relam;
        let gives_rows = [pg_sys::BTREE_AM_OID, pg_sys::HASH_AM_OID].contains(&method);
        // The node combines arrays that the index does not know.
        if !gives_rows || (*of).biss_NumArrayKeys > 0 {
            return false;
        }
        pg_sys::ExecReScan(node);
        let (scan, keys) = ((*of).biss_ScanDesc, (*of).biss_NumScanKeys);
        let next = || pg_sys::index_getnext_tid(scan, ScanDirection::ForwardScanDirection);
        let found = (0..=most).take_while(|_| !next().is_null()).count();
        pg_sys::index_rescan(scan, (*of).biss_ScanKeys, keys, ptr::null_mut(), 0);
        found <= most
    }
}

/// Copies a bitmap, and frees it.
///
/// # Errors
/// That memory is used up.
///
/// # Safety
/// Nobody else has the bitmap.
pub unsafe fn copy(bitmap: *mut TIDBitmap) -> Result<TidSet, Report> {
    // SAFETY: nobody else has it. After an error its memory goes with the query.
    unsafe {
        let mut builder = Builder::default();
        for_each_page(bitmap, |block, offsets| builder.push(block, offsets))?;
        pg_sys::tbm_free(bitmap);
        Ok(builder.finish()?)
    }
}

/// Rows that a bitmap gets at a time.
const ROWS_AT_A_TIME: usize = 1_000;

/// A bitmap that is being made. PostgreSQL keeps it within `work_mem`: it forgets which rows of a page are in
/// it where these are too many.
pub struct RowBitmap {
    bitmap: *mut TIDBitmap,
    /// Whether rows have to be tested again.
    recheck: bool,
    rows: Vec<pg_sys::ItemPointerData>,
    /// Rows added.
    count: u64,
}

impl RowBitmap {
    /// A new one, in the current memory context.
    pub fn new() -> Self {
        // SAFETY: the bitmap is used up before the current memory context goes.
        unsafe { Self::of(version::new_bitmap()) }
    }

    /// One of PostgreSQL's.
    ///
    /// # Safety
    /// The bitmap lives as long, and nobody reads it meanwhile.
    pub unsafe fn of(bitmap: *mut TIDBitmap) -> Self {
        Self { bitmap, recheck: false, rows: Vec::new(), count: 0 }
    }

    /// Has rows that are added from now on tested again.
    pub fn recheck(&mut self) {
        self.recheck = true;
    }

    /// Adds a row, which may be in it already.
    ///
    /// # Errors
    /// That memory is used up.
    pub fn add(&mut self, row: HeapTid) -> Result<(), OutOfMemory> {
        self.rows.try_push(tid::to_item_pointer(row))?;
        if self.rows.len() == ROWS_AT_A_TIME {
            self.flush();
        }
        Ok(())
    }

    /// Adds all rows of the first `blocks` pages of a table, to be tested again.
    pub fn add_pages(&mut self, blocks: u32) {
        for block in 0..blocks {
            pgrx::check_for_interrupts!();
            // SAFETY: the bitmap lives and is not being read.
            unsafe { pg_sys::tbm_add_page(self.bitmap, block) };
        }
    }

    /// Ends it. Returns the number of rows that were added one by one.
    pub fn finish(mut self) -> u64 {
        self.flush();
        self.count
    }

    /// Its rows, as a set that can be asked, in place of a bitmap that [`RowBitmap::new`] made.
    ///
    /// # Errors
    /// That memory is used up.
    ///
    /// # Safety
    /// The bitmap is none of PostgreSQL's.
    pub unsafe fn into_set(mut self) -> Result<TidSet, Report> {
        self.flush();
        // SAFETY: the bitmap is ours.
        unsafe { copy(self.bitmap) }
    }

    fn flush(&mut self) {
        pgrx::check_for_interrupts!();
        self.count += self.rows.len() as u64;
        // SAFETY: the bitmap lives and is not being read.
        unsafe {
            let (rows, count) = (self.rows.as_mut_ptr(), self.rows.len() as i32);
            pg_sys::tbm_add_tuples(self.bitmap, rows, count, self.recheck);
        }
        self.rows.clear();
    }
}

/// Shows all pages of a bitmap, in order, with the line pointers of its rows; none where these are
/// unknown.
///
/// # Safety
/// The bitmap is not being read.
#[cfg(not(feature = "pg18"))]
unsafe fn for_each_page(
    bitmap: *mut TIDBitmap,
    mut visit: impl FnMut(u32, &[u16]) -> Result<(), OutOfMemory>,
) -> Result<(), OutOfMemory> {
    // SAFETY: nobody else reads the bitmap; a page has as many line pointers as told, none if negative.
    unsafe {
        let iterator = pg_sys::tbm_begin_iterate(bitmap);
        while let Some(page) = pg_sys::tbm_iterate(iterator).as_ref() {
            pgrx::check_for_interrupts!();
            let count = usize::try_from(page.ntuples).unwrap_or(0);
            visit(page.blockno, page.offsets.as_slice(count))?;
        }
        pg_sys::tbm_end_iterate(iterator);
    }
    Ok(())
}

/// The same since 18, which tells line pointers by a call of their own.
///
/// # Safety
/// As above.
#[cfg(feature = "pg18")]
unsafe fn for_each_page(
    bitmap: *mut TIDBitmap,
    mut visit: impl FnMut(u32, &[u16]) -> Result<(), OutOfMemory>,
) -> Result<(), OutOfMemory> {
    let mut offsets = [0; MOST_OFFSETS];
    // SAFETY: nobody else reads the bitmap, which is in private memory; there is room for all line
    // pointers of a page.
    unsafe {
        let iterator = pg_sys::tbm_begin_private_iterate(bitmap);
        let mut page = std::mem::zeroed::<pg_sys::TBMIterateResult>();
        while pg_sys::tbm_private_iterate(iterator, &raw mut page) {
            pgrx::check_for_interrupts!();
            let count = if page.lossy {
                0
            } else {
                let room = offsets.len() as u32;
                pg_sys::tbm_extract_page_tuple(&raw mut page, offsets.as_mut_ptr(), room)
            };
            visit(
                page.blockno,
                &offsets[..usize::try_from(count).unwrap_or(0).min(offsets.len())],
            )?;
        }
        pg_sys::tbm_end_private_iterate(iterator);
    }
    Ok(())
}

/// Line pointers of a page, of which any may be that of a row.
pub fn all_offsets() -> impl Iterator<Item = u16> {
    1..=MOST_OFFSETS as u16
}
