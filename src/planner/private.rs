//! What a node of a plan says beyond expressions: its `custom_private`.

#![allow(unsafe_code)] // reads a node of a plan

use pgrx::pg_sys::{CustomScan, List, Oid, PlannerInfo};

use crate::pg::node::{Node, integer_list, integers, list, nodes, oid_list, oids};

/// What the node says, of plain values.
pub struct Private {
    /// The index.
    pub index: Oid,
    /// Operators and their collations: the distance's, then those of conditions of the index.
    pub operators: Vec<(Oid, Oid)>,
    /// How many entries of the scan tuple, the last ones, are the distance.
    pub distances: usize,
    /// Rows that are wanted.
    pub wanted: Wanted,
    /// Whether the index may have to find more rows than it does at first: some may fail conditions,
    /// or the table hardly has as many as are wanted.
    pub is_tight: bool,
}

impl Private {
    /// The lists that a plan keeps.
    pub fn into_list(self) -> *mut List {
        let operators =
            self.operators.iter().flat_map(|&(operator, collation)| [operator, collation]);
        let oids = oid_list([self.index].into_iter().chain(operators));
        let numbers = [self.distances, self.wanted.into_number(), usize::from(self.is_tight)];
        // SAFETY: lists are nodes.
        list([oids, integer_list(numbers)].into_iter().filter_map(|list| unsafe { Node::of(list) }))
    }

    /// What [`into_list`](Self::into_list) has made.
    ///
    /// # Safety
    /// `node` is one of ours.
    pub unsafe fn of(node: &CustomScan) -> Option<Self> {
        // SAFETY: the caller's promise.
        let (mut oids, numbers) = unsafe {
            let mut lists = nodes(node.custom_private);
            (oids(lists.next()?.as_ptr()), integers(lists.next()?.as_ptr()))
        };
        let index = oids.next()?;
        let mut operators = Vec::new();
        while let Some(operator) = oids.next() {
            operators.push((operator, oids.next()?));
        }
        let [distances, wanted, is_tight] = numbers.collect::<Vec<_>>().try_into().ok()?;
        let (wanted, is_tight) = (Wanted::from_number(wanted), is_tight > 0);
        Some(Self { index, operators, distances, wanted, is_tight })
    }
}

/// How many rows a query wants.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// All, as it has no LIMIT.
    All,
    /// So many at least.
    Some(usize),
    /// That is not known.
    Unknown,
}

/// What stands for all rows in a list of numbers.
const ALL: usize = i32::MAX as usize;

impl Wanted {
    /// Of a query that is being planned.
    pub fn of(root: &PlannerInfo) -> Self {
        if root.limit_tuples > 0.0 {
            // A float to integer cast saturates.
            Self::Some(root.limit_tuples.ceil() as usize)
        } else if root.tuple_fraction <= 0.0 {
            Self::All
        } else {
            Self::Unknown
        }
    }

    fn into_number(self) -> usize {
        match self {
            Self::All => ALL,
            Self::Some(count) => count.min(ALL - 1),
            Self::Unknown => 0,
        }
    }

    fn from_number(number: usize) -> Self {
        match number {
            0 => Self::Unknown,
            ALL => Self::All,
            count => Self::Some(count),
        }
    }
}
