//! Index paths of PostgreSQL's that our node can replace, and what they search for.

#![allow(unsafe_code)] // reads PostgreSQL's paths

use pgrx::pg_sys::{self, IndexClause, IndexOptInfo, IndexPath, List, Oid, RelOptInfo};

use crate::am::inspector::Inspector;
use crate::pg::indexes::is_partition_of;
use crate::pg::node::{Node, Operation, nodes};
use crate::pg::relation::Opened;
use crate::types::bm25query;

/// A scan of one of our indexes in order of a distance.
pub struct Recognized<'p> {
    /// PostgreSQL's path, as a node.
    pub node: Node<'p>,
    /// The same.
    pub path: &'p IndexPath,
    /// Its index.
    pub index: &'p IndexOptInfo,
    /// What its access method tells.
    pub inspector: Inspector,
    /// The distance; its left operand is what the index is on.
    pub distance: Operation<'p>,
    /// Conditions that the index serves, in the same form.
    pub conditions: Vec<Operation<'p>>,
}

/// The paths of a relation that our node can replace: those of no outer relation, as PostgreSQL
/// asks no order of others, with one distance as their order.
///
/// # Safety
/// `rel` has its paths; those of indexes live during `'p`.
pub unsafe fn recognized<'p>(rel: &RelOptInfo) -> Vec<Recognized<'p>> {
    // SAFETY: a list of paths, which lives as long as the result is gathered.
    unsafe { nodes(rel.pathlist).filter_map(Recognized::of).collect() }
}

impl<'p> Recognized<'p> {
    /// None if our node cannot replace it.
    pub fn of(node: Node<'p>) -> Option<Self> {
        let path: &IndexPath = node.get()?;
        // SAFETY: the index and the lists of a path live as long as the path.
        let (index, distance, clauses) =
            unsafe { (&*path.indexinfo, only(path.indexorderbys), nodes(path.indexclauses)) };
        if path.path.pathkeys.is_null() || !path.path.param_info.is_null() || index.hypothetical {
            return None;
        }
        let distance = distance?.operation()?;
        let conditions = clauses.map(condition).collect::<Option<Vec<_>>>()?;
        let opened = Opened::open(index.indexoid);
        // SAFETY: the relation is open.
        let inspector = unsafe { Inspector::of(opened.get())? };
        Some(Self { node, path, index, inspector, distance, conditions })
    }

    /// Whether a ranking may be by another index of the relation: the query names that, or it is not known
    /// yet which one, and there are several.
    ///
    /// # Safety
    /// `rel` is the relation of the index.
    pub unsafe fn may_be_by_another(&self, rel: &RelOptInfo) -> bool {
        match bm25query::index(self.distance.operands[1]) {
            _ if !self.is_ranked() => false,
            Some(named) => !is_partition_of(self.index.indexoid, named),
            None => {
                let ranks = |index: &Node| {
                    // SAFETY: a look-up in the catalog; an index has a first column.
                    index.get::<IndexOptInfo>().is_some_and(|index| unsafe {
                        let (operator, family) = (self.distance.operator, *index.opfamily);
                        pg_sys::get_op_opfamily_sortfamily(operator, family) != Oid::INVALID
                            && *index.indexkeys == *self.index.indexkeys
                    })
                };
                // SAFETY: the list of the relation's indexes.
                unsafe { nodes(rel.indexlist).filter(ranks).count() > 1 }
            }
        }
    }

    /// Whether texts are ranked: only rows that match are found.
    pub fn is_ranked(&self) -> bool {
        self.inspector.matches && bm25query::is_ranking(&self.distance)
    }
}

/// What an index is asked for by one clause, if that is a single operator.
fn condition(clause: Node) -> Option<Operation> {
    // SAFETY: the list lives as long as the clause.
    unsafe { only(clause.get::<IndexClause>()?.indexquals) }?.restriction()?.operation()
}

/// The node of a list that has one.
///
/// # Safety
/// As [`nodes`].
unsafe fn only<'p>(list: *mut List) -> Option<Node<'p>> {
    // SAFETY: `list` is null or a list of nodes.
    let mut nodes = unsafe { nodes(list) };
    let first = nodes.next()?;
    if nodes.next().is_some() { None } else { Some(first) }
}
