//! What a scan costs, in the planner's units.
//!
//! A scan *expands* elements: it reads one page, computes one exact distance and scores all
//! neighbors by their codes. Two facts make up the model:
//!
//! * The first row comes after about `1.5 * ef_search + 10` expansions, whatever the size of the
//!   table (the beam has `1.5 * ef_search` entries; the descent takes the rest).
//! * Each element is expanded at most once. So all rows cost one expansion each, and what lies
//!   between the first and the last is what PostgreSQL interpolates.
//!
//! A page of an index that fits `effective_cache_size` is nearly always in memory, and costs a
//! twentieth of a random read; the part of a larger index that cannot be cached costs a whole one.
//! That is also the measure at which a sequential scan competes, whose cost leaves out the reading
//! of vectors stored apart from their rows.
//!
//! Reading the rows themselves, and how many of them a LIMIT and other conditions take, is added by
//! PostgreSQL; with a selective condition that makes another index the cheaper path.

#![allow(unsafe_code)] // called by PostgreSQL

use pgrx::pg_guard;
use pgrx::pg_sys::{self, Cost, IndexPath, PlannerInfo, Selectivity};

use super::settings;

/// Of the cost of a random page read, what a page in memory costs.
const CACHED_PAGE: f64 = 0.05;
/// Operators that take as long as scoring the neighbors of an element.
const SCORING_OPERATORS: f64 = 4.0;

/// Expansions before the first row.
fn first_expansions(ef: f64, elements: f64) -> f64 {
    (1.5 * ef + 10.0).min(elements.max(1.0))
}

/// Cost of one page, of an index with this number of them.
fn page_cost(pages: f64, cache: f64, random_page_cost: f64) -> f64 {
    let cached = (cache / pages.max(1.0)).min(1.0);
    random_page_cost * (CACHED_PAGE * cached + (1.0 - cached))
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
        if (*path).indexorderbys.is_null() {
            // The index gives rows in order of distance or not at all.
            (*startup, *total) = (f64::INFINITY, f64::INFINITY);
            (*selectivity, *index_pages) = (0.0, 0.0);
            #[cfg(feature = "pg18")]
            {
                (*path).path.disabled_nodes = 2;
            }
            return;
        }
        let index = &*(*path).indexinfo;
        let mut generic = pg_sys::GenericCosts::default();
        pg_sys::genericcostestimate(root, path, loop_count, &raw mut generic);
        let mut random_page_cost = pg_sys::random_page_cost;
        let space = index.reltablespace;
        pg_sys::get_tablespace_page_costs(space, &raw mut random_page_cost, std::ptr::null_mut());
        let cache = f64::from(pg_sys::effective_cache_size);
        let expansion = page_cost(f64::from(index.pages), cache, random_page_cost)
            + pg_sys::cpu_index_tuple_cost
            + pg_sys::cpu_operator_cost * SCORING_OPERATORS;
        *startup = first_expansions(settings::ef_search() as f64, index.tuples) * expansion;
        *total = (index.tuples * expansion).max(*startup);
        *selectivity = generic.indexSelectivity;
        *index_pages = generic.numIndexPages;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_index_costs_random_reads() {
        assert_eq!(page_cost(100.0, 1e6, 4.0), 0.2);
        assert!(page_cost(1e9, 1e6, 4.0) > 3.9);
    }

    #[test]
    fn a_small_table_is_expanded_once() {
        assert_eq!(first_expansions(40.0, 50.0), 50.0);
        assert_eq!(first_expansions(40.0, 1e6), 70.0);
    }
}
