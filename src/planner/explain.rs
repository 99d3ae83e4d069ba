//! What `EXPLAIN` shows of the node, beside what it shows of every node.

#![allow(unsafe_code)] // called by PostgreSQL

use std::ffi::CStr;
use std::ptr;

use pgrx::pg_guard;
use pgrx::pg_sys::{
    self, CustomScan, CustomScanState, ExplainState, InvalidOid, List, TargetEntry,
};

use super::filtering::Filtering;
use super::private::Private;
use super::range::less;
use super::state::run_of;
use crate::am;
use crate::am::work::Filtered;
use crate::pg::node::{Node, Operation, list, nodes, operation};

/// Shows the index, what it is asked for, and what it did.
#[pg_guard]
pub unsafe extern "C-unwind" fn explain(
    node: *mut CustomScanState,
    ancestors: *mut List,
    es: *mut ExplainState,
) {
    // SAFETY: PostgreSQL gives a node of ours that has begun and not yet ended.
    unsafe {
        let run = run_of(node);
        let plan = &*(*node).ss.ps.plan.cast::<CustomScan>();
        let name = pg_sys::get_rel_name(run.private().index);
        if !name.is_null() {
            pg_sys::ExplainPropertyText(c"Index Name".as_ptr(), name, es);
        }
        let context = (*es).deparse_cxt;
        let context = pg_sys::set_deparse_context_plan(context, (*node).ss.ps.plan, ancestors);
        let show = |label: &CStr, expression: *mut pg_sys::Node| {
            let text = pg_sys::deparse_expression(expression, context, (*es).verbose, false);
            pg_sys::ExplainPropertyText(label.as_ptr(), text, es);
        };
        if let Some(distance) = distance(plan, run.private()) {
            show(c"Order By", distance.node.as_ptr());
            let conditions = list(conditions(plan, run.private(), &distance));
            if !conditions.is_null() {
                show(c"Index Cond", pg_sys::make_ands_explicit(conditions).cast());
            }
        }
        if let Some(index) = run.filtering().key_index() {
            let name = pg_sys::get_rel_name(index);
            if !name.is_null() {
                pg_sys::ExplainPropertyText(c"Join Index Name".as_ptr(), name, es);
            }
        }
        if (*es).analyze {
            am::explain::show(run.index_scan(), es);
            show_filtering(run.filtering(), es);
        }
    }
}

/// Shows what was done about rows that do not pass.
///
/// # Safety
/// `es` is where the plan is written to.
unsafe fn show_filtering(filtering: &Filtering, es: *mut ExplainState) {
    let Some(Filtered { strategy, looked, members, .. }) = filtering.filtered() else { return };
    let number = |label: &CStr, value: u64| {
        // SAFETY: a plan is being written; labels are copied.
        unsafe { pg_sys::ExplainPropertyUInteger(label.as_ptr(), ptr::null(), value, es) };
    };
    // SAFETY: as above.
    unsafe {
        pg_sys::ExplainPropertyText(c"Filter Strategy".as_ptr(), strategy.name().as_ptr(), es);
    }
    number(c"Rows Looked At", looked);
    if let Some(members) = members {
        number(c"Rows of Other Indexes", members);
    }
}

/// The distance that rows are ordered by.
///
/// # Safety
/// `plan` is one of ours, and `private` its own.
unsafe fn distance<'p>(plan: &'p CustomScan, private: &Private) -> Option<Operation<'p>> {
    // SAFETY: the last entries are the distance; an expression is part of its entry.
    unsafe {
        let entries: Vec<Node> = nodes(plan.custom_scan_tlist).collect();
        let entry = entries.get(entries.len().checked_sub(private.distances)?)?;
        Node::of(entry.get::<TargetEntry>()?.expr)?.operation()
    }
}

/// What the index is asked for beside the order.
///
/// # Safety
/// `plan` is one of ours, `private` its own, and `distance` what it orders by.
unsafe fn conditions<'p>(
    plan: &'p CustomScan,
    private: &Private,
    distance: &Operation<'p>,
) -> Vec<Node<'p>> {
    // SAFETY: a list of expressions.
    let operands: Vec<Node> = unsafe { nodes(plan.custom_exprs).collect() };
    let [column, _] = distance.operands;
    let served = operands.iter().zip(&private.operators).skip(1);
    let served = served.map(|(&operand, &(operator, collation))| {
        operation(operator, collation, [column, operand])
    });
    let radius = operands.get(private.operators.len());
    let within = radius.map(|&radius| operation(less(), InvalidOid, [distance.node, radius]));
    served.chain(within).collect()
}
