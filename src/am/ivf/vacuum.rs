//! `VACUUM`: dead rows leave the index, in one pass over its lists; then long lists are split, short
//! ones merged, and those renewed whose rows have drifted.

#![allow(unsafe_code)] // called by PostgreSQL

use ivf::{Rebalance, VacuumStats};
use pages::PageStore;
use pgrx::PgSqlErrorCode::ERRCODE_DISK_FULL;
use pgrx::pg_guard;
use pgrx::pg_sys::{IndexBulkDeleteCallback, IndexBulkDeleteResult, IndexVacuumInfo};

use super::method::Method;
use super::options::Options;
use crate::am::vacuum::{Removed, bulk_delete};
use crate::pg::error::Report;
use crate::pg::relation;
use crate::pg::store::RelationStore;

/// Removes the rows that `callback` calls dead.
#[pg_guard]
pub unsafe extern "C-unwind" fn ambulkdelete(
    info: *mut IndexVacuumInfo,
    stats: *mut IndexBulkDeleteResult,
    callback: IndexBulkDeleteCallback,
    state: *mut std::ffi::c_void,
) -> *mut IndexBulkDeleteResult {
    // SAFETY: PostgreSQL gives an open index; these are the arguments.
    unsafe {
        bulk_delete(info, stats, (callback, state), |is_dead| {
            let store = RelationStore::for_vacuum((*info).index, (*info).strategy);
            let VacuumStats { removed, remaining } = ivf::vacuum(&store, is_dead)?;
            Ok(Removed { removed, remaining })
        })
    }
}

/// Rows that one vacuum moves between lists: so many, or one of [`MOVED_SHARE`] of the table's.
const MOVED: f64 = 100_000.0;
const MOVED_SHARE: f64 = 8.0;

/// Splits, merges and renews lists, also where no row was removed, measures them anew then, and
/// completes the statistics.
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
        let store = RelationStore::for_vacuum(index, (*info).strategy).optional();
        let wanted = Rebalance {
            lists: Options::of(index).lists as u64,
            work: ((*info).num_heap_tuples / MOVED_SHARE).max(MOVED) as u64,
        };
        let measured = Method::of(index) == Method::Ivf;
        ivf::rebalance(&store, &wanted)
            .and_then(|done| {
                if let Some(why) = done.no_room {
                    no_room(&relation::qualified_name(index), why).log();
                }
                match done.split + done.merged + done.renewed {
                    1.. if measured => ivf::calibrate(&store, done.rows),
                    _ => Ok(()),
                }
            })
            .map_err(|error| Report::of_index(&relation::qualified_name(index), error))
            .unwrap_or_else(|error| error.raise());
        if let Some(stats) = stats.as_mut() {
            stats.num_pages = store.blocks().unwrap_or(0);
        }
    }
    stats
}

/// Lists of `index` are left as they are.
fn no_room(index: &str, why: String) -> Report {
    Report::new(ERRCODE_DISK_FULL, format!("could not reorganize lists of index {index}"))
        .detail(format!("There is no room for more pages: {why}."))
        .hint("The index is sound. A later vacuum tries again.")
}
