//! The indexes of a table: what they are on, and what order they give.

#![allow(unsafe_code)] // fields of PostgreSQL's structs

use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::{self, Oid};

use super::catalog;
use super::node::{self, Node};
use super::relation::Opened;

unsafe extern "C-unwind" {
    fn get_partition_parent(relation: Oid, even_if_detached: bool) -> Oid;
    fn find_all_inheritors(
        relation: Oid,
        lock: pg_sys::LOCKMODE,
        numbers_of_parents: *mut *mut pg_sys::List,
    ) -> *mut pg_sys::List;
}

/// Whether a relation is another one, or a partition of it, or of a partition, and so on.
pub fn is_partition_of(relation: Oid, other: Oid) -> bool {
    with_parents(relation).any(|relation| relation == other)
}

/// A relation, what it is a partition of, and so on.
pub fn with_parents(relation: Oid) -> impl Iterator<Item = Oid> {
    std::iter::successors(Some(relation), |&relation| {
        // SAFETY: look-ups in the catalog; a partition has a parent.
        unsafe {
            pg_sys::get_rel_relispartition(relation)
                .then(|| pg_guard_ffi_boundary(|| get_partition_parent(relation, true)))
        }
    })
}

/// A relation and all its partitions, those of these included, and so on.
pub fn with_partitions(relation: Oid) -> Vec<Oid> {
    inheritors(relation, pg_sys::NoLock)
}

/// A table and all that inherit from it, directly or not, which are locked for reading until the end of
/// the transaction. The table is locked already.
pub fn with_heirs(table: Oid) -> Vec<Oid> {
    inheritors(table, pg_sys::AccessShareLock)
}

fn inheritors(relation: Oid, lock: u32) -> Vec<Oid> {
    let none = std::ptr::null_mut();
    // SAFETY: a look-up in the catalog; the list is one of OIDs.
    unsafe {
        let all = pg_guard_ffi_boundary(|| find_all_inheritors(relation, lock as i32, none));
        node::oids(all).collect()
    }
}

impl Opened {
    /// The valid indexes of this table whose first column is an expression of the table's columns.
    pub fn indexes_on(&self, expression: Node) -> Vec<Opened> {
        // SAFETY: the relation is open, and the list is one of OIDs.
        let indexes: Vec<Oid> =
            unsafe { node::oids(pg_sys::RelationGetIndexList(self.get())).collect() };
        let opened = indexes.into_iter().filter_map(Opened::find);
        opened.filter(|index| index.is_on(expression)).collect()
    }

    /// Whether this is a valid index whose first column is an expression of its table's columns.
    fn is_on(&self, expression: Node) -> bool {
        // SAFETY: an open index has its row of pg_index, with at least one column; the list holds the
        // expressions of those columns that are no column of the table. A copy may be changed.
        unsafe {
            let index = &*(*self.get()).rd_index;
            if !index.indisvalid {
                return false;
            }
            let column = index.indkey.values.as_slice(1)[0];
            let expression = expression.copy().without_relabels();
            if column != 0 {
                return expression.get::<pg_sys::Var>().is_some_and(|var| var.varattno == column);
            }
            let first = node::nodes(pg_sys::RelationGetIndexExpressions(self.get())).next();
            let columns = pg_sys::pull_var_clause(expression.as_ptr(), 0);
            let column = node::nodes(columns).find_map(Node::get::<pg_sys::Var>);
            // Its type differs between PostgreSQL's versions.
            let number = column.and_then(|column| usize::try_from(column.varno).ok());
            let Some(number) = number.and_then(|number| i32::try_from(number).ok()) else {
                return false;
            };
            pg_sys::ChangeVarNodes(expression.as_ptr(), number, 1, 0);
            first.is_some_and(|first| first.equals(expression))
        }
    }

    /// Whether the operator class of this index's first column has an operator, with this number of a
    /// strategy.
    pub fn serves(&self, operator: Oid, strategy: i16) -> bool {
        let [left, right] = catalog::operator_types(operator);
        // SAFETY: an open index has the family of its first column's operator class.
        let member = unsafe {
            let family = (*self.get()).rd_opfamily;
            if family.is_null() {
                return false;
            }
            pg_sys::get_opfamily_member(*family, left, right, strategy)
        };
        member == operator
    }
}
