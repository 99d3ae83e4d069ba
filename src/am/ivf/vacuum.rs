//! `VACUUM`: dead rows leave the index, in one pass over its lists; then long lists are split and
//! short ones merged.

#![allow(unsafe_code)] // called by PostgreSQL

use ivf::Rebalance;
use pages::{HeapTid, PageStore};
use pgrx::pg_guard;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::{self, IndexBulkDeleteCallback, IndexBulkDeleteResult, IndexVacuumInfo};

use super::method::Method;
use super::options::Options;
use crate::am::counters;
use crate::pg::error::Report;
use crate::pg::store::RelationStore;
use crate::pg::{relation, tid};

/// Removes the rows that `callback` calls dead.
#[pg_guard]
pub unsafe extern "C-unwind" fn ambulkdelete(
    info: *mut IndexVacuumInfo,
    stats: *mut IndexBulkDeleteResult,
    callback: IndexBulkDeleteCallback,
    state: *mut std::ffi::c_void,
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
        let store = RelationStore::for_vacuum(index, (*info).strategy);
        let done = ivf::vacuum(&store, &mut is_dead)
            .map_err(|error| Report::of_index(&relation::qualified_name(index), error))
            .unwrap_or_else(|error| error.raise());
        if let Some(counters) = counters::of(index) {
            counters.add_vacuum(done.removed);
        }
        (*stats).tuples_removed += done.removed as f64;
        (*stats).num_index_tuples = done.remaining as f64;
        (*stats).estimated_count = false;
        stats
    }
}

/// Rows that one vacuum moves between lists: so many, or one of [`MOVED_SHARE`] of the table's.
const MOVED: f64 = 100_000.0;
const MOVED_SHARE: f64 = 8.0;

/// Splits and merges lists, also where no row was removed, measures them anew then, and completes the statistics.
#[pg_guard]
pub unsafe extern "C-unwind" fn amvacuumcleanup(
    info: *mut IndexVacuumInfo,
    stats: *mut IndexBulkDeleteResult,
) -> *mut IndexBulkDeleteResult {
    // SAFETY: PostgreSQL gives an open index; statistics are null where `ambulkdelete` did not run.
    unsafe {
        if (*info).analyze_only {
            return stats;
        }
        let index = (*info).index;
        let store = RelationStore::for_vacuum(index, (*info).strategy);
        let wanted = Rebalance {
            lists: Options::of(index).lists as u64,
            work: ((*info).num_heap_tuples / MOVED_SHARE).max(MOVED) as u64,
        };
        let measured = Method::of(index) == Method::Ivf;
        ivf::rebalance(&store, &wanted)
            .and_then(|done| match done.split + done.merged {
                1.. if measured => ivf::calibrate(&store, done.rows),
                _ => Ok(()),
            })
            .map_err(|error| Report::of_index(&relation::qualified_name(index), error))
            .unwrap_or_else(|error| error.raise());
        if let Some(stats) = stats.as_mut() {
            stats.num_pages = store.blocks().unwrap_or(0);
        }
    }
    stats
}
