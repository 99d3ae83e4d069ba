//! What `EXPLAIN` shows of the node, beside what it shows of every node.

#![allow(unsafe_code)] // called by PostgreSQL

use std::ffi::CStr;

use pgrx::pg_guard;
use pgrx::pg_sys::{
    self, CustomScan, CustomScanState, ExplainState, InvalidOid, List, Node, Oid, OpExpr,
    TargetEntry,
};

use super::execute::run_of;
use crate::am;
use crate::pg::node::{list, nodes, operands};

/// `<` of `float8`.
const LESS: u32 = 672;

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
        let show = |label: &CStr, expression: *mut Node| {
            let text = pg_sys::deparse_expression(expression, context, (*es).verbose, false);
            pg_sys::ExplainPropertyText(label.as_ptr(), text, es);
        };
        let entries: Vec<*mut Node> = nodes(plan.custom_scan_tlist).collect();
        let distance = entries[entries.len() - run.private().distances];
        let distance = (*distance.cast::<TargetEntry>()).expr;
        show(c"Order By", distance.cast());
        let conditions = conditions(plan, &run.private().operators, distance.cast());
        if !conditions.is_empty() {
            show(c"Index Cond", pg_sys::make_ands_explicit(list(&conditions)).cast());
        }
        if (*es).analyze {
            am::explain::show(run.scan(), es);
        }
    }
}

/// What the index is asked for beside the order.
///
/// # Safety
/// `plan` is one of ours, `operators` are its own, and `distance` is what it orders by.
unsafe fn conditions(
    plan: &CustomScan,
    operators: &[(Oid, Oid)],
    distance: *mut OpExpr,
) -> Vec<*mut Node> {
    // SAFETY: the caller's promise.
    unsafe {
        let Some([column, _]) = operands(distance) else { return Vec::new() };
        let clause = |operator, collation, left: *mut Node, right: *mut Node| {
            let kind = pg_sys::BOOLOID;
            let (left, right) = (left.cast(), right.cast());
            pg_sys::make_opclause(operator, kind, false, left, right, InvalidOid, collation).cast()
        };
        let asked = nodes(plan.custom_exprs).zip(operators).skip(1);
        let served =
            asked.map(|(with, &(operator, collation))| clause(operator, collation, column, with));
        let radius = nodes(plan.custom_exprs).nth(operators.len());
        let within =
            radius.map(|radius| clause(Oid::from(LESS), InvalidOid, distance.cast(), radius));
        served.chain(within).collect()
    }
}
