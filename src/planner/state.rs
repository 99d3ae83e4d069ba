//! What a node keeps while it is run, and the next row.

#![allow(unsafe_code)] // calls into PostgreSQL

use pgrx::PgMemoryContexts;
use pgrx::pg_sys::{
    self, CustomScan, CustomScanState, EState, IndexScanDesc, MemoryContext, TupleTableSlot,
};

use super::exact::{Exact, Source};
use super::filtering::Filtering;
use super::index_scan::IndexScan;
use super::keys::Operands;
use super::private::{Private, Wanted};
use super::recheck;
use super::strategy::Step;
use super::tuple::{Tuple, Tuples, number};
use crate::am::ordered_scan::Distance;
use crate::am::reorder::{Candidate, Reorder, Row};
use crate::am::scan;
use crate::pg::error::Report;
use crate::pg::{memory, tid};

/// PostgreSQL's part of a node's state, and ours.
#[repr(C)]
pub struct VectorScanState {
    /// PostgreSQL's.
    pub node: CustomScanState,
    /// Null until the node begins; lives as long as the query's memory.
    run: *mut Run,
}

/// What a node keeps.
pub struct Run {
    private: Private,
    operands: Operands,
    tuples: Tuples,
    /// A row of the table.
    row: *mut TupleTableSlot,
    index: IndexScan,
    filtering: Filtering,
    /// Rows that are measured instead of what the index would find.
    exact: Option<Exact>,
    /// Rows found that were not returned yet; none if the scan is to begin anew.
    found: Option<Reorder<Tuple>>,
    /// Where their tuples are.
    memory: MemoryContext,
    /// The tuple returned last, which its slot refers to.
    returned: Option<Tuple>,
}

/// Our part of a node.
///
/// # Safety
/// The node is ours, and has begun; nobody else uses its state during `'a`.
pub unsafe fn run_of<'a>(node: *mut CustomScanState) -> &'a mut Run {
    // SAFETY: a node of ours that has begun has a state.
    unsafe { &mut *(*node.cast::<VectorScanState>()).run }
}

impl Run {
    /// Begins a node: compiles expressions, and opens nothing, as `EXPLAIN` and EvalPlanQual may
    /// only want to look at it.
    ///
    /// # Safety
    /// PostgreSQL begins a node of ours, with its table open and its slot for tuples made.
    pub unsafe fn begin(node: *mut CustomScanState, estate: *mut EState, flags: i32) {
        // SAFETY: a node of ours is being begun; its parts are there.
        unsafe {
            let plan = &*(*node).ss.ps.plan.cast::<CustomScan>();
            let Some(private) = Private::of(plan) else {
                Report::internal("plan of a vector scan is not one").raise()
            };
            let table = (*node).ss.ss_currentRelation;
            let slots = pg_sys::table_slot_callbacks(table);
            let run = Run {
                operands: Operands::new(&mut *node, plan, &private),
                tuples: Tuples::new(&mut *node, plan, &private),
                row: pg_sys::ExecInitExtraTupleSlot(estate, (*table).rd_att, slots),
                index: IndexScan::NONE,
                filtering: Filtering::begin(&mut *node, plan, &private, (estate, flags)),
                exact: None,
                found: None,
                memory: memory::new_context((*estate).es_query_cxt, c"VectorScan rows"),
                returned: None,
                private,
            };
            let mut memory = PgMemoryContexts::For((*estate).es_query_cxt);
            (*node.cast::<VectorScanState>()).run = memory.leak_and_drop_on_delete(run);
        }
    }

    /// Puts the next row in the slot for tuples of the scan; false after the last.
    ///
    /// # Safety
    /// `node` is this node, which is being run.
    pub unsafe fn next(&mut self, node: &mut CustomScanState) -> Result<bool, Report> {
        // SAFETY: the node is being run, and `row` is a slot for rows of its table.
        unsafe {
            match recheck::row_tested(node, self.row) {
                Some(row) => Ok(!row.is_null() && self.tuples.make(node, row, None).is_some()),
                None => self.next_of_index(node),
            }
        }
    }

    /// # Safety
    /// As [`next`](Self::next).
    unsafe fn next_of_index(&mut self, node: &mut CustomScanState) -> Result<bool, Report> {
        let slot = node.ss.ss_ScanTupleSlot;
        // SAFETY: the node is being run; the slot refers to the tuple returned before, if to any.
        unsafe {
            pg_sys::ExecClearTuple(slot);
            if let Some(tuple) = self.returned.take() {
                tuple.free();
            }
            let (mut found, mut first) = match self.found.take() {
                Some(found) => (found, None),
                None => {
                    // A search for all rows grows until it has them.
                    let wanted = match self.private.wanted {
                        Wanted::Some(count) => count,
                        Wanted::All | Wanted::Unknown => 0,
                    };
                    let drops_rows = self.filtering.drops_rows() || self.private.joins_drop;
                    let demand = (wanted, drops_rows);
                    self.index.begin(node, self.private.index, &self.operands, demand);
                    let first = self.find(node)?;
                    (self.order(), Some(first))
                }
            };
            let next = found.next(|| match first.take() {
                Some(first) => Ok(first),
                None => self.find(node),
            })?;
            self.found = Some(found);
            let Some(Row { tid, payload, .. }) = next else { return Ok(false) };
            pg_sys::MemoryContextReset((*node.ss.ps.ps_ExprContext).ecxt_per_tuple_memory);
            payload.store(slot);
            // For `WHERE CURRENT OF`.
            (*slot).tts_tid = tid::to_item_pointer(tid);
            (*slot).tts_tableOid = (*node.ss.ss_currentRelation).rd_id;
            self.returned = Some(payload);
            Ok(true)
        }
    }

    /// No row, to be put in order as the scan that has begun says.
    ///
    /// # Safety
    /// A scan has begun.
    unsafe fn order(&self) -> Reorder<Tuple> {
        // SAFETY: a scan has begun.
        let strict = unsafe { self.index.keeps_order() };
        let wanted = self.private.wanted;
        let eager = match wanted {
            Wanted::All => true,
            Wanted::Some(_) => self.private.is_tight,
            Wanted::Unknown => false,
        };
        Reorder::new(scan::order(strict, wanted.rows(), eager))
    }

    /// The next row that passes, or one that the index finds and that does not.
    ///
    /// # Safety
    /// As [`next`](Self::next); a scan has begun.
    unsafe fn find(
        &mut self,
        node: &mut CustomScanState,
    ) -> Result<Option<Candidate<Tuple>>, Report> {
        pgrx::check_for_interrupts!();
        // SAFETY: a scan has begun; the slots are those of the node, which is being run.
        unsafe {
            loop {
                match self.filtering.step() {
                    Step::Walk => return self.find_in_index(node),
                    Step::Collect => self.filtering.collect(node, &mut self.index)?,
                    Step::Exact => return self.find_exactly(node),
                }
            }
        }
    }

    /// The next of all rows that may pass.
    ///
    /// # Safety
    /// As [`find`](Self::find).
    unsafe fn find_exactly(
        &mut self,
        node: &mut CustomScanState,
    ) -> Result<Option<Candidate<Tuple>>, Report> {
        // SAFETY: the node is being run, and the slots are its own.
        unsafe {
            let exact = match &mut self.exact {
                Some(exact) => exact,
                none => {
                    let wanted = self.private.wanted.rows();
                    let known = self.filtering.begin_exact(node, &mut self.index)?;
                    none.insert(Exact::new(known, wanted))
                }
            };
            let members = self.filtering.members();
            let (row, tuples, memory) = (self.row, &self.tuples, self.memory);
            let matches = self.private.matches;
            let row = exact.next(node, &Source { members, row, tuples, memory, matches })?;
            Ok(row.map(|row| Candidate { bound: row.distance, row: Some(row) }))
        }
    }

    /// The next row that the index finds.
    ///
    /// # Safety
    /// As [`find`](Self::find).
    unsafe fn find_in_index(
        &mut self,
        node: &mut CustomScanState,
    ) -> Result<Option<Candidate<Tuple>>, Report> {
        // SAFETY: a scan has begun; the slots are those of the node, which is being run.
        unsafe {
            let Some(found) = self.index.next() else { return Ok(None) };
            let hit = found.hit;
            let known = match found.distance {
                Distance::Null => Some(None),
                Distance::NotANumber => Some(Some(f64::NAN)),
                Distance::Number if hit.exact => Some(Some(hit.distance)),
                Distance::Number => None,
            };
            let may_pass = self.filtering.may_pass(hit.tid);
            let is_there = may_pass && self.index.fetch(self.row);
            let distance = if is_there { self.tuples.make(node, self.row, known) } else { None };
            let row = distance.map(|distance| {
                let tid = tid::from_item_pointer(&(*self.row).tts_tid);
                let distance = if hit.exact { hit.distance } else { number(distance) };
                Row { tid, distance, payload: Tuple::copy(node, self.row, self.memory) }
            });
            if row.is_none() {
                pg_sys::ExecClearTuple(node.ss.ss_ScanTupleSlot);
                pg_sys::ExecClearTuple(self.row);
            }
            let passed = row.as_ref().map(|row| row.tid);
            self.filtering.looked(&mut self.index, may_pass, passed)?;
            Ok(Some(Candidate { bound: hit.distance, row }))
        }
    }

    /// Drops all rows, so that the next call of [`next`](Self::next) begins anew.
    ///
    /// # Safety
    /// The node's slot is empty: it may have referred to the tuple returned last.
    pub unsafe fn reset(&mut self, node: &CustomScanState) {
        (self.found, self.returned, self.exact) = (None, None, None);
        // SAFETY: the slot is empty and the rows are dropped, so nobody refers to the tuples.
        unsafe {
            self.filtering.reset(node);
            pg_sys::MemoryContextReset(self.memory);
        }
    }

    /// Ends the scan of the index.
    ///
    /// # Safety
    /// The node is being ended.
    pub unsafe fn end(&mut self) {
        // SAFETY: the node is being ended.
        unsafe {
            self.index.end();
            self.filtering.end();
        }
    }

    /// The scan of the index; null until it has begun.
    pub fn index_scan(&self) -> IndexScanDesc {
        self.index.as_ptr()
    }

    /// What is done about rows that do not pass.
    pub fn filtering(&self) -> &Filtering {
        &self.filtering
    }

    /// What the plan says.
    pub fn private(&self) -> &Private {
        &self.private
    }
}
