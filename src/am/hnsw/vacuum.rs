//! `VACUUM`: dead rows leave the index, emptied elements leave the graph.
//!
//! Three passes of the crate `graph`, with a wait for running inserts after the first: a new element
//! may still be about to link to one that has just been emptied.

#![allow(unsafe_code)] // called by PostgreSQL

use std::ptr;

use graph::vacuum::{self, ClearStats};
use pages::HeapTid;
use pages::PageStore;
use pgrx::pg_guard;
use pgrx::pg_sys::{
    BufferAccessStrategy, IndexBulkDeleteCallback, IndexBulkDeleteResult, IndexVacuumInfo, Relation,
};

use crate::am::vacuum::{Removed, bulk_delete};
use crate::pg::error::Report;
use crate::pg::store::RelationStore;
use crate::pg::{lock, relation};

/// Removes the rows that `callback` calls dead.
#[pg_guard]
pub unsafe extern "C-unwind" fn ambulkdelete(
    info: *mut IndexVacuumInfo,
    stats: *mut IndexBulkDeleteResult,
    callback: IndexBulkDeleteCallback,
    state: *mut std::ffi::c_void,
) -> *mut IndexBulkDeleteResult {
    // SAFETY: PostgreSQL gives an open index and a valid strategy; these are the arguments.
    unsafe {
        bulk_delete(info, stats, (callback, state), |is_dead| {
            remove_dead((*info).index, (*info).strategy, is_dead)
        })
    }
}

/// # Safety
/// `index` is open, `strategy` is valid.
unsafe fn remove_dead(
    index: Relation,
    strategy: BufferAccessStrategy,
    is_dead: &mut dyn FnMut(HeapTid) -> bool,
) -> pages::Result<Removed> {
    // The first pass is sequential. The others follow edges, and would read each page many times
    // through the few buffers of the strategy.
    // SAFETY: the caller's promise.
    let sequential = unsafe { RelationStore::for_vacuum(index, strategy) };
    // SAFETY: as above; null stands for all buffers.
    let store = unsafe { RelationStore::for_vacuum(index, ptr::null_mut()) };
    let (emptied, ClearStats { removed, remaining, .. }) = vacuum::clear(&sequential, is_dead)?;
    // SAFETY: the caller's promise.
    unsafe { lock::wait_for_inserts(index) };
    vacuum::unlink(&store, &emptied)?;
    vacuum::free(&store, emptied)?;
    Ok(Removed { removed, remaining })
}

/// Completes the statistics of a vacuum that removed rows, and measures searches anew in an index
/// half of which has come or gone since they were measured.
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
    if graph::outgrown(store)? { graph::calibrate(store).map(drop) } else { Ok(()) }
}
