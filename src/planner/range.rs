//! Conditions that bound the distances that are wanted.

#![allow(unsafe_code)] // asks the planner

use pgrx::pg_sys::{self, Float8LessOperator, Oid, RelOptInfo};

use crate::pg::catalog;
use crate::pg::node::{Node, Operation, nodes};

/// The operator `<` of `double precision`.
pub fn less() -> Oid {
    Oid::from(Float8LessOperator)
}

/// `radius` of a condition `distance < radius`, if it is the same for all rows.
///
/// A scan that ends there tells by its figures how many rows are nearer. So the condition must be
/// one that PostgreSQL may evaluate before all others: of no less a security level than those that
/// policies and views with a barrier add, or leakproof.
///
/// # Safety
/// `rel` is a relation that is planned during `'p`.
pub unsafe fn radius<'p>(rel: *mut RelOptInfo, distance: &Operation) -> Option<Node<'p>> {
    // SAFETY: the relation has a list of restrictions.
    unsafe {
        let is_first = |restriction: &Node| {
            pg_sys::restriction_is_securely_promotable(restriction.as_ptr(), rel)
        };
        nodes((*rel).baserestrictinfo)
            .filter(is_first)
            .find_map(|restriction| bound(restriction.restriction()?.operation()?, distance))
    }
}

/// What a comparison says that a distance is less than.
fn bound<'p>(comparison: Operation<'p>, distance: &Operation) -> Option<Node<'p>> {
    let [left, right] = comparison.operands;
    let (smaller, larger) = match comparison.operator {
        operator if operator == less() => (left, right),
        operator if Some(operator) == catalog::commutator(less()) => (right, left),
        _ => return None,
    };
    let is_distance = larger.is_constant()
        && (smaller.equals(distance.node)
            || distance.commuted().is_some_and(|commuted| smaller.equals(commuted.node)));
    is_distance.then_some(larger)
}
