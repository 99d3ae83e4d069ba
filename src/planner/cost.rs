//! What the node costs: what PostgreSQL's index scan does, less what the node spares.

#![allow(unsafe_code)] // calls into PostgreSQL

use pgrx::pg_sys::{PlannerInfo, RelOptInfo};

use super::recognize::Recognized;
use crate::am::cost::order_cost;

/// Cost up to the first row, and to the last.
///
/// For whichever path, PostgreSQL adds what the sort key of each row costs above the scan. The node
/// hands it up, so that is taken off here.
///
/// # Safety
/// Arguments are what the planner gave.
pub unsafe fn costs(root: *mut PlannerInfo, rel: &RelOptInfo, of: &Recognized) -> (f64, f64) {
    // SAFETY: the planner's own state, and a list of its expressions.
    let sort_key = unsafe { order_cost(root, of.path.indexorderbys) };
    let path = &of.path.path;
    (path.startup_cost, (path.total_cost - rel.rows * sort_key).max(path.startup_cost))
}
