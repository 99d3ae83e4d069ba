//! All rows that may pass the conditions, measured and in order.
//!
//! What does not fit into `work_mem` is left for a further pass over the rows.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::collections::{BinaryHeap, HashSet};
use std::ptr;

use memory::Grow;
use pages::HeapTid;
use pgrx::pg_sys::{self, CustomScanState, Snapshot, TupleTableSlot};
use tidset::TidSet;

use super::tuple::{Tuples, number};
use crate::am::reorder::Row;
use crate::pg::error::Report;
use crate::pg::{bitmap, tid};

/// Rows in order of their distances, without those that were found before.
pub struct Exact {
    /// The next rows, the nearest last.
    ahead: Vec<Row<()>>,
    /// The last row of the pass.
    last: Option<Row<()>>,
    /// Whether no rows are left but those ahead.
    is_complete: bool,
    /// Rows that the index has found.
    known: HashSet<HeapTid>,
}

/// Where the rows are.
pub struct Source<'a> {
    /// Those that may pass; none if all rows of the table may.
    pub members: Option<&'a TidSet>,
    /// A slot for rows of the table.
    pub row: *mut TupleTableSlot,
    /// Makes tuples of them.
    pub tuples: &'a Tuples,
}

impl Exact {
    /// No row so far; `known` ones are left out.
    pub fn new(known: HashSet<HeapTid>) -> Self {
        Self { ahead: Vec::new(), last: None, is_complete: false, known }
    }

    /// Puts the next row in the slot for tuples of the scan, and tells its address and distance; none
    /// after the last.
    ///
    /// # Errors
    /// That memory is used up.
    ///
    /// # Safety
    /// The node is being run; the slot is its own.
    pub unsafe fn next(
        &mut self,
        node: &mut CustomScanState,
        source: &Source<'_>,
    ) -> Result<Option<Row<()>>, Report> {
        loop {
            while let Some(row) = self.ahead.pop() {
                // SAFETY: the node is being run, and the slot takes rows of its table; the snapshot has
                // seen this version of the row.
                let made = unsafe {
                    let snapshot = (*node.ss.ps.state).es_snapshot;
                    let mut tid = tid::to_item_pointer(row.tid);
                    let table = node.ss.ss_currentRelation;
                    pg_sys::table_tuple_fetch_row_version(table, &raw mut tid, snapshot, source.row)
                        && source.tuples.make(node, source.row, None).is_some()
                };
                if made {
                    return Ok(Some(row));
                }
            }
            if self.is_complete {
                return Ok(None);
            }
            // SAFETY: the node is being run, and the slot takes rows of its table.
            unsafe { self.pass(node, source)? };
        }
    }

    /// Measures all rows, and keeps the nearest of those that did not come yet.
    ///
    /// # Safety
    /// As [`next`](Self::next).
    unsafe fn pass(
        &mut self,
        node: &mut CustomScanState,
        source: &Source<'_>,
    ) -> Result<(), Report> {
        // SAFETY: a setting, read on the backend's own thread.
        let work_mem = usize::try_from(unsafe { pg_sys::work_mem }).unwrap_or(0) * 1024;
        let room = work_mem / size_of::<Row<()>>();
        let mut nearest: BinaryHeap<Row<()>> = BinaryHeap::new();
        self.is_complete = true;
        let Self { known, last, is_complete, .. } = self;
        let visit = |node: &mut CustomScanState| -> Result<(), Report> {
            pgrx::check_for_interrupts!();
            // SAFETY: the slot holds a row.
            let (distance, tid) = unsafe {
                let distance = source.tuples.make(node, source.row, None);
                (distance, tid::from_item_pointer(&(*source.row).tts_tid))
            };
            let Some(distance) = distance else { return Ok(()) };
            let row = Row { tid, distance: number(distance), payload: () };
            if last.is_some_and(|last| row <= last) || known.contains(&tid) {
                return Ok(());
            }
            nearest.try_push(row)?;
            if nearest.len() > room {
                nearest.pop();
                *is_complete = false;
            }
            Ok(())
        };
        // SAFETY: the node is being run, and the slot takes rows of its table.
        unsafe {
            match source.members {
                Some(members) => for_each_member(node, members, source.row, visit)?,
                None => for_each_row(node, source.row, visit)?,
            }
            // The slots may refer to a page.
            pg_sys::ExecClearTuple(node.ss.ss_ScanTupleSlot);
            pg_sys::ExecClearTuple(source.row);
        }
        self.last = nearest.peek().copied();
        self.ahead = nearest.into_sorted_vec();
        self.ahead.reverse();
        Ok(())
    }
}

/// Puts each row of a set that the snapshot sees in `slot`.
///
/// # Safety
/// The node is being run; the slot is one for rows of its table.
unsafe fn for_each_member(
    node: &mut CustomScanState,
    members: &TidSet,
    slot: *mut TupleTableSlot,
    mut visit: impl FnMut(&mut CustomScanState) -> Result<(), Report>,
) -> Result<(), Report> {
    // SAFETY: the node is being run, and the slot takes rows of its table. After an error PostgreSQL releases what the fetch holds.
    unsafe {
        let snapshot: Snapshot = (*node.ss.ps.state).es_snapshot;
        let fetch = pg_sys::table_index_fetch_begin(node.ss.ss_currentRelation);
        let mut look = |node: &mut CustomScanState, tid: HeapTid| -> Result<(), Report> {
            let mut tid = tid::to_item_pointer(tid);
            let mut more = false;
            let all_dead = ptr::null_mut();
            let is_visible = pg_sys::table_index_fetch_tuple(
                fetch,
                &raw mut tid,
                snapshot,
                slot,
                &raw mut more,
                all_dead,
            );
            if is_visible { visit(node) } else { Ok(()) }
        };
        for (block, offsets) in members.blocks() {
            for &offset in offsets {
                look(node, HeapTid { block, offset })?;
            }
            if offsets.is_empty() {
                for offset in bitmap::all_offsets() {
                    look(node, HeapTid { block, offset })?;
                }
            }
        }
        pg_sys::table_index_fetch_end(fetch);
    }
    Ok(())
}

/// Puts each row of the table that the snapshot sees in `slot`.
///
/// # Safety
/// As [`for_each_member`].
unsafe fn for_each_row(
    node: &mut CustomScanState,
    slot: *mut TupleTableSlot,
    mut visit: impl FnMut(&mut CustomScanState) -> Result<(), Report>,
) -> Result<(), Report> {
    // SAFETY: the node is being run, and the slot takes rows of its table.
    unsafe {
        let snapshot: Snapshot = (*node.ss.ps.state).es_snapshot;
        let scan =
            pg_sys::table_beginscan(node.ss.ss_currentRelation, snapshot, 0, ptr::null_mut());
        let forward = pg_sys::ScanDirection::ForwardScanDirection;
        while pg_sys::table_scan_getnextslot(scan, forward, slot) {
            visit(node)?;
        }
        pg_sys::table_endscan(scan);
    }
    Ok(())
}
