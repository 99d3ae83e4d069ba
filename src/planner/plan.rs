//! Makes the node of a plan from its path.

#![allow(unsafe_code)] // called by PostgreSQL

use pgrx::pg_guard;
use pgrx::pg_sys::{
    self, CustomPath, CustomScan, CustomScanMethods, List, Node, NodeTag, NullTest, NullTestType,
    Oid, OpExpr, Plan, PlannerInfo, RelOptInfo, RestrictInfo, Var,
};

use super::path::Shared;
use super::recognise::{Recognised, commuted};
use super::{NAME, execute};
use crate::pg::node::{integers, integers_of, list, new_node, nodes, oids, oids_of, operands};

static METHODS: Shared<CustomScanMethods> = Shared(CustomScanMethods {
    CustomName: NAME.as_ptr(),
    CreateCustomScanState: Some(execute::create_custom_scan_state),
});

/// Makes the node known, also to parallel workers, which read plans.
pub fn register() {
    // SAFETY: the table lives forever.
    unsafe { pg_sys::RegisterCustomScanMethods(&raw const METHODS.0) };
}

/// What the node says beyond expressions: `custom_private`.
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

impl Wanted {
    /// Of a query that is being planned.
    fn of(root: &PlannerInfo) -> Self {
        if root.limit_tuples > 0.0 {
            // A float to integer cast saturates.
            Self::Some(root.limit_tuples.ceil() as usize)
        } else if root.tuple_fraction <= 0.0 {
            Self::All
        } else {
            Self::Unknown
        }
    }

    /// As a list of numbers has it.
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

/// What stands for all rows in a list of numbers.
const ALL: usize = i32::MAX as usize;

impl Private {
    fn into_list(self) -> *mut List {
        let operators =
            self.operators.iter().flat_map(|&(operator, collation)| [operator, collation]);
        let oids = oids(&[self.index].into_iter().chain(operators).collect::<Vec<_>>());
        let numbers = [self.distances, self.wanted.into_number(), usize::from(self.is_tight)];
        let counts = integers(&numbers);
        list(&[oids.cast(), counts.cast()])
    }

    /// # Safety
    /// `node` is one of ours.
    pub unsafe fn of(node: &CustomScan) -> Option<Self> {
        // SAFETY: `into_list` has made it.
        unsafe {
            let mut lists = nodes(node.custom_private);
            let mut oids = oids_of(lists.next()?.cast());
            let index = oids.next()?;
            let mut operators = Vec::new();
            while let Some(operator) = oids.next() {
                operators.push((operator, oids.next()?));
            }
            let counts: Vec<usize> = integers_of(lists.next()?.cast()).collect();
            let [distances, wanted, is_tight] = counts.try_into().ok()?;
            let (wanted, is_tight) = (Wanted::from_number(wanted), is_tight > 0);
            Some(Self { index, operators, distances, wanted, is_tight })
        }
    }
}

/// Makes the node. Its scan tuple has all columns that somebody above may want, and the distance:
/// PostgreSQL takes what equals it from there. `custom_exprs` are what the index is asked with: the
/// query, what conditions of the index compare with, and the radius if there is one.
#[pg_guard]
pub unsafe extern "C-unwind" fn plan_custom_path(
    root: *mut PlannerInfo,
    rel: *mut RelOptInfo,
    path: *mut CustomPath,
    targets: *mut List,
    clauses: *mut List,
    _plans: *mut List,
) -> *mut Plan {
    // SAFETY: PostgreSQL gives a path of ours, whose only member is what was recognised before.
    unsafe {
        let scan = new_node::<CustomScan>(NodeTag::T_CustomScan);
        let index_path = nodes((*path).custom_private).next();
        let Some(found) = index_path.and_then(|path| Recognised::of(path.cast())) else {
            pgrx::error!("a path of {} has no index", NAME.to_string_lossy());
        };
        let index = (*found.path).indexinfo;
        let filter = filter(clauses, (*index).indrestrictinfo);
        let mut tuple = columns(rel, &[(*(*rel).reltarget).exprs, targets, filter]);
        let columns = pg_sys::list_length(tuple);
        let distances = [Some(found.distance), commuted(found.distance)];
        for distance in distances.into_iter().flatten() {
            tuple = pg_sys::add_to_flat_tlist(tuple, list(&[distance.cast()]));
        }

        let asked = [found.distance].into_iter().chain(found.conditions.iter().copied());
        let private = Private {
            index: (*index).indexoid,
            operators: asked.clone().map(|asked| ((*asked).opno, (*asked).inputcollid)).collect(),
            distances: (pg_sys::list_length(tuple) - columns) as usize,
            wanted: Wanted::of(&*root),
            is_tight: (*root).limit_tuples >= (*rel).rows
                || nodes(filter).any(|condition| !holds(condition, found.distance)),
        };
        let operands = asked.filter_map(|asked| constant(asked));
        let operands: Vec<_> = operands.chain(found.radius(rel)).collect();

        (*scan).scan.plan.targetlist = targets;
        (*scan).scan.plan.qual = filter;
        (*scan).scan.scanrelid = (*rel).relid;
        (*scan).flags = (*path).flags;
        (*scan).custom_exprs = list(&operands);
        (*scan).custom_private = private.into_list();
        (*scan).custom_scan_tlist = tuple;
        (*scan).methods = &raw const METHODS.0;
        scan.cast()
    }
}

/// The conditions that rows are tested with, in the order that PostgreSQL has found: without those
/// that the index's predicate implies.
///
/// # Safety
/// Both are lists of restrictions.
unsafe fn filter(clauses: *mut List, of_index: *mut List) -> *mut List {
    // SAFETY: the caller's promise.
    unsafe {
        let left = nodes(clauses).filter(|&clause| {
            let is_implied = !pg_sys::list_member_ptr(of_index, clause.cast());
            !is_implied && !(*clause.cast::<RestrictInfo>()).pseudoconstant
        });
        list(&left.map(|clause| (*clause.cast::<RestrictInfo>()).clause.cast()).collect::<Vec<_>>())
    }
}

/// The columns of a relation in some expressions, as entries of a target list.
///
/// # Safety
/// `expressions` are lists of expressions of the relation, or null.
unsafe fn columns(rel: *mut RelOptInfo, expressions: &[*mut List]) -> *mut List {
    let flags = pg_sys::PVC_RECURSE_AGGREGATES
        | pg_sys::PVC_RECURSE_WINDOWFUNCS
        | pg_sys::PVC_RECURSE_PLACEHOLDERS;
    // SAFETY: the caller's promise.
    unsafe {
        let mut entries = std::ptr::null_mut();
        for &expressions in expressions {
            let variables = pg_sys::pull_var_clause(expressions.cast(), flags as i32);
            let own: Vec<*mut Node> = nodes(variables)
                .filter(|&variable| {
                    let variable = &*variable.cast::<Var>();
                    variable.varno as pg_sys::Index == (*rel).relid && variable.varlevelsup == 0
                })
                .collect();
            entries = pg_sys::add_to_flat_tlist(entries, list(&own));
        }
        entries
    }
}

/// The operand that is the same for all rows.
///
/// # Safety
/// `operation` has two operands.
unsafe fn constant(operation: *mut OpExpr) -> Option<*mut Node> {
    // SAFETY: the caller's promise.
    unsafe { operands(operation).map(|[_, constant]| constant) }
}

/// Whether a condition holds for all rows of an index: its column is not NULL. (It is tested all
/// the same, as a row may have changed.)
///
/// # Safety
/// Both are expressions of one relation; the distance has two operands.
unsafe fn holds(condition: *mut Node, distance: *mut OpExpr) -> bool {
    // SAFETY: the caller's promise; the tag tells the struct.
    unsafe {
        if (*condition).type_ != NodeTag::T_NullTest {
            return false;
        }
        let test = &*condition.cast::<NullTest>();
        let column = operands(distance).map(|[column, _]| column);
        test.nulltesttype == NullTestType::IS_NOT_NULL
            && !test.argisrow
            && column.is_some_and(|column| pg_sys::equal(test.arg.cast(), column.cast()))
    }
}
