//! What a scan costs, in the planner's units.
//!
//! A scan *expands* elements: it reads the page of one (or several, where vectors are long),
//! computes one exact distance and scores all neighbors by their codes. The model:
//!
//! * The first row comes after as many expansions as the index's calibration says for the width
//!   that the settings choose; a beam has about 1.5 entries a row, and the descent takes ten.
//! * The beam gives as many rows as it is wide. Each further one takes [`EXPANSIONS_PER_ROW`]. Where
//!   the LIMIT is known, and so the rows that the index has to give until enough of them have passed
//!   the filter, the total is such that what PostgreSQL interpolates for them is right.
//! * A page costs half of what PostgreSQL charges for one of a table that is read in sequence, a
//!   random read where the index is too large to be in memory. (In memory an expansion takes 2.6 µs
//!   in all, and what PostgreSQL calls 1 takes a sequential scan 2 to 7 µs.)
//! * A distance that the index does not know to the last bit is computed again from the row.
//!
//! Reading the rows themselves, and how many of them a LIMIT and other conditions take, is added by
//! PostgreSQL; with a selective condition that makes another index the cheaper path. What distances
//! cost other plans tells `vector_distance_support`.

#![allow(unsafe_code)] // called by PostgreSQL

use pages::{META_BLOCK, Meta, PageStore};
use pgrx::pg_guard;
use pgrx::pg_sys::{self, Cost, IndexOptInfo, IndexPath, PlannerInfo, Selectivity};

use super::settings;
use crate::am::cost::{order_cost, page_cost};
use crate::am::target_recall::target_recall;
use crate::pg::relation::Opened;
use crate::pg::store::RelationStore;
use crate::pg::version;

/// Expansions that take as long as each row after the first ones. A scan that goes on doubles its
/// beam and returns the nearer half of what it has met: two to four expansions a row. What it had
/// spilled is sorted each time. Measured: 11 µs a row for 100 rows, 18 for 1,000, where an expansion
/// takes 2.6.
const EXPANSIONS_PER_ROW: f64 = 7.0;
/// Neighbors that are scored in the time of a simple operator, and dimensions.
const NEIGHBORS_PER_OPERATOR: f64 = 8.0;
const DIMS_PER_OPERATOR: f64 = 128.0;

/// What is known of an index.
struct Facts {
    /// Rows that the first beam gives.
    ef: f64,
    /// Expansions before the first row.
    first: f64,
    /// Pages of an expansion.
    pages: f64,
    /// Simple operators that take as long as the computations of an expansion.
    operators: f64,
}

impl Facts {
    /// From the metapage; without one (an index that only might exist) as experience says.
    fn of(meta: Option<&Meta>) -> Facts {
        let calibration = meta.and_then(|meta| meta.calibration.as_ref());
        let target = calibration.zip(target_recall());
        let ef = match target {
            Some((calibration, target)) => graph::ef_for_recall(calibration, target, 1),
            None => settings::ef_search(calibration),
        };
        let experience = 1.5 * ef as f64 + 10.0;
        let reads = calibration.map_or(1.0, |calibration| f64::from(calibration.reads));
        let geometry = meta.map(|meta| &meta.geometry);
        Facts {
            ef: ef as f64,
            first: calibration.map_or(experience, |known| graph::expansions(known, ef)),
            pages: reads * geometry.map_or(1.0, |sizes| 1.0 + sizes.tails() as f64),
            operators: geometry.map_or(4.0, |sizes| {
                let dims = sizes.coded_space() as f64;
                sizes.slots as f64 / NEIGHBORS_PER_OPERATOR + dims / DIMS_PER_OPERATOR
            }),
        }
    }
}

/// The metapage of an index that exists and can be read.
///
/// # Safety
/// `index` is what the planner knows of an index.
unsafe fn meta_of(index: &IndexOptInfo) -> Option<Meta> {
    if index.hypothetical {
        return None;
    }
    let opened = Opened::open(index.indexoid);
    // SAFETY: the index is open as long as the store lives.
    let store = unsafe { RelationStore::new(opened.get()) };
    let page = store.read(META_BLOCK).ok()?;
    Meta::decode(&page).ok()
}

/// Rows that the index has to give of `all` that it can: as many as the LIMIT asks for, by the share
/// of rows that pass the query's conditions; all where that is not known.
///
/// # Safety
/// Arguments are what the planner gave.
unsafe fn wanted_rows(root: &PlannerInfo, index: &IndexOptInfo, all: f64) -> f64 {
    // SAFETY: the caller's promise.
    let (alone, passing) = unsafe {
        let relations = pg_sys::bms_membership(root.all_baserels);
        (relations == pg_sys::BMS_Membership::BMS_SINGLETON, (*index.rel).rows)
    };
    let known = alone && root.limit_tuples > 0.0;
    if known { (root.limit_tuples * all / passing.max(1.0)).clamp(1.0, all) } else { all }
}

/// Estimates the cost of a scan.
#[pg_guard]
#[expect(clippy::too_many_arguments, reason = "PostgreSQL's signature")]
pub unsafe extern "C-unwind" fn amcostestimate(
    root: *mut PlannerInfo,
    path: *mut IndexPath,
    loop_count: f64,
    startup: *mut Cost,
    total: *mut Cost,
    selectivity: *mut Selectivity,
    correlation: *mut f64,
    index_pages: *mut f64,
) {
    // SAFETY: PostgreSQL gives valid pointers; settings are read on the backend's own thread.
    unsafe {
        *correlation = 0.0;
        if (*path).indexorderbys.is_null() && (*path).indexclauses.is_null() {
            // The index gives rows by their distance or not at all.
            (*startup, *total) = (f64::INFINITY, f64::INFINITY);
            (*selectivity, *index_pages) = (0.0, 0.0);
            version::disable(path);
            return;
        }
        let index = &*(*path).indexinfo;
        let mut generic = pg_sys::GenericCosts::default();
        pg_sys::genericcostestimate(root, path, loop_count, &raw mut generic);
        let mut page_costs = (pg_sys::random_page_cost, pg_sys::seq_page_cost);
        let (random, sequential) = (&raw mut page_costs.0, &raw mut page_costs.1);
        pg_sys::get_tablespace_page_costs(index.reltablespace, random, sequential);
        let cache = f64::from(pg_sys::effective_cache_size);
        let facts = Facts::of(meta_of(index).as_ref());
        let expansion = facts.pages * page_cost(f64::from(index.pages), cache, page_costs)
            + pg_sys::cpu_index_tuple_cost
            + pg_sys::cpu_operator_cost * facts.operators;
        // Those inside of a sphere; all without one.
        let all = generic.numIndexTuples.clamp(1.0, index.tuples.max(1.0));
        let wanted = wanted_rows(&*root, index, all);
        let further = (wanted - facts.ef).max(0.0) / wanted * EXPANSIONS_PER_ROW * expansion;
        *startup = facts.first.min(index.tuples.max(1.0)) * expansion;
        *total = *startup + all * (further + order_cost(root, (*path).indexorderbys));
        *selectivity = generic.indexSelectivity;
        *index_pages = generic.numIndexPages;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_index_costs_random_reads() {
        assert_eq!(page_cost(100.0, 1e6, (4.0, 1.0)), 0.5);
        assert!(page_cost(1e9, 1e6, (4.0, 1.0)) > 3.9);
        assert_eq!(page_cost(100.0, 1e6, (0.5, 1.0)), 0.25);
    }
}
