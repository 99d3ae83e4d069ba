//! `VACUUM`: dead rows leave an index.

#![allow(unsafe_code)] // called by PostgreSQL

use std::ffi::c_void;

use pages::{HeapTid, PageStore};
use pgrx::pg_guard;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::{self, IndexBulkDeleteCallback, IndexBulkDeleteResult, IndexVacuumInfo};

use super::counters;
use super::method::AccessMethod;
use crate::pg::error::Report;
use crate::pg::store::RelationStore;
use crate::pg::{relation, tid};

/// How an access method vacuums an index.
pub trait Vacuum: AccessMethod {
    /// Removes the rows that are dead.
    ///
    /// # Safety
    /// Index and strategy of `info` are valid.
    unsafe fn remove(
        info: &IndexVacuumInfo,
        is_dead: &mut dyn FnMut(HeapTid) -> bool,
    ) -> pages::Result<Removed>;
    /// Does what is left to do at the end; `removed` tells whether [`Vacuum::remove`] was called before.
    ///
    /// # Safety
    /// As [`Vacuum::remove`].
    unsafe fn clean_up(info: &IndexVacuumInfo, removed: bool) -> pages::Result<()>;
}

/// Rows of an index after a vacuum.
pub struct Removed {
    /// Dead rows that it held.
    pub removed: u64,
    /// Rows that it holds now.
    pub remaining: u64,
}

/// Removes the rows that `callback` calls dead.
#[pg_guard]
pub unsafe extern "C-unwind" fn ambulkdelete<M: Vacuum>(
    info: *mut IndexVacuumInfo,
    stats: *mut IndexBulkDeleteResult,
    callback: IndexBulkDeleteCallback,
    state: *mut c_void,
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
        let Removed { removed, remaining } = M::remove(&*info, &mut is_dead)
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

/// Ends a vacuum, and completes its statistics.
#[pg_guard]
pub unsafe extern "C-unwind" fn amvacuumcleanup<M: Vacuum>(
    info: *mut IndexVacuumInfo,
    stats: *mut IndexBulkDeleteResult,
) -> *mut IndexBulkDeleteResult {
    // SAFETY: PostgreSQL gives an open index; statistics are null where `ambulkdelete` did not run.
    unsafe {
        if (*info).analyze_only {
            return stats;
        }
        let index = (*info).index;
        M::clean_up(&*info, !stats.is_null())
            .map_err(|error| Report::of_index(&relation::qualified_name(index), error))
            .unwrap_or_else(|error| error.raise());
        if let Some(stats) = stats.as_mut() {
            stats.num_pages = RelationStore::new(index).blocks().unwrap_or(0);
        }
    }
    stats
}
