//! What the node costs: what PostgreSQL's index scan does, less what the node spares.

#![allow(unsafe_code)] // calls into PostgreSQL

use pgrx::pg_sys::{PlannerInfo, RelOptInfo};

use super::recognise::Recognised;
use crate::am::cost::order_cost;

/// Cost up to the first row, and to the last.
///
/// For whichever path, PostgreSQL adds what the sort key of each row costs above the scan. The node
/// hands it up, so that is taken off here.
///
/// # Safety
/// Arguments are what the planner gave.
pub unsafe fn costs(root: *mut PlannerInfo, rel: &RelOptInfo, of: &Recognised) -> (f64, f64) {
    // SAFETY: the caller's promise.
    unsafe {
        let (path, order) = (&(*of.path).path, (*of.path).indexorderbys);
        let spared = rel.rows * order_cost(root, order);
        (path.startup_cost, (path.total_cost - spared).max(path.startup_cost))
    }
}
