//! Bitmaps of rows that PostgreSQL makes of other indexes, copied to sets that can be asked.

#![allow(unsafe_code)] // calls into PostgreSQL

use memory::OutOfMemory;
use pgrx::pg_sys::{self, NodeTag, PlanState, TIDBitmap};
use tidset::{Builder, TidSet};

use super::error::Report;

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
