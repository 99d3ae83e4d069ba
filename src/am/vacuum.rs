//! `VACUUM`: dead rows leave an index.

#![allow(unsafe_code)] // called by PostgreSQL

use std::ffi::c_void;

use pages::HeapTid;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::{self, IndexBulkDeleteCallback, IndexBulkDeleteResult, IndexVacuumInfo};

use super::counters;
use crate::pg::error::Report;
use crate::pg::{relation, tid};

/// Rows of an index after a vacuum.
pub struct Removed {
    /// Dead rows that it held.
    pub removed: u64,
    /// Rows that it holds now.
    pub remaining: u64,
}

/// Has `remove` take out of an index the rows that it is told are dead.
///
/// # Safety
/// Called from `ambulkdelete`, with its arguments.
pub unsafe fn bulk_delete(
    info: *mut IndexVacuumInfo,
    stats: *mut IndexBulkDeleteResult,
    (callback, state): (IndexBulkDeleteCallback, *mut c_void),
    remove: impl FnOnce(&mut dyn FnMut(HeapTid) -> bool) -> pages::Result<Removed>,
) -> *mut IndexBulkDeleteResult {
    // SAFETY: PostgreSQL gives an open index, and statistics of an earlier round or null.
    unsafe {
        let stats = if stats.is_null() {
            pg_sys::palloc0(size_of::<IndexBulkDeleteResult>()).cast()
        } else {
            stats
        };
        let Some(callback) = callback else { return stats };
        let index = (*info).index;
        let mut is_dead = |tid: HeapTid| {
            let mut tid = tid::to_item_pointer(tid);
            // The closure owns nothing that an error would leak.
            pg_guard_ffi_boundary(|| callback(&raw mut tid, state))
        };
        let Removed { removed, remaining } = remove(&mut is_dead)
            .map_err(|error| Report::of_index(&relation::qualified_name(index), error))
            .unwrap_or_else(|error| error.raise());
        if let Some(counters) = counters::of(index) {
            counters.add_vacuum(removed);
        }
        (*stats).tuples_removed += removed as f64;
        (*stats).num_index_tuples = remaining as f64;
        (*stats).estimated_count = false;
        stats
    }
}
