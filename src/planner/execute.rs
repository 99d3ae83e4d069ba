//! Runs the node: rows from the index, those that pass the conditions in order of their distance.

#![allow(unsafe_code)] // called by PostgreSQL

use std::ptr;

use pgrx::pg_sys::{
    self, CustomExecMethods, CustomScan, CustomScanState, EState, IndexScanDesc, MemoryContext,
    MinimalTuple, Node, NodeTag, Relation, ScanDirection, TupleTableSlot,
};
use pgrx::{PgMemoryContexts, pg_guard};

use super::keys::{Keys, Operands};
use super::path::Shared;
use super::plan::{Private, Wanted};
use super::tuple::Tuples;
use super::{NAME, explain, recheck};
use crate::am::ordered_scan::Distance;
use crate::am::reorder::{Content, Found, Reorder, Row};
use crate::am::scan::{self, Request};
use crate::pg::error::Report;
use crate::pg::node::new_node;
use crate::pg::{memory, tid, version};

static METHODS: Shared<CustomExecMethods> = Shared(CustomExecMethods {
    CustomName: NAME.as_ptr(),
    BeginCustomScan: Some(begin),
    ExecCustomScan: Some(execute),
    EndCustomScan: Some(end),
    ReScanCustomScan: Some(rescan),
    MarkPosCustomScan: None,
    RestrPosCustomScan: None,
    EstimateDSMCustomScan: None,
    InitializeDSMCustomScan: None,
    ReInitializeDSMCustomScan: None,
    InitializeWorkerCustomScan: None,
    ShutdownCustomScan: None,
    ExplainCustomScan: Some(explain::explain),
});

/// PostgreSQL's part of a node's state, and ours.
#[repr(C)]
pub struct VectorScanState {
    node: CustomScanState,
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
    /// Null until the first row is asked for.
    index: Relation,
    scan: IndexScanDesc,
    /// Rows found that were not returned yet; none where the scan is to begin anew.
    found: Option<Reorder<Kept>>,
    /// Where their tuples are.
    memory: MemoryContext,
    /// The tuple returned last, which its slot refers to.
    returned: Option<Kept>,
}

/// A tuple of the scan, in the memory of found rows.
struct Kept(MinimalTuple);

impl Content for Kept {
    fn bytes(&self) -> usize {
        // SAFETY: the tuple lives until the row is returned, or the scan begins anew.
        unsafe { (*self.0).t_len as usize }
    }
}

/// Makes the state of a node.
#[pg_guard]
pub unsafe extern "C-unwind" fn create_custom_scan_state(_plan: *mut CustomScan) -> *mut Node {
    // SAFETY: the state begins with PostgreSQL's; zeroed, both are valid.
    unsafe {
        let state = new_node::<VectorScanState>(NodeTag::T_CustomScanState);
        (*state).node.methods = &raw const METHODS.0;
        state.cast()
    }
}

/// Begins a node: compiles expressions, and opens nothing, as `EXPLAIN` and EvalPlanQual may only
/// want to look at it.
#[pg_guard]
unsafe extern "C-unwind" fn begin(node: *mut CustomScanState, estate: *mut EState, _flags: i32) {
    // SAFETY: PostgreSQL gives a node of ours, with its table open and its slot for tuples made.
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
            index: ptr::null_mut(),
            scan: ptr::null_mut(),
            found: None,
            memory: memory::new_context((*estate).es_query_cxt, c"VectorScan rows"),
            returned: None,
            private,
        };
        let mut memory = PgMemoryContexts::For((*estate).es_query_cxt);
        (*node.cast::<VectorScanState>()).run = memory.leak_and_drop_on_delete(run);
    }
}

/// Returns the next row, null after the last.
#[pg_guard]
unsafe extern "C-unwind" fn execute(node: *mut CustomScanState) -> *mut TupleTableSlot {
    // SAFETY: PostgreSQL gives a node of ours that has begun, and uses it for nothing else now.
    unsafe {
        let run = &mut *(*node.cast::<VectorScanState>()).run;
        let node = &mut *node;
        let is_there = match recheck::row_tested(node, run.row) {
            Some(row) => !row.is_null() && run.tuples.make(node, row, None).is_some(),
            None => run.next(node).unwrap_or_else(|error| error.raise()),
        };
        let (slot, projection) = (node.ss.ss_ScanTupleSlot, node.ss.ps.ps_ProjInfo);
        if !is_there {
            pg_sys::ExecClearTuple(slot);
            return ptr::null_mut();
        }
        (*node.ss.ps.ps_ExprContext).ecxt_scantuple = slot;
        if projection.is_null() { slot } else { pg_sys::ExecProject(projection) }
    }
}

impl Run {
    /// Puts the next row in the slot for tuples of the scan; false after the last.
    ///
    /// # Safety
    /// `node` is this node, which is being run as usual.
    unsafe fn next(&mut self, node: &mut CustomScanState) -> Result<bool, Report> {
        let slot = node.ss.ss_ScanTupleSlot;
        // SAFETY: the caller's promise; the slot refers to the tuple returned before, if to any.
        unsafe {
            pg_sys::ExecClearTuple(slot);
            if let Some(Kept(tuple)) = self.returned.take() {
                pg_sys::pfree(tuple.cast());
            }
            let (mut found, mut first) = match self.found.take() {
                Some(found) => (found, None),
                None => {
                    self.start(node);
                    let first = self.find(node);
                    (self.order(), Some(first))
                }
            };
            let next = found.next(|| Ok(first.take().unwrap_or_else(|| self.find(node))))?;
            self.found = Some(found);
            let Some(Row { tid, content, .. }) = next else { return Ok(false) };
            pg_sys::MemoryContextReset((*node.ss.ps.ps_ExprContext).ecxt_per_tuple_memory);
            pg_sys::ExecForceStoreMinimalTuple(content.0, slot, false);
            // For `WHERE CURRENT OF`.
            (*slot).tts_tid = tid::to_item_pointer(tid);
            (*slot).tts_tableOid = (*node.ss.ss_currentRelation).rd_id;
            self.returned = Some(content);
            Ok(true)
        }
    }

    /// Begins a scan of the index.
    ///
    /// # Safety
    /// As [`next`](Self::next).
    unsafe fn start(&mut self, node: &mut CustomScanState) {
        // SAFETY: the caller's promise; a plan is made anew where its index was dropped. What a scan
        // keeps lives as long as the query.
        unsafe {
            let estate = &*node.ss.ps.state;
            let (order, conditions) = (1, self.operands.conditions() as i32);
            memory::within(estate.es_query_cxt, || {
                if self.index.is_null() {
                    self.index =
                        pg_sys::index_open(self.private.index, pg_sys::AccessShareLock as i32);
                    self.scan = version::begin_index_scan(
                        node.ss.ss_currentRelation,
                        self.index,
                        estate.es_snapshot,
                        conditions,
                        order,
                    );
                }
            });
            let Keys { order: mut by, conditions: mut where_, range } =
                self.operands.compute(node.ss.ps.ps_ExprContext, self.index);
            // A search for all rows grows until it has them.
            let wanted = match self.private.wanted {
                Wanted::Some(count) => count,
                Wanted::All | Wanted::Unknown => 0,
            };
            scan::request(self.scan, Request { wanted, range });
            pg_sys::index_rescan(self.scan, where_.as_mut_ptr(), conditions, &raw mut by, order);
        }
    }

    /// No row, to be put in order as the scan that has begun says.
    ///
    /// # Safety
    /// A scan has begun.
    unsafe fn order(&self) -> Reorder<Kept> {
        // SAFETY: the caller's promise.
        let found = unsafe { scan::row_found(self.scan) };
        let strict = found.is_some_and(|found| found.keeps_order);
        let (wanted, eager) = match self.private.wanted {
            Wanted::All => (usize::MAX, true),
            Wanted::Some(count) => (count, self.private.is_tight),
            Wanted::Unknown => (0, false),
        };
        Reorder::new(scan::order(strict, wanted, eager))
    }

    /// The next row that the index finds.
    ///
    /// # Safety
    /// As [`next`](Self::next); a scan has begun.
    unsafe fn find(&mut self, node: &mut CustomScanState) -> Option<Found<Kept>> {
        pgrx::check_for_interrupts!();
        // SAFETY: the caller's promise.
        unsafe {
            let forward = ScanDirection::ForwardScanDirection;
            if pg_sys::index_getnext_tid(self.scan, forward).is_null() {
                return None;
            }
            let found = scan::row_found(self.scan)?;
            let hit = found.hit;
            let known = match found.distance {
                Distance::Null => Some(None),
                Distance::NotANumber => Some(Some(f64::NAN)),
                Distance::Number if hit.exact => Some(Some(hit.distance)),
                Distance::Number => None,
            };
            // False where the snapshot sees no row there.
            let is_seen = pg_sys::index_fetch_heap(self.scan, self.row);
            let distance = if is_seen { self.tuples.make(node, self.row, known) } else { None };
            let row = distance.map(|distance| {
                let slot = node.ss.ss_ScanTupleSlot;
                let copy = || pg_sys::ExecCopySlotMinimalTuple(slot);
                Row {
                    tid: tid::from_item_pointer(&(*self.row).tts_tid),
                    distance: if hit.exact { hit.distance } else { number(distance) },
                    content: Kept(memory::within(self.memory, copy)),
                }
            });
            // The tuple in the slot may refer to the row's page.
            pg_sys::ExecClearTuple(node.ss.ss_ScanTupleSlot);
            pg_sys::ExecClearTuple(self.row);
            Some(Found { bound: hit.distance, row })
        }
    }

    /// The scan of the index; null where it has not begun.
    pub fn scan(&self) -> IndexScanDesc {
        self.scan
    }

    /// What the plan says.
    pub fn private(&self) -> &Private {
        &self.private
    }
}

/// A distance as it is ordered by: what is not a number comes last.
fn number(distance: Option<f64>) -> f64 {
    distance.filter(|distance| !distance.is_nan()).unwrap_or(f64::INFINITY)
}

/// Our part of a node.
///
/// # Safety
/// The node is ours, and has begun.
pub unsafe fn run_of<'a>(node: *mut CustomScanState) -> &'a Run {
    // SAFETY: the caller's promise.
    unsafe { &*(*node.cast::<VectorScanState>()).run }
}

/// Has the node begin anew, maybe with other parameters.
#[pg_guard]
unsafe extern "C-unwind" fn rescan(node: *mut CustomScanState) {
    // SAFETY: PostgreSQL gives a node of ours that has begun. Its slot, which may refer to the tuple
    // returned last, is cleared first.
    unsafe {
        let run = &mut *(*node.cast::<VectorScanState>()).run;
        pg_sys::ExecScanReScan(&raw mut (*node).ss);
        (run.found, run.returned) = (None, None);
        pg_sys::MemoryContextReset(run.memory);
    }
}

/// Ends the node.
#[pg_guard]
unsafe extern "C-unwind" fn end(node: *mut CustomScanState) {
    // SAFETY: PostgreSQL gives a node of ours that has begun. Its lock on the index is kept until
    // the transaction ends.
    unsafe {
        let run = &mut *(*node.cast::<VectorScanState>()).run;
        if !run.index.is_null() {
            pg_sys::index_endscan(run.scan);
            pg_sys::index_close(run.index, pg_sys::NoLock as i32);
            (run.scan, run.index) = (ptr::null_mut(), ptr::null_mut());
        }
    }
}
