//! `VACUUM`: dead rows leave the index, emptied elements leave the graph.
//!
//! Three passes of the crate `graph`, with a wait for running inserts after the first: a new element
//! may still be about to link to one that has just been emptied.

#![allow(unsafe_code)] // opens stores of PostgreSQL's pages

use std::ptr;

use graph::vacuum::{self, ClearStats};
use pages::HeapTid;
use pgrx::pg_sys::IndexVacuumInfo;

use super::method::Method;
use crate::am::vacuum::{Removed, Vacuum};
use crate::pg::lock;
use crate::pg::store::RelationStore;

impl Vacuum for Method {
    unsafe fn remove(
        info: &IndexVacuumInfo,
        is_dead: &mut dyn FnMut(HeapTid) -> bool,
    ) -> pages::Result<Removed> {
        // The first pass is sequential. The others follow edges, and would read each page many times
        // through the few buffers of the strategy.
        // SAFETY: the index is open and locked, and the strategy valid, while it is vacuumed.
        let sequential = unsafe { RelationStore::for_vacuum(info.index, info.strategy) };
        // SAFETY: as above; null stands for all buffers.
        let store = unsafe { RelationStore::for_vacuum(info.index, ptr::null_mut()) };
        let (emptied, ClearStats { removed, remaining, .. }) = vacuum::clear(&sequential, is_dead)?;
        // SAFETY: the index is open and locked while it is vacuumed.
        unsafe { lock::wait_for_inserts(info.index) };
        vacuum::unlink(&store, &emptied)?;
        vacuum::free(&store, emptied)?;
        Ok(Removed { removed, remaining })
    }

    /// Measures searches anew in an index half of which has come or gone since they were measured.
    unsafe fn clean_up(info: &IndexVacuumInfo, _: bool) -> pages::Result<()> {
        // SAFETY: the index is open and locked while it is vacuumed.
        let store = unsafe { RelationStore::new(info.index) };
        if graph::outgrown(&store)? { graph::calibrate(&store).map(drop) } else { Ok(()) }
    }
}
