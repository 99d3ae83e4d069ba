//! Joins as conditions: the keys of another relation, looked up in an index, tell which rows may pass.
//!
//! `WHERE document IN (SELECT …)`, `EXISTS`, and inner joins say of a row that another relation has its
//! key. PostgreSQL joins the node with that relation by a nested loop, which tests this once more: the node
//! need only find all rows that may have a partner.

#![allow(unsafe_code)] // called by PostgreSQL

use std::ptr;
use std::sync::OnceLock;

use pgrx::pg_guard;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::{
    self, IndexOptInfo, JoinCostWorkspace, JoinPathExtraData, JoinType, NodeTag, Path, PlannerInfo,
    RTEKind, RelOptInfo, RelOptKind, RestrictInfo, VariableStatData,
};

use super::conditions::may_change;
use super::cost::{self, Keys};
use super::path;
use super::recognize::Recognized;
use crate::pg::node::{Node, Operation, list, nodes};

/// The hook that was set before.
static BEFORE: OnceLock<pg_sys::set_join_pathlist_hook_type> = OnceLock::new();

/// Sets the hook.
pub fn register() {
    // SAFETY: hooks are read and written on the backend's own thread.
    unsafe {
        let before = pg_sys::set_join_pathlist_hook;
        if BEFORE.set(before).is_ok() {
            pg_sys::set_join_pathlist_hook = Some(add_paths);
        }
    }
}

/// Adds paths to those of a join.
#[pg_guard]
unsafe extern "C-unwind" fn add_paths(
    root: *mut PlannerInfo,
    joined: *mut RelOptInfo,
    outer: *mut RelOptInfo,
    inner: *mut RelOptInfo,
    kind: JoinType::Type,
    extra: *mut JoinPathExtraData,
) {
    // SAFETY: PostgreSQL gives relations that have their paths.
    unsafe {
        if let Some(Some(before)) = BEFORE.get() {
            pg_guard_ffi_boundary(|| before(root, joined, outer, inner, kind, extra));
        }
        // Whoever wants all rows need not have the nearest first.
        let is_limited = (*root).tuple_fraction > 0.0;
        let drops_rows = kind == JoinType::JOIN_SEMI || kind == JoinType::JOIN_INNER;
        if !is_limited || !drops_rows || !is_table(&*root, &*outer) || !is_table(&*root, &*inner) {
            return;
        }
        let found: Vec<Recognized> =
            nodes((*outer).pathlist).filter_map(|path| path::replaced(path)).collect();
        let Some(source) = source(&*inner).filter(|_| !found.is_empty()) else { return };
        let Some(lookup) = Lookup::new(&*extra, outer, &*inner, source) else { return };
        let (count, in_index) = lookup.distinct(root);
        for found in found {
            if found.is_ranked() || !may_change(outer, (*outer).baserestrictinfo, &found) {
                continue;
            }
            let rows = (*outer).rows.min((*joined).rows);
            let (index, cost) = (lookup.index, source.total_cost);
            let keys = Keys { index, count, cost, in_index, rows };
            let (costs, outlook) = cost::among_keys(root, &*outer, &found, &keys);
            let node = path::among_keys(outer, &found, &lookup, (costs, outlook, rows));
            for partner in partners(&*inner, &*outer, source) {
                add_join(root, joined, (node.cast(), partner), kind, extra);
            }
        }
    }
}

/// Whether a relation is a single table that depends on no other relation's row.
///
/// # Safety
/// The relation is being planned.
unsafe fn is_table(root: &PlannerInfo, rel: &RelOptInfo) -> bool {
    if rel.reloptkind != RelOptKind::RELOPT_BASEREL || rel.rtekind != RTEKind::RTE_RELATION {
        return false;
    }
    // SAFETY: a relation of the query has an entry.
    let entry = unsafe { &**root.simple_rte_array.add(rel.relid as usize) };
    entry.tablesample.is_null() && !entry.inh && rel.lateral_relids.is_null()
}

/// How the rows of a relation are read that has the keys; none if they may not be read twice.
///
/// # Safety
/// The relation has its paths.
unsafe fn source(rel: &RelOptInfo) -> Option<&Path> {
    // SAFETY: the relation has its paths, and a list of conditions.
    unsafe {
        let path = rel.cheapest_total_path.as_ref()?;
        let is_scan = matches!(
            path.pathtype,
            NodeTag::T_SeqScan
                | NodeTag::T_IndexScan
                | NodeTag::T_IndexOnlyScan
                | NodeTag::T_BitmapHeapScan
        );
        let conditions = list(nodes(rel.baserestrictinfo).filter_map(Node::restriction));
        let is_repeatable = !pg_sys::contain_volatile_functions(conditions.cast())
            && !pg_sys::contain_subplans(conditions.cast());
        (is_scan && is_repeatable && path.param_info.is_null()).then_some(path)
    }
}

/// A clause of a join that an index serves.
pub struct Lookup<'p> {
    /// The index, whose first column is compared.
    pub index: &'p IndexOptInfo,
    /// What it is compared with is the second operand: a column of the other relation.
    pub clause: Operation<'p>,
    /// How the keys are read.
    pub source: &'p Path,
}

impl<'p> Lookup<'p> {
    /// The first that there is.
    ///
    /// # Safety
    /// The relations are being planned, and joined; `source` is a path of the inner one.
    unsafe fn new(
        extra: &JoinPathExtraData,
        outer: *mut RelOptInfo,
        inner: &RelOptInfo,
        source: &'p Path,
    ) -> Option<Self> {
        // SAFETY: the lists are the planner's, and a path has a target.
        unsafe {
            nodes(extra.restrictlist).find_map(|restriction| {
                let clause = equality(restriction, (*outer).relids, inner.relids)?;
                // An index is asked before policies and barriers hide rows.
                if !pg_sys::restriction_is_securely_promotable(restriction.as_ptr(), outer) {
                    return None;
                }
                let key = clause.operands[1].without_relabels();
                let is_read = |read: Node| read.equals(key);
                if !key.is_column() || !nodes((*source.pathtarget).exprs).any(is_read) {
                    return None;
                }
                let indexes = nodes((*outer).indexlist).filter_map(Node::get::<IndexOptInfo>);
                let index = { indexes }.find(|index| serves(index, &clause))?;
                Some(Self { index, clause, source })
            })
        }
    }
}

impl Lookup<'_> {
    /// How many different keys there are, and how many in the index.
    ///
    /// # Safety
    /// The relations are being planned.
    unsafe fn distinct(&self, root: *mut PlannerInfo) -> (f64, f64) {
        let [looked_up, key] = self.clause.operands;
        let (mut statistics, mut is_default) = (VariableStatData::default(), false);
        // SAFETY: the operands are expressions of the query; the statistics are released as they say.
        unsafe {
            let (sets, notes) = (ptr::null_mut(), ptr::null_mut());
            let rows = self.source.rows;
            let keys = pg_sys::estimate_num_groups(root, list([key]), rows, sets, notes);
            pg_sys::examine_variable(root, looked_up.as_ptr(), 0, &raw mut statistics);
            let in_index =
                pg_sys::get_variable_numdistinct(&raw mut statistics, &raw mut is_default);
            if let Some(free) = statistics.freefunc.filter(|_| !statistics.statsTuple.is_null()) {
                pg_guard_ffi_boundary(|| free(statistics.statsTuple));
            }
            (keys, in_index)
        }
    }
}

/// A clause that says that an expression of one relation equals one of another, in this order.
///
/// # Safety
/// The sets are those of relations that are being planned.
unsafe fn equality<'p>(
    restriction: Node<'p>,
    left: pg_sys::Relids,
    right: pg_sys::Relids,
) -> Option<Operation<'p>> {
    let of: &RestrictInfo = restriction.get()?;
    if of.mergeopfamilies.is_null() && of.hashjoinoperator == pg_sys::InvalidOid {
        return None;
    }
    let clause = restriction.restriction()?.operation()?;
    // SAFETY: sets of relations.
    let are = |first, second| unsafe {
        pg_sys::bms_equal(first, left) && pg_sys::bms_equal(second, right)
    };
    if are(of.left_relids, of.right_relids) {
        Some(clause)
    } else if are(of.right_relids, of.left_relids) {
        clause.commuted()
    } else {
        None
    }
}

/// Whether an index finds rows by such a clause, one key after the other.
///
/// # Safety
/// The index is one of the planner's.
unsafe fn serves(index: &IndexOptInfo, clause: &Operation) -> bool {
    let is_known = [pg_sys::BTREE_AM_OID, pg_sys::HASH_AM_OID].contains(&index.relam);
    let is_whole = index.indpred.is_null() || index.predOK;
    // SAFETY: an index has a first column.
    unsafe {
        let collation = *index.indexcollations;
        let compares_alike = collation == pg_sys::InvalidOid || collation == clause.collation;
        is_known
            && is_whole
            && compares_alike
            && !index.hypothetical
            && index.amhasgetbitmap
            && pg_sys::op_in_opfamily(clause.operator, *index.opfamily)
            && pg_sys::match_index_to_operand(
                clause.operands[0].as_ptr(),
                0,
                ptr::from_ref(index).cast_mut(),
            )
    }
}

/// How the other relation's rows may be found for each row of the node.
///
/// # Safety
/// The relations have their paths.
unsafe fn partners(inner: &RelOptInfo, outer: &RelOptInfo, source: &Path) -> Vec<*mut Path> {
    // SAFETY: the lists are the planner's, which does not change paths that it has.
    unsafe {
        let kept = pg_sys::create_material_path(
            ptr::from_ref(inner).cast_mut(),
            ptr::from_ref(source).cast_mut(),
        );
        let parameterized = nodes(inner.cheapest_parameterized_paths).map(Node::as_ptr::<Path>);
        let by_key = parameterized.filter(|&path| {
            let depends_on = (*path).param_info.as_ref().map(|info| info.ppi_req_outer);
            depends_on.is_some_and(|relations| pg_sys::bms_is_subset(relations, outer.relids))
        });
        by_key.chain([kept.cast()]).collect()
    }
}

/// # Safety
/// PostgreSQL is joining the relations of these paths.
unsafe fn add_join(
    root: *mut PlannerInfo,
    joined: *mut RelOptInfo,
    (node, partner): (*mut Path, *mut Path),
    kind: JoinType::Type,
    extra: *mut JoinPathExtraData,
) {
    let mut workspace = JoinCostWorkspace::default();
    // SAFETY: as PostgreSQL does itself.
    unsafe {
        pg_sys::initial_cost_nestloop(root, &raw mut workspace, kind, node, partner, extra);
        let order = pg_sys::build_join_pathkeys(root, joined, kind, (*node).pathkeys);
        let join = pg_sys::create_nestloop_path(
            root,
            joined,
            kind,
            &raw mut workspace,
            extra,
            node,
            partner,
            (*extra).restrictlist,
            order,
            ptr::null_mut(),
        );
        pg_sys::add_path(joined, join.cast());
    }
}
