//! Index paths of PostgreSQL's whose place our node can take, and what they search for.

#![allow(unsafe_code)] // reads PostgreSQL's paths

use pgrx::pg_sys::{
    self, IndexClause, IndexPath, List, Node, NodeTag, OpExpr, RelOptInfo, RestrictInfo,
};

use crate::am::scan;
use crate::pg::node::{nodes, operands, operation};
use crate::pg::relation::Opened;

/// The operators `<` and `>` of `float8`.
const LESS: u32 = 672;
const GREATER: u32 = 674;

/// A scan of one of our indexes in order of a distance.
pub struct Recognised {
    /// PostgreSQL's path.
    pub path: *mut IndexPath,
    /// The distance; its left operand is what the index is on.
    pub distance: *mut OpExpr,
    /// Conditions that the index serves, in the same form.
    pub conditions: Vec<*mut OpExpr>,
}

/// The paths of a relation that our node can take the place of: those of no outer relation, as
/// PostgreSQL asks no order of others, with one distance as their order.
///
/// # Safety
/// `rel` has its paths.
pub unsafe fn recognised(rel: &RelOptInfo) -> Vec<Recognised> {
    // SAFETY: the members of the list are paths; the tag tells the struct.
    unsafe {
        nodes(rel.pathlist)
            .filter(|&path| (*path).type_ == NodeTag::T_IndexPath)
            .filter_map(|path| Recognised::of(path.cast()))
            .collect()
    }
}

impl Recognised {
    /// None where our node cannot take its place.
    ///
    /// # Safety
    /// `path` is valid.
    pub unsafe fn of(path: *mut IndexPath) -> Option<Self> {
        // SAFETY: the caller's promise.
        unsafe {
            let &IndexPath { path: ref base, indexinfo, indexclauses, indexorderbys, .. } = &*path;
            if base.pathkeys.is_null() || !base.param_info.is_null() || (*indexinfo).hypothetical {
                return None;
            }
            let distance = operation(only(indexorderbys)?)?;
            operands(distance)?;
            let conditions = nodes(indexclauses).map(|clause| condition(clause.cast()));
            let conditions = conditions.collect::<Option<Vec<_>>>()?;
            // The planner holds a lock on the index, so it exists.
            let is_ours = scan::is_ours(Opened::open((*indexinfo).indexoid).get());
            is_ours.then_some(Self { path, distance, conditions })
        }
    }

    /// `radius` of a condition `distance < radius`, where it is the same for all rows.
    ///
    /// A scan that ends there tells by its figures how many rows are nearer. So the condition must
    /// be one that PostgreSQL may evaluate before all others: of no less a security level than
    /// those that policies and views with a barrier add, or leakproof.
    ///
    /// # Safety
    /// `rel` is the relation of the path.
    pub unsafe fn radius(&self, rel: *mut RelOptInfo) -> Option<*mut Node> {
        // SAFETY: the members of the list are restrictions.
        unsafe {
            nodes((*rel).baserestrictinfo).find_map(|restriction| {
                let restriction = restriction.cast::<RestrictInfo>();
                if !pg_sys::restriction_is_securely_promotable(restriction, rel) {
                    return None;
                }
                self.radius_of((*restriction).clause.cast())
            })
        }
    }

    /// # Safety
    /// `clause` is an expression.
    unsafe fn radius_of(&self, clause: *mut Node) -> Option<*mut Node> {
        // SAFETY: the tag tells the struct.
        unsafe {
            let comparison = operation(clause)?;
            let [left, right] = operands(comparison)?;
            let (less, radius) = match (*comparison).opno.to_u32() {
                LESS => (left, right),
                GREATER => (right, left),
                _ => return None,
            };
            let is_steady = !pg_sys::contain_var_clause(radius)
                && !pg_sys::contain_subplans(radius)
                && !pg_sys::contain_volatile_functions(radius);
            let is_distance = pg_sys::equal(less.cast(), self.distance.cast())
                || commuted(self.distance)
                    .is_some_and(|other| pg_sys::equal(less.cast(), other.cast()));
            (is_steady && is_distance).then_some(radius)
        }
    }
}

/// The same distance with its operands the other way round.
///
/// # Safety
/// `distance` has two operands.
pub unsafe fn commuted(distance: *mut OpExpr) -> Option<*mut OpExpr> {
    // SAFETY: the caller's promise; the copy is ours to change.
    unsafe {
        let operator = pg_sys::get_commutator((*distance).opno);
        if operator == pg_sys::InvalidOid {
            return None;
        }
        let copy = pg_sys::copyObjectImpl(distance.cast()).cast::<OpExpr>();
        pg_sys::CommuteOpExpr(copy);
        pg_sys::set_opfuncid(copy);
        Some(copy)
    }
}

/// What an index is asked for by one clause, if that is a single operator.
///
/// # Safety
/// `clause` is valid.
unsafe fn condition(clause: *mut IndexClause) -> Option<*mut OpExpr> {
    // SAFETY: the caller's promise; conditions of an index are restrictions.
    unsafe {
        let restriction = only((*clause).indexquals)?.cast::<RestrictInfo>();
        let condition = operation((*restriction).clause.cast())?;
        operands(condition)?;
        Some(condition)
    }
}

/// # Safety
/// `list` is null or a list of nodes.
unsafe fn only(list: *mut List) -> Option<*mut Node> {
    // SAFETY: the caller's promise.
    unsafe {
        let mut nodes = nodes(list);
        let first = nodes.next()?;
        if nodes.next().is_some() { None } else { Some(first) }
    }
}
