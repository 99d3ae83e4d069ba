//! Which rows may pass the conditions, by other indexes: a path that makes a bitmap.

#![allow(unsafe_code)] // calls the planner

use std::ptr;

use pgrx::pg_sys::{
    self, BitmapHeapPath, Bitmapset, CustomPath, IndexOptInfo, List, Node, Path, PlannerInfo,
    RelOptInfo,
};

use crate::pg::node;

/// What a relation has while PostgreSQL makes paths of bitmaps only, and had before.
struct Only {
    rel: *mut RelOptInfo,
    before: [*mut List; 4],
    joins: bool,
}

impl Only {
    /// Hides all paths, and all indexes but those that serve bitmaps.
    ///
    /// # Safety
    /// The relation is being planned, and outlives the result.
    unsafe fn bitmaps(rel: *mut RelOptInfo) -> Self {
        // SAFETY: the relation is being planned, and the path is one of it.
        unsafe {
            let of = &mut *rel;
            let mut columns = ptr::null_mut();
            let conditions = node::nodes(of.baserestrictinfo).filter_map(node::Node::restriction);
            let conditions = node::list(conditions);
            pg_sys::pull_varattnos(conditions.cast(), of.relid, &raw mut columns);
            let indexes = node::list(node::nodes(of.indexlist).filter_map(|index| {
                let index = &*index.as_ptr::<IndexOptInfo>();
                if !index.amhasgetbitmap || index.hypothetical || !may_serve(index, columns) {
                    return None;
                }
                // A copy that serves nothing else. Paths may refer to it as long as they live.
                let copy = pg_sys::palloc(size_of::<IndexOptInfo>()).cast::<IndexOptInfo>();
                ptr::copy_nonoverlapping(index, copy, 1);
                ((*copy).amhasgettuple, (*copy).amcanparallel) = (false, false);
                node::Node::of(copy)
            }));
            let none = ptr::null_mut();
            let before = [
                std::mem::replace(&mut of.pathlist, none),
                std::mem::replace(&mut of.partial_pathlist, none),
                std::mem::replace(&mut of.joininfo, none),
                std::mem::replace(&mut of.indexlist, indexes),
            ];
            let joins = std::mem::replace(&mut of.has_eclass_joins, false);
            Self { rel, before, joins }
        }
    }
}

impl Drop for Only {
    fn drop(&mut self) {
        // SAFETY: the relation outlives this.
        let rel = unsafe { &mut *self.rel };
        [rel.pathlist, rel.partial_pathlist, rel.joininfo, rel.indexlist] = self.before;
        rel.has_eclass_joins = self.joins;
    }
}

/// Whether an index has a key that is one of the columns of conditions or an expression, or has a
/// predicate: others serve no condition, so that PostgreSQL need not look for paths.
///
/// # Safety
/// The index is one of the planner's; `columns` are as `pull_varattnos` gives them.
unsafe fn may_serve(index: &IndexOptInfo, columns: *mut Bitmapset) -> bool {
    let is_asked = |key: usize| {
        // SAFETY: an index has so many keys; `columns` is null or a set.
        unsafe {
            let column = *index.indexkeys.add(key);
            let number = column - pg_sys::FirstLowInvalidHeapAttributeNumber;
            column == 0 || pg_sys::bms_is_member(number, columns)
        }
    };
    !index.indpred.is_null() || (0..index.nkeycolumns as usize).any(is_asked)
}

/// The cheapest bitmap of rows that may pass the conditions of a relation; null if no index serves any.
///
/// # Safety
/// The relation is being planned, and has its paths.
pub unsafe fn cheapest(root: *mut PlannerInfo, rel: *mut RelOptInfo) -> *mut BitmapHeapPath {
    // SAFETY: the relation is being planned, and the path is one of it.
    unsafe {
        if (*rel).baserestrictinfo.is_null() {
            return ptr::null_mut();
        }
        let only = Only::bitmaps(rel);
        if !(*rel).indexlist.is_null() {
            pg_sys::create_index_paths(root, rel);
        }
        let paths = node::nodes((*rel).pathlist).filter_map(|path| {
            let path = path.as_ptr::<Path>();
            let is_bitmap = (*path).type_ == pg_sys::NodeTag::T_BitmapHeapPath;
            (is_bitmap && (*path).param_info.is_null()).then_some(path)
        });
        let cheapest = paths.min_by(|&a, &b| (*a).total_cost.total_cmp(&(*b).total_cost));
        drop(only);
        cheapest.map_or(ptr::null_mut(), |path| path.cast())
    }
}

/// What making a bitmap is expected to give and to cost.
#[derive(Clone, Copy, Debug)]
pub struct Bitmap {
    /// Rows.
    pub members: f64,
    /// Cost of making it.
    pub cost: f64,
    /// The same, and of reading these rows.
    pub read: f64,
}

/// The bitmap that a path makes; none for null.
///
/// # Safety
/// The path is null, or of this relation.
pub unsafe fn bitmap(path: *mut BitmapHeapPath, rel: &RelOptInfo) -> Option<Bitmap> {
    let (mut cost, mut selectivity) = (0.0, 0.0);
    // SAFETY: the relation is being planned, and the path is null or one of it.
    let path = unsafe { path.as_ref()? };
    // SAFETY: as above.
    unsafe { pg_sys::cost_bitmap_tree_node(path.bitmapqual, &raw mut cost, &raw mut selectivity) };
    Some(Bitmap { members: selectivity * rel.tuples, cost, read: path.path.total_cost })
}

/// The path of a bitmap that a path of ours has, if it has anything below; null if it has none.
///
/// # Safety
/// `path` is one of ours.
pub unsafe fn of(path: &CustomPath) -> *mut BitmapHeapPath {
    // SAFETY: the relation is being planned, and the path is one of it.
    unsafe { node::nodes(path.custom_paths).next().map_or(ptr::null_mut(), node::Node::as_ptr) }
}

/// The node that makes the bitmap, in the plan of such a path.
///
/// # Safety
/// `plan` is what PostgreSQL has made of it.
pub unsafe fn bitmap_of(mut plan: *mut pg_sys::Plan) -> *mut Node {
    // SAFETY: the relation is being planned, and the path is one of it. Above it may be a node that tests a condition only once.
    unsafe {
        while !plan.is_null() && (*plan).type_ != pg_sys::NodeTag::T_BitmapHeapScan {
            plan = (*plan).lefttree;
        }
        if plan.is_null() { ptr::null_mut() } else { (*plan).lefttree.cast() }
    }
}
