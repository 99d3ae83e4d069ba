//! Rows of the table as tuples of the scan: tested, and with their distance.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::ops::Range;
use std::ptr;

use pgrx::pg_sys::{
    self, Bitmapset, CustomScan, CustomScanState, Datum, ExprState, Index, MemoryContext,
    MinimalTuple, ProjectionInfo, TargetEntry, TupleTableSlot, Var,
};

use super::private::Private;
use crate::am::reorder::Payload;
use crate::pg::node::{Node, list, nodes};
use crate::pg::{memory, per_row};
use crate::types::bm25query::{is_ranking, ranked_by};

/// Makes tuples of the scan.
pub struct Tuples {
    /// Columns of the table to those of the tuple that somebody looks at; all others are NULL.
    projection: *mut ProjectionInfo,
    /// The distance, of a row of the table.
    distance: *mut ExprState,
    /// Conditions that say nothing of the distance, up to the first that does, of a row of the table.
    before: *mut ExprState,
    /// All other conditions.
    after: *mut ExprState,
    /// Columns of the tuple that are the distance.
    distances: Range<usize>,
}

impl Tuples {
    /// Prepares for a node.
    ///
    /// # Safety
    /// The node is being begun; `plan` is its plan.
    pub unsafe fn new(node: &mut CustomScanState, plan: &CustomScan, private: &Private) -> Self {
        // SAFETY: the node is being begun, with its table open. PostgreSQL has made the slot for
        // tuples of this form.
        unsafe {
            let entries: Vec<Node> = nodes(plan.custom_scan_tlist)
                .filter_map(|entry| Node::of(entry.get::<TargetEntry>()?.expr))
                .collect();
            let distances = entries.len() - private.distances..entries.len();
            let base = &plan.scan.plan;
            let conditions: Vec<Node> = nodes(base.qual).collect();
            let of_distance = |condition: &Node| {
                let columns = columns_of(condition.as_ptr(), ptr::null_mut());
                distances.clone().any(|number| has(columns, number))
            };
            let first = conditions.iter().position(of_distance).unwrap_or(conditions.len());
            let (before, after) = conditions.split_at(first);
            let before = list(before.iter().map(|condition| of_row(*condition, &entries)));
            let after = list(after.iter().copied());

            let used = columns_of(base.targetlist.cast(), ptr::null_mut());
            let used = columns_of(after.cast(), used);
            let is_used = |number: usize| !distances.contains(&number) && has(used, number);
            let columns = entries.iter().enumerate().filter_map(|(number, &expression)| {
                let expression = if is_used(number) { expression } else { expression.null() };
                let number = i16::try_from(number + 1).ok()?;
                let (name, is_junk) = (ptr::null_mut(), false);
                Node::of(pg_sys::makeTargetEntry(expression.as_ptr(), number, name, is_junk))
            });
            let columns = list(columns);

            // Rows may come in slots of any kind, as those that EvalPlanQual tests do.
            let ps = &mut node.ss.ps;
            let fixed = std::mem::replace(&mut ps.scanopsfixed, false);
            let (context, slot) = (ps.ps_ExprContext, node.ss.ss_ScanTupleSlot);
            let row = (*node.ss.ss_currentRelation).rd_att;
            let ps = &raw mut node.ss.ps;
            let projection = pg_sys::ExecBuildProjectionInfo(columns, context, slot, ps, row);
            let distance = entries[distances.start];
            let distance = match distance.operation() {
                // The query names the index of the table of which this is a partition.
                Some(operation)
                    if is_ranking(&operation) && pg_sys::get_rel_relispartition(private.index) =>
                {
                    ranked_by(&operation, private.index)
                }
                _ => distance,
            };
            let distance = pg_sys::ExecInitExpr(distance.as_ptr(), ps);
            let before = pg_sys::ExecInitQual(before, ps);
            (*ps).scanopsfixed = fixed;
            let after = pg_sys::ExecInitQual(after, ps);
            Self { projection, distance, before, after, distances }
        }
    }

    /// Makes a tuple of a row, in the slot for tuples of the scan, and tells the distance; none
    /// where a condition does not hold. `known` is the distance, if it is known.
    ///
    /// The distance of a row that other conditions refuse is not computed: it may fail, and the
    /// error would tell of a row that the user is not to see.
    ///
    /// # Safety
    /// The node is being run; the slot holds a row of its table.
    pub unsafe fn make(
        &self,
        node: &mut CustomScanState,
        row: *mut TupleTableSlot,
        known: Option<Option<f64>>,
    ) -> Option<Option<f64>> {
        // SAFETY: the node is being run, and `row` holds a row of its table.
        unsafe { per_row::caught(|| self.make_uncaught(node, row, known)) }
    }

    /// The same, of which no errors are caught.
    ///
    /// # Safety
    /// As [`make`](Self::make), within [`per_row::caught`].
    pub unsafe fn make_uncaught(
        &self,
        node: &mut CustomScanState,
        row: *mut TupleTableSlot,
        known: Option<Option<f64>>,
    ) -> Option<Option<f64>> {
        // SAFETY: the node is being run, and `row` holds a row of its table; the distance is a
        // `float8`, and its columns are there.
        unsafe {
            let context = node.ss.ps.ps_ExprContext;
            per_row::begin_row(context);
            (*context).ecxt_scantuple = row;
            if !per_row::holds(self.before, context) {
                return count_removed(node);
            }
            let tuple = per_row::project(self.projection);
            let distance = known.unwrap_or_else(|| {
                let distance = per_row::value(self.distance, context);
                distance.map(|distance| f64::from_bits(distance.value() as u64))
            });
            for number in self.distances.clone() {
                *(*tuple).tts_values.add(number) = Datum::from(distance.unwrap_or(0.0).to_bits());
                *(*tuple).tts_isnull.add(number) = distance.is_none();
            }
            (*context).ecxt_scantuple = tuple;
            if !per_row::holds(self.after, context) {
                return count_removed(node);
            }
            Some(distance)
        }
    }
}

/// A tuple of the scan, in memory that lives until the row is returned or the scan begins anew.
pub struct Tuple(MinimalTuple);

impl Tuple {
    /// A copy of the tuple in the slot for tuples of the scan. Both slots are emptied: they may refer to the
    /// row's page.
    ///
    /// # Safety
    /// The node is being run; its slot holds a tuple, `row` the row of its table.
    pub unsafe fn copy(
        node: &CustomScanState,
        row: *mut TupleTableSlot,
        memory: MemoryContext,
    ) -> Self {
        let slot = node.ss.ss_ScanTupleSlot;
        // SAFETY: the slot holds a tuple.
        unsafe {
            let copy = || pg_sys::ExecCopySlotMinimalTuple(slot);
            let tuple = Self(memory::within(memory, copy));
            pg_sys::ExecClearTuple(slot);
            pg_sys::ExecClearTuple(row);
            tuple
        }
    }

    /// Lets a slot refer to it.
    ///
    /// # Safety
    /// The slot takes tuples of the scan, and is emptied before the tuple goes.
    pub unsafe fn store(&self, slot: *mut TupleTableSlot) {
        // SAFETY: the slot takes tuples of the scan.
        unsafe { pg_sys::ExecForceStoreMinimalTuple(self.0, slot, false) };
    }

    /// Frees its memory.
    ///
    /// # Safety
    /// No slot refers to it, and its memory has not gone.
    pub unsafe fn free(self) {
        // SAFETY: its memory is there, and nobody else refers to it.
        unsafe { pg_sys::pfree(self.0.cast()) };
    }
}

impl Payload for Tuple {
    fn bytes(&self) -> usize {
        // SAFETY: the tuple lives until the row is returned, or the scan begins anew.
        unsafe { (*self.0).t_len as usize }
    }
}

/// A distance as it is ordered by: what is not a number comes last.
pub fn number(distance: Option<f64>) -> f64 {
    distance.filter(|distance| !distance.is_nan()).unwrap_or(f64::INFINITY)
}

/// Counts a row for which a condition did not hold.
///
/// # Safety
/// The node is being run.
unsafe fn count_removed<T>(node: &mut CustomScanState) -> Option<T> {
    // SAFETY: null where nobody asks.
    if let Some(figures) = unsafe { node.ss.ps.instrument.as_mut() } {
        figures.nfiltered1 += 1.0;
    }
    None
}

/// A condition on tuples of the scan as one on rows of the table, if it does not look at the distance:
/// `entries` are what a tuple consists of.
///
/// # Safety
/// The condition is one of a finished plan, and the entries are those of its tuple.
unsafe fn of_row<'p>(condition: Node<'p>, entries: &[Node]) -> Node<'p> {
    let copy = condition.copy();
    // SAFETY: the columns are part of the copy, which nobody else refers to.
    unsafe {
        for column in nodes(pg_sys::pull_var_clause(copy.as_ptr(), 0)) {
            let column: *mut Var = column.as_ptr();
            let entry = usize::try_from((*column).varattno - 1).ok();
            let of_table = entry.and_then(|number| entries.get(number)?.get::<Var>());
            let is_of_tuple = (*column).varno as Index == pg_sys::INDEX_VAR as Index;
            if let Some(of_table) = of_table.filter(|_| is_of_tuple) {
                ptr::copy_nonoverlapping(of_table, column, 1);
            }
        }
    }
    copy
}

/// The columns of the scan's tuple that an expression, or a list, looks at, and some others.
///
/// # Safety
/// `node` is null or valid, of a finished plan.
unsafe fn columns_of(node: *mut pg_sys::Node, mut others: *mut Bitmapset) -> *mut Bitmapset {
    // SAFETY: `node` is null or a finished expression.
    unsafe { pg_sys::pull_varattnos(node, pg_sys::INDEX_VAR as Index, &raw mut others) };
    others
}

/// Whether a column, numbered from 0, is one of these.
///
/// # Safety
/// `columns` is a set of [`columns_of`].
unsafe fn has(columns: *mut Bitmapset, number: usize) -> bool {
    let number = number as i32 + 1 - pg_sys::FirstLowInvalidHeapAttributeNumber;
    // SAFETY: `columns` is null or a set.
    unsafe { pg_sys::bms_is_member(number, columns) }
}
