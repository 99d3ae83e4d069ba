//! What PostgreSQL calls to run the node.

#![allow(unsafe_code)] // called by PostgreSQL

use std::ptr;

use pgrx::pg_guard;
use pgrx::pg_sys::{
    self, CustomExecMethods, CustomScan, CustomScanState, EState, Node, NodeTag, TupleTableSlot,
};

use super::explain;
use super::methods::{Methods, NAME};
use super::state::{Run, VectorScanState, run_of};
use crate::pg::node::new_node;

static METHODS: Methods<CustomExecMethods> = Methods(CustomExecMethods {
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

/// Begins a node.
#[pg_guard]
unsafe extern "C-unwind" fn begin(node: *mut CustomScanState, estate: *mut EState, flags: i32) {
    // SAFETY: PostgreSQL gives a node of ours, with its table open and its slot for tuples made.
    unsafe { Run::begin(node, estate, flags) };
}

/// Returns the next row, null after the last.
#[pg_guard]
unsafe extern "C-unwind" fn execute(node: *mut CustomScanState) -> *mut TupleTableSlot {
    // SAFETY: PostgreSQL gives a node of ours that has begun, and uses it for nothing else now.
    unsafe {
        let (run, node) = (run_of(node), &mut *node);
        let has_row = run.next(node).unwrap_or_else(|error| error.raise());
        let (slot, projection) = (node.ss.ss_ScanTupleSlot, node.ss.ps.ps_ProjInfo);
        if !has_row {
            pg_sys::ExecClearTuple(slot);
            return ptr::null_mut();
        }
        (*node.ss.ps.ps_ExprContext).ecxt_scantuple = slot;
        if projection.is_null() { slot } else { pg_sys::ExecProject(projection) }
    }
}

/// Has the node begin anew, maybe with other parameters.
#[pg_guard]
unsafe extern "C-unwind" fn rescan(node: *mut CustomScanState) {
    // SAFETY: PostgreSQL gives a node of ours that has begun. `ExecScanReScan` clears its slot.
    unsafe {
        pg_sys::ExecScanReScan(&raw mut (*node).ss);
        run_of(node).reset(&*node);
    }
}

/// Ends the node.
#[pg_guard]
unsafe extern "C-unwind" fn end(node: *mut CustomScanState) {
    // SAFETY: PostgreSQL gives a node of ours that has begun.
    unsafe { run_of(node).end() };
}
