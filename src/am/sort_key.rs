//! `ORDER BY column <-> query LIMIT k` without computing `column <-> query` for each row returned.
//!
//! PostgreSQL lets an index scan compute the sort key of every row it returns, although nobody
//! looks at it: the rows come in order, and the key is not in the select list. For wide vectors that
//! is the costly part of a search, since each must be fetched from its TOAST table. So finished
//! plans have NULL in its place. Where an index knows only a bound, its scan computes the key itself.

#![allow(unsafe_code)] // walks PostgreSQL's plans

use std::ffi::c_char;
use std::sync::OnceLock;

use pgrx::pg_guard;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::{
    self, Append, IndexScan, Limit, LimitOption, List, MergeAppend, NodeTag, ParamListInfo, Plan,
    PlannedStmt, Query, SubqueryScan, TargetEntry,
};

use super::{range_filter, scan};
use crate::pg::relation::Opened;

/// The planner that stood in our place before.
static BEFORE: OnceLock<pg_sys::planner_hook_type> = OnceLock::new();

/// Puts [`plan`] into the planner's place. Called once, when the library is loaded.
pub fn register() {
    // SAFETY: hooks are read and written on the backend's own thread.
    unsafe {
        let before = pg_sys::planner_hook;
        if BEFORE.set(before).is_ok() {
            pg_sys::planner_hook = Some(plan);
        }
    }
}

/// Plans a query, then blanks sort keys that nobody looks at.
#[pg_guard]
unsafe extern "C-unwind" fn plan(
    query: *mut Query,
    text: *const c_char,
    cursor_options: i32,
    parameters: ParamListInfo,
) -> *mut PlannedStmt {
    // SAFETY: PostgreSQL gives what its planners take; a finished plan is ours to change.
    unsafe {
        let planned = match BEFORE.get().copied().flatten() {
            Some(before) => {
                pg_guard_ffi_boundary(|| before(query, text, cursor_options, parameters))
            }
            None => pg_sys::standard_planner(query, text, cursor_options, parameters),
        };
        trim_level((*planned).planTree);
        for subplan in pointers((*planned).subplans) {
            trim_level(subplan);
        }
        planned
    }
}

/// Trims the plan of a query or subquery, and the subqueries below it.
///
/// # Safety
/// `plan` is null or a valid plan, the topmost of its query: what is above it looks at no junk.
unsafe fn trim_level(plan: *mut Plan) {
    // SAFETY: the caller's promise; a node's tag tells its struct.
    unsafe {
        if plan.is_null() {
            return;
        }
        if tag(plan) == NodeTag::T_IndexScan {
            trim(plan.cast());
        } else if tag(plan) == NodeTag::T_Limit {
            let (limit, below) = (&*plan.cast::<Limit>(), (*plan).lefttree);
            let counts = limit.limitOption == LimitOption::LIMIT_OPTION_COUNT;
            if counts && !below.is_null() && tag(below) == NodeTag::T_IndexScan {
                trim(below.cast());
            }
        }
        descend(plan);
    }
}

/// Looks for subqueries.
///
/// # Safety
/// `plan` is null or a valid plan.
unsafe fn descend(plan: *mut Plan) {
    // SAFETY: the caller's promise; a node's tag tells its struct.
    unsafe {
        if plan.is_null() {
            return;
        }
        pg_sys::check_stack_depth();
        descend((*plan).lefttree);
        descend((*plan).righttree);
        if tag(plan) == NodeTag::T_IndexScan {
            let scan = plan.cast::<IndexScan>();
            if !(*scan).indexorderby.is_null() && is_ours(scan) {
                range_filter::bound(&mut *scan);
            }
        } else if tag(plan) == NodeTag::T_SubqueryScan {
            trim_level((*plan.cast::<SubqueryScan>()).subplan);
        } else if tag(plan) == NodeTag::T_Append {
            pointers((*plan.cast::<Append>()).appendplans).for_each(|plan| descend(plan));
        } else if tag(plan) == NodeTag::T_MergeAppend {
            pointers((*plan.cast::<MergeAppend>()).mergeplans).for_each(|plan| descend(plan));
        }
    }
}

/// Puts NULL in the place of the sort key of an index scan of ours. No list changes its length, as
/// nodes above refer to all entries of a list, whether somebody looks at them or not.
///
/// # Safety
/// `scan` is valid, and nobody looks at the value of its sort key.
unsafe fn trim(scan: *mut IndexScan) {
    // SAFETY: the caller's promise; a finished plan is ours to change.
    unsafe {
        let keys = (*scan).indexorderbyorig;
        if keys.is_null() || !is_ours(scan) {
            return;
        }
        for entry in pointers::<TargetEntry>((*scan).scan.plan.targetlist) {
            if is_key(&*entry, keys) {
                let key = (*entry).expr.cast();
                let (of, modifier) = (pg_sys::exprType(key), pg_sys::exprTypmod(key));
                let collation = pg_sys::exprCollation(key);
                (*entry).expr = pg_sys::makeNullConst(of, modifier, collation).cast();
            }
        }
    }
}

/// # Safety
/// `scan` is valid.
unsafe fn is_ours(scan: *mut IndexScan) -> bool {
    // SAFETY: the planner holds a lock on the index, so it exists.
    unsafe {
        let index = Opened::open((*scan).indexid);
        scan::is_ours(index.get())
    }
}

/// Whether a target is one of the expressions that the scan orders by, and nothing else.
///
/// # Safety
/// `entry` and `keys` are valid.
unsafe fn is_key(entry: &TargetEntry, keys: *mut List) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let expression = entry.expr.cast();
        entry.resjunk && pointers(keys).any(|key| pg_sys::equal(expression, key))
    }
}

/// # Safety
/// `plan` is valid.
unsafe fn tag(plan: *mut Plan) -> NodeTag {
    // SAFETY: every plan begins with its tag.
    unsafe { (*plan.cast::<pg_sys::Node>()).type_ }
}

/// The members of a list.
///
/// # Safety
/// `list` is null or a list of pointers to `T`, and stays as it is meanwhile.
unsafe fn pointers<T>(list: *mut List) -> impl Iterator<Item = *mut T> {
    // SAFETY: the caller's promise.
    let length = if list.is_null() { 0 } else { unsafe { (*list).length } };
    // SAFETY: a list has as many elements as it says.
    (0..length).map(move |i| unsafe { (*(*list).elements.add(i as usize)).ptr_value.cast() })
}
