//! What pages and distances cost, in the planner's units.

#![allow(unsafe_code)] // calls into PostgreSQL

use pgrx::pg_sys::{self, List, PlannerInfo, QualCost};

/// Of the cost of a page read in sequence, what a page of the index in memory costs.
const CACHED_PAGE: f64 = 0.5;

/// Cost of one page, of an index with this number of them.
pub fn page_cost(pages: f64, cache: f64, (random, sequential): (f64, f64)) -> f64 {
    let cached = (cache / pages.max(1.0)).min(1.0);
    CACHED_PAGE * sequential.min(random) * cached + random * (1.0 - cached)
}

/// Cost of computing the order-by expressions for a row.
///
/// # Safety
/// Arguments are what the planner gave.
pub unsafe fn order_cost(root: *mut PlannerInfo, expressions: *mut List) -> f64 {
    let mut cost = QualCost::default();
    // SAFETY: the caller's promise.
    unsafe { pg_sys::cost_qual_eval(&raw mut cost, expressions, root) };
    cost.per_tuple
}
