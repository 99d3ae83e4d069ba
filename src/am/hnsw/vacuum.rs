//! `VACUUM`: dead rows leave the index, emptied elements leave the graph.
//!
//! Three passes of the crate `graph`, with a wait for running inserts after the first: a new element
//! may still be about to link to one that has just been emptied.

#![allow(unsafe_code)] // called by PostgreSQL

use std::ptr;

use graph::vacuum;
use pages::HeapTid;
use pages::PageStore;
use pgrx::pg_guard;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::{
    self, BufferAccessStrategy, IndexBulkDeleteCallback, IndexBulkDeleteResult, IndexVacuumInfo,
    ItemPointer, Relation,
};

use crate::am::counters;
use crate::pg::error::Report;
use crate::pg::store::RelationStore;
use crate::pg::{lock, relation, tid};

/// PostgreSQL's function that tells whether a row is dead.
type IsDead = unsafe extern "C-unwind" fn(ItemPointer, *mut std::ffi::c_void) -> bool;

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
        let removed = remove_dead(index, (*info).strategy, callback, state)
            .map_err(|error| Report::of_index(&relation::qualified_name(index), error))
            .unwrap_or_else(|error| error.raise());
        if let Some(counters) = counters::of(index) {
            counters.add_vacuum(removed.removed);
        }
        (*stats).tuples_removed += removed.removed as f64;
        (*stats).num_index_tuples = removed.remaining as f64;
        (*stats).estimated_count = false;
        stats
    }
}

/// # Safety
/// `index` is open, `strategy` is valid, `state` is what `callback` wants.
unsafe fn remove_dead(
    index: Relation,
    strategy: BufferAccessStrategy,
    callback: IsDead,
    state: *mut std::ffi::c_void,
) -> pages::Result<vacuum::ClearStats> {
    let mut is_dead = |tid: HeapTid| {
        let mut tid = tid::to_item_pointer(tid);
        // SAFETY: the caller's promise; the closure owns nothing that an error would leak.
        unsafe { pg_guard_ffi_boundary(|| callback(&raw mut tid, state)) }
    };
    // The first pass is sequential. The others follow edges, and would read each page many times
    // through the few buffers of the strategy.
    // SAFETY: the caller's promise.
    let sequential = unsafe { RelationStore::for_vacuum(index, strategy) };
    // SAFETY: as above; null stands for all buffers.
    let store = unsafe { RelationStore::for_vacuum(index, ptr::null_mut()) };
    let (emptied, stats) = vacuum::clear(&sequential, &mut is_dead)?;
    // SAFETY: the caller's promise.
    unsafe { lock::wait_for_inserts(index) };
    vacuum::unlink(&store, &emptied)?;
    vacuum::free(&store, emptied)?;
    Ok(stats)
}

/// Completes the statistics of a vacuum that removed rows, and measures searches anew in an index
/// that has grown to twice its size since they were measured.
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
        let store = RelationStore::new(index);
        if let Some(stats) = stats.as_mut() {
            stats.num_pages = store.blocks().unwrap_or(0);
        }
        recalibrate(&store)
            .map_err(|error| Report::of_index(&relation::qualified_name(index), error))
            .unwrap_or_else(|error| error.raise());
    }
    stats
}

fn recalibrate(store: &RelationStore) -> pages::Result<()> {
    if graph::outgrown(store)? { graph::calibrate(store) } else { Ok(()) }
}
