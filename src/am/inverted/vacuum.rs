//! `VACUUM`: dead rows leave the index, and segments are merged.

#![allow(unsafe_code)] // opens stores of PostgreSQL's pages

use inverted::VacuumStats;
use pages::HeapTid;
use pgrx::pg_sys::IndexVacuumInfo;

use super::method::Method;
use crate::am::vacuum::{Removed, Vacuum};
use crate::pg::store::RelationStore;

impl Vacuum for Method {
    unsafe fn remove(
        info: &IndexVacuumInfo,
        is_dead: &mut dyn FnMut(HeapTid) -> bool,
    ) -> pages::Result<Removed> {
        // SAFETY: the index is open and locked, and the strategy valid, while it is vacuumed.
        let store = unsafe { RelationStore::for_vacuum(info.index, info.strategy) };
        let VacuumStats { removed, remaining } = inverted::vacuum(&store, is_dead)?;
        Ok(Removed { removed, remaining })
    }

    /// Merges what inserts have left in many segments, also where no row is dead.
    unsafe fn clean_up(info: &IndexVacuumInfo, removed: bool) -> pages::Result<()> {
        // SAFETY: the index is open and locked, and the strategy valid, while it is vacuumed.
        let store = unsafe { RelationStore::for_vacuum(info.index, info.strategy) };
        if removed { Ok(()) } else { inverted::cleanup(&store).map(drop) }
    }
}
