//! Rows of the table as tuples of the scan: tested, and with their distance.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::ops::Range;
use std::ptr;

use pgrx::pg_sys::{
    self, Bitmapset, CustomScan, CustomScanState, Datum, ExprState, ProjectionInfo, TargetEntry,
    TupleTableSlot,
};

use super::private::Private;
use crate::pg::node::{Node, list, nodes};

/// Makes tuples of the scan.
pub struct Tuples {
    /// Columns of the table to those of the tuple that somebody looks at; all others are NULL.
    projection: *mut ProjectionInfo,
    /// The distance, of a row of the table.
    distance: *mut ExprState,
    /// Conditions that say nothing of the distance, up to the first that does.
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
            let used =
                columns_of(base.qual.cast(), columns_of(base.targetlist.cast(), ptr::null_mut()));
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
            let distance = pg_sys::ExecInitExpr(entries[distances.start].as_ptr(), ps);
            (*ps).scanopsfixed = fixed;

            let conditions: Vec<Node> = nodes(base.qual).collect();
            let of_distance = |condition: &Node| {
                let columns = columns_of(condition.as_ptr(), ptr::null_mut());
                distances.clone().any(|number| has(columns, number))
            };
            let first = conditions.iter().position(of_distance).unwrap_or(conditions.len());
            let (before, after) = conditions.split_at(first);
            let [before, after] =
                [before, after].map(|part| pg_sys::ExecInitQual(list(part.iter().copied()), ps));
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
        // SAFETY: the node is being run, and `row` holds a row of its table; the distance is a
        // `float8`, and its columns are there.
        unsafe {
            let context = node.ss.ps.ps_ExprContext;
            pg_sys::MemoryContextReset((*context).ecxt_per_tuple_memory);
            (*context).ecxt_scantuple = row;
            let tuple = pg_sys::ExecProject(self.projection);
            (*context).ecxt_scantuple = tuple;
            if !pg_sys::ExecQual(self.before, context) {
                return count_removed(node);
            }
            let distance = known.unwrap_or_else(|| {
                let mut is_null = false;
                (*context).ecxt_scantuple = row;
                let value =
                    pg_sys::ExecEvalExprSwitchContext(self.distance, context, &raw mut is_null);
                (*context).ecxt_scantuple = tuple;
                (!is_null).then(|| f64::from_bits(value.value() as u64))
            });
            for number in self.distances.clone() {
                *(*tuple).tts_values.add(number) = Datum::from(distance.unwrap_or(0.0).to_bits());
                *(*tuple).tts_isnull.add(number) = distance.is_none();
            }
            if !pg_sys::ExecQual(self.after, context) {
                return count_removed(node);
            }
            Some(distance)
        }
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

/// The columns of the scan's tuple that an expression, or a list, looks at, and some others.
///
/// # Safety
/// `node` is null or valid, of a finished plan.
unsafe fn columns_of(node: *mut pg_sys::Node, mut others: *mut Bitmapset) -> *mut Bitmapset {
    // SAFETY: `node` is null or a finished expression.
    unsafe { pg_sys::pull_varattnos(node, pg_sys::INDEX_VAR as pg_sys::Index, &raw mut others) };
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
