//! All rows that may pass the conditions, measured and in order.
//!
//! What does not fit into `work_mem` is left for a further pass over the rows.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::collections::{BinaryHeap, HashSet};
use std::ptr;

use memory::Grow;
use pages::HeapTid;
use pgrx::pg_sys::{self, CustomScanState, MemoryContext, TupleTableSlot};
use tidset::TidSet;

use super::tuple::{Tuple, Tuples, number};
use crate::am::reorder::{Payload, Row};
use crate::pg::error::Report;
use crate::pg::memory::work_mem;
use crate::pg::{bitmap, per_row, tid};

/// Rows in order of their distances, without those that were found before.
pub struct Exact {
    /// The next rows, the nearest last, with their tuples as far as there is memory for them.
    ahead: Vec<Row<Option<Tuple>>>,
    /// The last row of the pass.
    last: Option<Row<()>>,
    /// Whether no rows are left but those ahead.
    is_complete: bool,
    /// Rows that the index has found.
    known: HashSet<HeapTid>,
    /// Rows that a pass keeps at most, with their tuples; 0 if it is not known how many are wanted.
    wanted: usize,
}

/// Where the rows are.
pub struct Source<'a> {
    /// Those that may pass; none if all rows of the table may.
    pub members: Option<&'a TidSet>,
    /// A slot for rows of the table.
    pub row: *mut TupleTableSlot,
    /// Makes tuples of them.
    pub tuples: &'a Tuples,
    /// Where these are kept.
    pub memory: MemoryContext,
    /// Whether rows at a distance of 0 are left out.
    pub matches: bool,
}

impl Exact {
    /// No row so far; `known` ones are left out. So many are `wanted`: `usize::MAX` for all, 0 if that is
    /// not known.
    pub fn new(known: HashSet<HeapTid>, wanted: usize) -> Self {
        Self { ahead: Vec::new(), last: None, is_complete: false, known, wanted }
    }

    /// The next row; none after the last.
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
    ) -> Result<Option<Row<Tuple>>, Report> {
        loop {
            while let Some(Row { tid, distance, payload }) = self.ahead.pop() {
                // SAFETY: the node is being run, and the slot takes rows of its table.
                if let Some(payload) = payload.or_else(|| unsafe { fetch(node, source, tid) }) {
                    return Ok(Some(Row { tid, distance, payload }));
                }
            }
            if self.is_complete {
                return Ok(None);
            }
            // SAFETY: as above.
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
        let work_mem = work_mem();
        let room = work_mem / size_of::<Row<Option<Tuple>>>();
        let (keeps_tuples, keep) = match self.wanted {
            0 => (false, room),
            wanted => (true, wanted.min(room)),
        };
        let Self { last, known, .. } = self;
        let mut nearest = Nearest {
            rows: BinaryHeap::new(),
            keep,
            work_mem: if keeps_tuples { work_mem } else { 0 },
            bytes: 0,
            is_complete: true,
            last: *last,
            known,
        };
        // SAFETY: the node is being run, and the slot takes rows of its table.
        unsafe {
            for_each_passing(node, source, &mut nearest)?;
            // The slots may refer to a page.
            pg_sys::ExecClearTuple(node.ss.ss_ScanTupleSlot);
            pg_sys::ExecClearTuple(source.row);
        }
        let Nearest { rows: nearest, is_complete, .. } = nearest;
        self.is_complete = is_complete;
        self.last =
            nearest.peek().map(|&Row { tid, distance, .. }| Row { tid, distance, payload: () });
        self.ahead = nearest.into_sorted_vec();
        self.ahead.reverse();
        // Who wants more than was known may want all: a further pass keeps what it has room for.
        self.wanted = usize::MAX;
        Ok(())
    }
}

/// The nearest rows of a pass so far.
struct Nearest<'a> {
    rows: BinaryHeap<Row<Option<Tuple>>>,
    /// How many are kept.
    keep: usize,
    /// Bytes that these and their tuples may take; 0 if tuples are not kept.
    work_mem: usize,
    /// Bytes of their tuples.
    bytes: usize,
    /// Whether none was left out that may be wanted.
    is_complete: bool,
    /// The last row of the pass before.
    last: Option<Row<()>>,
    /// Rows that the index has found.
    known: &'a HashSet<HeapTid>,
}

impl Nearest<'_> {
    /// Whether a row is one of them. Most rows are not: this is asked within [`per_row::caught`].
    fn takes(&mut self, row: Row<()>) -> bool {
        if self.last.is_some_and(|last| row <= last) || self.known.contains(&row.tid) {
            return false;
        }
        let Row { tid, distance, .. } = row;
        let is_farther = |farthest: &Row<_>| Row { tid, distance, payload: None } >= *farthest;
        let is_left_out = self.rows.len() >= self.keep && self.rows.peek().is_none_or(is_farther);
        self.is_complete &= !is_left_out;
        !is_left_out
    }

    /// Adds a row that it [`takes`](Self::takes).
    ///
    /// # Errors
    /// That memory is used up.
    ///
    /// # Safety
    /// The slots hold the row and its tuple.
    unsafe fn add(
        &mut self,
        node: &CustomScanState,
        source: &Source<'_>,
        Row { tid, distance, .. }: Row<()>,
    ) -> Result<(), Report> {
        if self.rows.len() >= self.keep {
            self.is_complete = false;
            if let Some(tuple) = self.rows.pop().and_then(|row| row.payload) {
                self.bytes -= tuple.bytes();
                // SAFETY: no slot refers to a copy.
                unsafe { tuple.free() };
            }
        }
        let mut row = Row { tid, distance, payload: None };
        if self.bytes + self.rows.len() * size_of_val(&row) < self.work_mem {
            // SAFETY: the slots hold the row and its tuple.
            let tuple = unsafe { Tuple::copy(node, source.row, source.memory) };
            self.bytes += tuple.bytes();
            row.payload = Some(tuple);
        }
        Ok(self.rows.try_push(row)?)
    }
}

/// The tuple of a row that was measured; none if its conditions do not hold any more.
///
/// # Safety
/// As [`Exact::next`]; the snapshot has seen this version of the row.
unsafe fn fetch(node: &mut CustomScanState, source: &Source<'_>, tid: HeapTid) -> Option<Tuple> {
    // SAFETY: the node is being run, and its slots take rows of the table.
    unsafe {
        let snapshot = (*node.ss.ps.state).es_snapshot;
        let mut tid = tid::to_item_pointer(tid);
        let table = node.ss.ss_currentRelation;
        let is_there =
            pg_sys::table_tuple_fetch_row_version(table, &raw mut tid, snapshot, source.row);
        let made = is_there && source.tuples.make(node, source.row, None).is_some();
        made.then(|| Tuple::copy(node, source.row, source.memory))
    }
}

/// What was found next.
enum Next {
    /// A row that passes, and is one of the nearest.
    Passed(Row<()>),
    /// Nothing yet: somebody may want to end the search.
    Interrupted,
    End,
}

/// Shows all rows that pass to `nearest`.
///
/// # Safety
/// The node is being run; the slot is its own.
unsafe fn for_each_passing(
    node: &mut CustomScanState,
    source: &Source<'_>,
    nearest: &mut Nearest<'_>,
) -> Result<(), Report> {
    // SAFETY: the node is being run, and the slot takes rows of its table. After an error PostgreSQL
    // releases what a scan holds.
    unsafe {
        let (table, snapshot) = (node.ss.ss_currentRelation, (*node.ss.ps.state).es_snapshot);
        let Some(members) = source.members else {
            let scan = pg_sys::table_beginscan(table, snapshot, 0, ptr::null_mut());
            let next = || per_row::next_row(scan, source.row).then_some(true);
            for_each(node, source, next, nearest)?;
            pg_sys::table_endscan(scan);
            return Ok(());
        };
        let fetch = pg_sys::table_index_fetch_begin(table);
        let reads_blocks = members.unknown_blocks() > 0 && per_row::reads_blocks(table);
        let blocks = reads_blocks.then(|| per_row::begin_blocks(table, snapshot));
        let mut parts = parts(members, reads_blocks);
        let mut block = None;
        let next = || {
            if let Some(scan) = block {
                if per_row::next_row_of_block(scan, source.row) {
                    return Some(true);
                }
                block = None;
            }
            match parts.next()? {
                Part::Row(tid) => {
                    let tid = tid::to_item_pointer(tid);
                    Some(per_row::fetch_row(fetch, tid, snapshot, source.row))
                }
                Part::Block(number) => {
                    block = blocks;
                    if let Some(scan) = block {
                        per_row::choose_block(scan, number);
                    }
                    Some(false)
                }
            }
        };
        for_each(node, source, next, nearest)?;
        if let Some(scan) = blocks {
            pg_sys::table_endscan(scan);
        }
        pg_sys::table_index_fetch_end(fetch);
    }
    Ok(())
}

/// Shows those of the rows that `next` puts in the slot, if it says that it has, that pass.
///
/// # Safety
/// As [`for_each_passing`]; `next` may be called within [`per_row::caught`].
unsafe fn for_each(
    node: &mut CustomScanState,
    source: &Source<'_>,
    mut next: impl FnMut() -> Option<bool>,
    nearest: &mut Nearest<'_>,
) -> Result<(), Report> {
    loop {
        pgrx::check_for_interrupts!();
        // SAFETY: the node is being run, and nothing here has to be dropped.
        let found = unsafe {
            per_row::caught(|| {
                loop {
                    let Some(is_there) = next() else { return Next::End };
                    if is_there
                        && let Some(distance) = source.tuples.make_uncaught(node, source.row, None)
                        && !(source.matches && distance.is_none_or(|distance| distance == 0.0))
                    {
                        let tid = tid::from_item_pointer(&(*source.row).tts_tid);
                        let row = Row { tid, distance: number(distance), payload: () };
                        if nearest.takes(row) {
                            return Next::Passed(row);
                        }
                    }
                    // Not before the row: while interrupts are held off, this stays set.
                    if pg_sys::InterruptPending != 0 {
                        return Next::Interrupted;
                    }
                }
            })
        };
        match found {
            // SAFETY: the slots hold the row.
            Next::Passed(row) => unsafe { nearest.add(node, source, row)? },
            Next::Interrupted => {}
            Next::End => return Ok(()),
        }
    }
}

/// A part of a set.
enum Part {
    /// A row.
    Row(HeapTid),
    /// All rows of a block.
    Block(u32),
}

/// All parts of a set. Where blocks are not read as a whole, any row of a block of which nothing is known may
/// be in it.
fn parts(members: &TidSet, reads_blocks: bool) -> impl Iterator<Item = Part> {
    members.blocks().flat_map(move |(block, offsets)| {
        let is_unknown = offsets.is_none();
        let whole = (is_unknown && reads_blocks).then_some(Part::Block(block));
        let any = (is_unknown && !reads_blocks).then(bitmap::all_offsets).into_iter().flatten();
        let rows = offsets.into_iter().flatten().chain(any);
        whole.into_iter().chain(rows.map(move |offset| Part::Row(HeapTid { block, offset })))
    })
}
