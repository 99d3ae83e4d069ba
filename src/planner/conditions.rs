//! The conditions of a relation, as far as a search by one index cares.

#![allow(unsafe_code)] // reads nodes of the planner

use pgrx::pg_sys::{self, List, RelOptInfo, RestrictInfo};

use super::range::radius;
use super::recognize::Recognized;
use crate::pg::node::{Node, Operation, list, nodes};

/// The conditions of a relation.
pub struct Conditions<'p> {
    /// Those that the node tests.
    pub tested: *mut List,
    /// Whether rows that the index finds may fail some.
    pub drops_rows: bool,
    /// Whether they drop rows, and may be tested in whichever way rows are found.
    pub is_steady: bool,
    /// Where the search ends, if they bound the distance.
    pub radius: Option<Node<'p>>,
}

impl Conditions<'_> {
    /// Those of `clauses`, restrictions of the relation in PostgreSQL's order. `joins` tells whether a join
    /// is one, too.
    ///
    /// # Safety
    /// The relation is being planned, and `found` is a path of it.
    pub unsafe fn new(
        rel: *mut RelOptInfo,
        clauses: *mut List,
        found: &Recognized,
        joins: bool,
    ) -> Self {
        // SAFETY: the lists are the planner's.
        unsafe {
            let unimplied = filter(clauses, found.index.indrestrictinfo);
            let drops_rows = joins
                || nodes(unimplied).any(|condition| !always_holds(condition, &found.distance));
            let is_steady = drops_rows && may_change(rel, clauses, found);
            let tested = if is_steady { filter(clauses, clauses) } else { unimplied };
            Self { tested, drops_rows, is_steady, radius: radius(rel, &found.distance) }
        }
    }
}

/// Whether a search with these conditions may change its strategy: a radius ends the walk, and elsewhere
/// rows may be read that the index does not have, and more than once.
///
/// # Safety
/// As [`Conditions::new`].
pub unsafe fn may_change(rel: *mut RelOptInfo, clauses: *mut List, found: &Recognized) -> bool {
    // SAFETY: the lists are the planner's.
    unsafe {
        // The operator does not know by which partition's index to rank a row.
        let is_ranked_apart =
            found.inspector.matches && pg_sys::get_rel_relispartition(found.index.indexoid);
        !is_ranked_apart
            && found.conditions.is_empty()
            && radius(rel, &found.distance).is_none()
            && !pg_sys::contain_volatile_functions(filter(clauses, clauses).cast())
    }
}

/// Conditions in the order that PostgreSQL has found, without those that the index's predicate
/// implies: these are not in its list.
///
/// # Safety
/// Both are lists of restrictions.
unsafe fn filter(clauses: *mut List, of_index: *mut List) -> *mut List {
    // SAFETY: both are lists of restrictions.
    unsafe {
        let is_tested = |clause: &Node| {
            let is_implied = !pg_sys::list_member_ptr(of_index, clause.as_ptr());
            !is_implied && clause.get::<RestrictInfo>().is_some_and(|clause| !clause.pseudoconstant)
        };
        list(nodes(clauses).filter(is_tested).filter_map(Node::restriction))
    }
}

/// Whether a condition holds for all rows of an index: its column is not NULL. (It is tested all
/// the same, as a row may have changed.)
fn always_holds(condition: Node, distance: &Operation) -> bool {
    condition.not_null().is_some_and(|column| column.equals(distance.operands[0]))
}
