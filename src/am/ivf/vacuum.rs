//! `VACUUM`: dead rows leave the index, in one pass over its lists; then long lists are split, short
//! ones merged, and those renewed whose rows have drifted.

#![allow(unsafe_code)] // opens stores of PostgreSQL's pages

use ivf::{Rebalance, VacuumStats};
use pages::HeapTid;
use pgrx::PgSqlErrorCode::ERRCODE_DISK_FULL;
use pgrx::pg_sys::IndexVacuumInfo;

use super::method::Method;
use super::options::Options;
use super::variant::Variant;
use crate::am::vacuum::{Removed, Vacuum};
use crate::pg::error::Report;
use crate::pg::relation;
use crate::pg::store::RelationStore;

/// Rows that one vacuum moves between lists: so many, or one of [`MOVED_SHARE`] of the table's.
const MOVED: f64 = 100_000.0;
const MOVED_SHARE: f64 = 8.0;

impl<V: Variant> Vacuum for Method<V> {
    unsafe fn remove(
        info: &IndexVacuumInfo,
        is_dead: &mut dyn FnMut(HeapTid) -> bool,
    ) -> pages::Result<Removed> {
        // SAFETY: the index is open and locked, and the strategy valid, while it is vacuumed.
        let store = unsafe { RelationStore::for_vacuum(info.index, info.strategy) };
        let VacuumStats { removed, remaining } = ivf::vacuum(&store, is_dead)?;
        Ok(Removed { removed, remaining })
    }

    /// Splits, merges and renews lists, and measures them anew then.
    unsafe fn clean_up(info: &IndexVacuumInfo, _: bool) -> pages::Result<()> {
        // SAFETY: the index is open and locked, and the strategy valid, while it is vacuumed.
        let (store, options) = unsafe {
            let store = RelationStore::for_vacuum(info.index, info.strategy).optional();
            (store, Options::of(V::parameters(), info.index))
        };
        let work = (info.num_heap_tuples / MOVED_SHARE).max(MOVED) as u64;
        let mut done = ivf::rebalance(&store, &Rebalance { lists: options.lists as u64, work })?;
        if let Some(why) = done.no_room.take() {
            // SAFETY: the index is open.
            no_room(&unsafe { relation::qualified_name(info.index) }, why).log();
        }
        if V::MEASURED { ivf::recalibrate(&store, &done) } else { Ok(()) }
    }
}

/// Lists of `index` are left as they are.
fn no_room(index: &str, why: String) -> Report {
    Report::new(ERRCODE_DISK_FULL, format!("could not reorganize lists of index {index}"))
        .detail(format!("There is no room for more pages: {why}."))
        .hint("The index is sound. A later vacuum tries again.")
}
