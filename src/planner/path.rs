//! Offers the node to the planner, beside the index scan that it replaces.

#![allow(unsafe_code)] // called by PostgreSQL

use std::ptr;
use std::sync::OnceLock;

use pgrx::pg_guard;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::{
    self, BitmapHeapPath, CustomPath, CustomPathMethods, Index, NodeTag, PlannerInfo,
    RangeTblEntry, RelOptInfo,
};

use super::bitmap_path;
use super::conditions::Conditions;
use super::cost::costs;
use super::join_path::Lookup;
use super::methods::{Methods, NAME};
use super::plan;
use super::private::outlook_list;
use super::recognize::{Recognized, recognized};
use super::strategy::Outlook;
use crate::pg::node::{Node, list, new_node, nodes};
use crate::pg::version;

/// The hook that was set before.
static BEFORE: OnceLock<pg_sys::set_rel_pathlist_hook_type> = OnceLock::new();

static METHODS: Methods<CustomPathMethods> = Methods(CustomPathMethods {
    CustomName: NAME.as_ptr(),
    PlanCustomPath: Some(plan::plan_custom_path),
    ReparameterizeCustomPathByChild: None,
});

/// Sets the hook.
pub fn register() {
    // SAFETY: hooks are read and written on the backend's own thread.
    unsafe {
        let before = pg_sys::set_rel_pathlist_hook;
        if BEFORE.set(before).is_ok() {
            pg_sys::set_rel_pathlist_hook = Some(add_paths);
        }
    }
}

/// Adds paths to those of a relation.
#[pg_guard]
unsafe extern "C-unwind" fn add_paths(
    root: *mut PlannerInfo,
    rel: *mut RelOptInfo,
    number: Index,
    entry: *mut RangeTblEntry,
) {
    // SAFETY: PostgreSQL gives a relation that has its paths. A path that is added may free others,
    // but none of an index.
    unsafe {
        if let Some(Some(before)) = BEFORE.get() {
            pg_guard_ffi_boundary(|| before(root, rel, number, entry));
        }
        let found = recognized(&*rel);
        if found.is_empty() {
            return;
        }
        // PostgreSQL's own scan of an index costs the same without a filter, and finds less with one.
        // A query that orders by BM25 wants only rows that match, whatever else it could do; any other
        // query wants all rows, which such an index does not return.
        let ranks = found.iter().any(|found| found.is_ranked() && !found.may_be_by_another(&*rel));
        let is_only_way = ranks && wants_ranking(&*root, &*rel);
        let is_replaced =
            |path: &Node| is_only_way || found.iter().any(|found| found.node.is(*path));
        (*rel).pathlist = list(nodes((*rel).pathlist).filter(|path| !is_replaced(path)));
        if is_only_way {
            (*rel).partial_pathlist = ptr::null_mut();
        }
        let (mut cheapest, mut rows) = (None, (*rel).rows);
        for found in found {
            if found.is_ranked() && (!is_only_way || found.may_be_by_another(&*rel)) {
                continue;
            }
            // Only a search whose strategy may change asks other indexes.
            let changes = Conditions::new(rel, (*rel).baserestrictinfo, &found, false).is_steady;
            let bitmap =
                changes.then(|| *cheapest.get_or_insert_with(|| bitmap_path::cheapest(root, rel)));
            let path = custom_path(root, rel, &found, bitmap);
            if is_only_way {
                rows = rows.min((*path).path.rows);
            }
            pg_sys::add_path(rel, path.cast());
        }
        // Only now: paths are costed by the rows that pass the conditions.
        (*rel).rows = rows;
    }
}

/// Whether a query is about the best rows of a relation: it has an `ORDER BY` and takes rows as they are,
/// and the relation's rows are not completed by an outer join.
///
/// # Safety
/// `root` and `rel` are the planner's.
unsafe fn wants_ranking(root: &PlannerInfo, rel: &RelOptInfo) -> bool {
    // SAFETY: the planner's own state.
    unsafe {
        let query = &*root.parse;
        let takes_rows = query.groupClause.is_null()
            && query.groupingSets.is_null()
            && query.distinctClause.is_null()
            && query.setOperations.is_null()
            && !query.hasAggs
            && !query.hasWindowFuncs;
        !query.sortClause.is_null() && takes_rows && !version::is_nullable(root, rel)
    }
}

/// `bitmap` is what other indexes serve, null if nothing; none if the strategy never changes.
///
/// # Safety
/// Arguments are what the planner gave, a path of the relation, and one of a bitmap or null.
unsafe fn custom_path(
    root: *mut PlannerInfo,
    rel: *mut RelOptInfo,
    found: &Recognized,
    bitmap: Option<*mut BitmapHeapPath>,
) -> *mut CustomPath {
    // SAFETY: the arguments are the planner's.
    unsafe {
        let returned = (found.inspector.found)(found.index.indexoid, &found.distance);
        let returned = returned.unwrap_or(1.0);
        let costs = costs(root, &*rel, found, bitmap, returned);
        let bitmap = bitmap.unwrap_or(ptr::null_mut());
        let custom = new_path(rel, found, Node::of(bitmap), costs);
        let rows = (*custom).path.rows;
        (*custom).path.rows = (rows * returned).max(1.0).min(rows);
        custom
    }
}

/// The same, which finds the rows that keys of another relation lead to, as many as `rows`.
///
/// # Safety
/// Arguments are what the planner gave.
pub unsafe fn among_keys(
    rel: *mut RelOptInfo,
    found: &Recognized,
    lookup: &Lookup,
    (costs, outlook, rows): ((f64, f64), Outlook, f64),
) -> *mut CustomPath {
    // SAFETY: the arguments are the planner's.
    unsafe {
        let source = Node::of(ptr::from_ref(lookup.source).cast_mut());
        let custom = new_path(rel, found, source, costs);
        (*custom).path.rows = rows;
        let index = Node::of(ptr::from_ref(lookup.index).cast_mut());
        let outlook = Node::of(outlook_list(outlook));
        let parts = [Some(found.node), index, Some(lookup.clause.node), outlook];
        (*custom).custom_private = list(parts.into_iter().flatten());
        custom
    }
}

/// What a path of ours has replaced; none of other paths.
///
/// # Safety
/// The path lives during `'p`.
pub unsafe fn replaced<'p>(path: Node<'p>) -> Option<Recognized<'p>> {
    let custom: &CustomPath = path.get()?;
    let is_ours = ptr::eq(custom.methods, &raw const METHODS.0);
    // SAFETY: a path of ours has such a list.
    unsafe { nodes(custom.custom_private).next().filter(|_| is_ours).and_then(Recognized::of) }
}

/// A path with one below it, or none.
///
/// # Safety
/// Arguments are what the planner gave.
unsafe fn new_path(
    rel: *mut RelOptInfo,
    found: &Recognized,
    below: Option<Node>,
    (startup_cost, total_cost): (f64, f64),
) -> *mut CustomPath {
    // SAFETY: the arguments are the planner's; a zeroed path is valid.
    unsafe {
        let of = &found.path.path;
        let custom = new_node::<CustomPath>(NodeTag::T_CustomPath);
        let path = &mut (*custom).path;
        path.pathtype = NodeTag::T_CustomScan;
        path.parent = rel;
        path.pathtarget = of.pathtarget;
        let is_safe = below.is_none_or(|below| (*below.as_ptr::<pg_sys::Path>()).parallel_safe);
        path.parallel_safe = of.parallel_safe && is_safe;
        path.rows = of.rows;
        path.pathkeys = of.pathkeys;
        (path.startup_cost, path.total_cost) = (startup_cost, total_cost);
        version::copy_disabled(path, of);
        (*custom).flags = version::PROJECTS;
        (*custom).custom_paths = list(below);
        (*custom).custom_private = list([found.node]);
        (*custom).methods = &raw const METHODS.0;
        custom
    }
}
