//! What a scan costs, in the planner's units.
//!
//! Reading the rows themselves, and how many of them a LIMIT and other conditions take, is added by
//! PostgreSQL.

#![allow(unsafe_code)] // called by PostgreSQL

use pages::{META_BLOCK, PageStore};
use pgrx::pg_guard;
use pgrx::pg_sys::{
    self, Cost, IndexOptInfo, IndexPath, List, Oid, PlannerInfo, QualCost, Selectivity,
};

use super::method::AccessMethod;
use crate::pg::node::{Node, Operation, nodes};
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
    /// Whether an index can give the order by a distance from a query: not if the query names another
    /// index.
    fn orders_by(_index: Oid, _distance: &Operation) -> bool {
        true
    }
    /// Which part of the rows of an index it finds in order of a distance; none if that is not known.
    fn found(_index: Oid, _distance: &Operation) -> Option<f64> {
        None
    }
    /// Whether an index can find the rows that fulfill a condition: not if the condition names another
    /// index. Such a condition can be tested beside an order.
    fn serves(_index: Oid, _condition: &Operation) -> bool {
        true
    }
    /// What a search for rows that pass a filter costs, in all.
    fn walk(meta: Option<&Self::Meta>, facts: &Facts, rows: Rows) -> Walk;
}

/// Rows that a search goes through until enough have passed a filter.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    /// Rows that the search finds.
    pub found: f64,
    /// Those that it returns: others were known not to pass.
    pub returned: f64,
}

/// What such a search costs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Walk {
    /// In the planner's units.
    pub cost: f64,
    /// Pages of the index that are read.
    pub pages: f64,
    /// How many times as much one of these costs as a page of the table. The search that chooses between
    /// both is to take little time and to read few pages, so that this is between 1 and what time says.
    pub page_cost: f64,
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
        let index = &*(*path).indexinfo;
        let mut distances = nodes((*path).indexorderbys).filter_map(Node::operation);
        let has_order = distances.all(|distance| M::orders_by(index.indexoid, &distance));
        let is_ordered = !(*path).indexorderbys.is_null();
        let serves = || {
            let mut conditions = conditions(&*path);
            conditions.all(|condition| M::serves(index.indexoid, &condition))
        };
        let is_asked = is_ordered || !(*path).indexclauses.is_null() && serves();
        if !has_order || !is_asked {
            // The index gives rows by their distance or not at all.
            (*startup, *total) = (f64::INFINITY, f64::INFINITY);
            (*selectivity, *index_pages) = (0.0, 0.0);
            version::disable(path);
            return;
        }
        let mut generic = pg_sys::GenericCosts::default();
        pg_sys::genericcostestimate(root, path, loop_count, &raw mut generic);
        let all = generic.numIndexTuples.clamp(1.0, index.tuples.max(1.0));
        let wanted = wanted_rows(&*root, index, all);
        let facts = Facts { all, wanted, usual_pages: generic.numIndexPages, ..facts(index) };
        let cost = M::estimate(meta_of::<M>(index).as_ref(), &facts);
        *startup = cost.startup;
        *total = cost.startup + cost.rows * (cost.row + order_cost(root, (*path).indexorderbys));
        *selectivity = generic.indexSelectivity;
        *index_pages = cost.pages;
    }
}

/// The conditions that the index of a path is asked for.
///
/// # Safety
/// `path` is the planner's.
unsafe fn conditions<'p>(path: &IndexPath) -> impl Iterator<Item = Operation<'p>> {
    // SAFETY: lists of a path live as long as it.
    unsafe { nodes(path.indexclauses) }
        .filter_map(Node::get::<pg_sys::IndexClause>)
        // SAFETY: as above.
        .flat_map(|clause| unsafe { nodes(clause.indexquals) })
        .filter_map(|clause| clause.restriction()?.operation())
}

/// What [`Estimate::walk`] says of an index of a method.
///
/// # Safety
/// `index` is what the planner knows of an index of this method.
pub unsafe fn walk<M: Estimate>(index: &IndexOptInfo, rows: &[Rows]) -> Vec<Walk> {
    // SAFETY: the index is being planned, and is of this method.
    let (meta, facts) = unsafe { (meta_of::<M>(index), facts(index)) };
    rows.iter().map(|&rows| M::walk(meta.as_ref(), &facts, rows)).collect()
}

/// What is known of an index, whatever is asked of it.
///
/// # Safety
/// `index` is what the planner knows of an index.
unsafe fn facts(index: &IndexOptInfo) -> Facts {
    let pages = f64::from(index.pages);
    // SAFETY: settings are read on the backend's own thread.
    unsafe {
        Facts {
            pages,
            tuples: index.tuples,
            all: index.tuples,
            wanted: index.tuples,
            usual_pages: pages,
            page_cost: page_costs(pages, index.reltablespace).0,
            tuple_cost: pg_sys::cpu_index_tuple_cost,
            operator_cost: pg_sys::cpu_operator_cost,
        }
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

/// Of the cost of a page read in sequence, what a page in memory costs.
const CACHED_PAGE: f64 = 0.5;

/// Costs of a page of a table or an index with this number of pages: of one that a search of an index
/// reads, and of one of all, read in sequence.
///
/// # Safety
/// The tablespace exists; called on the backend's own thread.
pub unsafe fn page_costs(pages: f64, tablespace: Oid) -> (f64, f64) {
    // SAFETY: settings are read on the backend's own thread.
    unsafe {
        let mut costs = (pg_sys::random_page_cost, pg_sys::seq_page_cost);
        pg_sys::get_tablespace_page_costs(tablespace, &raw mut costs.0, &raw mut costs.1);
        (page_cost(pages, f64::from(pg_sys::effective_cache_size), costs), costs.1)
    }
}

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
