//! What a scan costs, in the planner's units.
//!
//! Reading the rows themselves, and how many of them a LIMIT and other conditions take, is added by
//! PostgreSQL.

#![allow(unsafe_code)] // called by PostgreSQL

use pages::{META_BLOCK, PageStore};
use pgrx::pg_guard;
use pgrx::pg_sys::{self, Cost, IndexOptInfo, IndexPath, List, PlannerInfo, QualCost, Selectivity};

use super::method::AccessMethod;
use crate::pg::relation::Opened;
use crate::pg::store::RelationStore;
use crate::pg::version;

/// How an access method knows what a scan costs.
pub trait Estimate: AccessMethod {
    /// What the metapage of an index tells.
    type Meta;

    /// Decodes a metapage.
    fn decode(page: &[u8]) -> pages::Result<Self::Meta>;
    /// What a scan costs; without a metapage, of an index that only might exist or cannot be read.
    fn estimate(meta: Option<&Self::Meta>, facts: &Facts) -> ScanCost;
}

/// What PostgreSQL knows of an index, and what it takes for a scan.
pub struct Facts {
    /// Pages of the index.
    pub pages: f64,
    /// Rows of the index.
    pub tuples: f64,
    /// Rows that the scan can give: those inside of a sphere, all without one.
    pub all: f64,
    /// Rows that it has to give, of `all`, until the LIMIT is reached.
    pub wanted: f64,
    /// Pages that an index would read in which conditions limit what is read.
    pub usual_pages: f64,
    /// Cost of reading a page of the index.
    pub page_cost: f64,
    /// `cpu_index_tuple_cost`.
    pub tuple_cost: f64,
    /// `cpu_operator_cost`.
    pub operator_cost: f64,
}

/// What a scan costs.
pub struct ScanCost {
    /// Before the first row.
    pub startup: f64,
    /// Rows whose distances are computed for the executor.
    pub rows: f64,
    /// Of each of these, beside its distance.
    pub row: f64,
    /// Pages of the index that are read.
    pub pages: f64,
}

/// Estimates the cost of a scan.
#[pg_guard]
#[expect(clippy::too_many_arguments, reason = "PostgreSQL's signature")]
pub unsafe extern "C-unwind" fn amcostestimate<M: Estimate>(
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
        let (pages, cache) = (f64::from(index.pages), f64::from(pg_sys::effective_cache_size));
        let all = generic.numIndexTuples.clamp(1.0, index.tuples.max(1.0));
        let facts = Facts {
            pages,
            tuples: index.tuples,
            all,
            wanted: wanted_rows(&*root, index, all),
            usual_pages: generic.numIndexPages,
            page_cost: page_cost(pages, cache, page_costs),
            tuple_cost: pg_sys::cpu_index_tuple_cost,
            operator_cost: pg_sys::cpu_operator_cost,
        };
        let cost = M::estimate(meta_of::<M>(index).as_ref(), &facts);
        *startup = cost.startup;
        *total = cost.startup + cost.rows * (cost.row + order_cost(root, (*path).indexorderbys));
        *selectivity = generic.indexSelectivity;
        *index_pages = cost.pages;
    }
}

/// The metapage of an index that exists and can be read.
///
/// # Safety
/// `index` is what the planner knows of an index.
unsafe fn meta_of<M: Estimate>(index: &IndexOptInfo) -> Option<M::Meta> {
    if index.hypothetical {
        return None;
    }
    let opened = Opened::open(index.indexoid);
    // SAFETY: the index is open as long as the store lives.
    let store = unsafe { RelationStore::new(opened.get()) };
    let page = store.read(META_BLOCK).ok()?;
    M::decode(&page).ok()
}

/// Rows that the index has to give of `all` that it can: as many as the LIMIT asks for, by the share
/// of rows that pass the query's conditions; all where that is not known.
///
/// # Safety
/// Arguments are what the planner gave.
unsafe fn wanted_rows(root: &PlannerInfo, index: &IndexOptInfo, all: f64) -> f64 {
    // SAFETY: the planner sets the relation of every index that it asks about.
    let (alone, passing) = unsafe {
        let relations = pg_sys::bms_membership(root.all_baserels);
        (relations == pg_sys::BMS_Membership::BMS_SINGLETON, (*index.rel).rows)
    };
    let known = alone && root.limit_tuples > 0.0;
    if known { (root.limit_tuples * all / passing.max(1.0)).clamp(1.0, all) } else { all }
}

/// Of the cost of a page read in sequence, what a page of the index in memory costs.
const CACHED_PAGE: f64 = 0.5;

/// Cost of one page, of an index with this number of them.
fn page_cost(pages: f64, cache: f64, (random, sequential): (f64, f64)) -> f64 {
    let cached = (cache / pages.max(1.0)).min(1.0);
    CACHED_PAGE * sequential.min(random) * cached + random * (1.0 - cached)
}

/// Cost of computing the order-by expressions for a row.
///
/// # Safety
/// Arguments are what the planner gave.
pub unsafe fn order_cost(root: *mut PlannerInfo, expressions: *mut List) -> f64 {
    let mut cost = QualCost::default();
    // SAFETY: the planner has made the expressions, for `root`.
    unsafe { pg_sys::cost_qual_eval(&raw mut cost, expressions, root) };
    cost.per_tuple
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
