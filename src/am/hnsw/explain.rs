//! `EXPLAIN (ANALYZE)` shows what an index scan did. PostgreSQL has a hook for it from 18 on.

#![allow(unsafe_code)] // called by PostgreSQL

use std::ffi::{CStr, c_char};
use std::ptr;
use std::sync::OnceLock;

use pgrx::pg_guard;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::{self, ExplainState, IndexScanState, List, NodeTag, PlanState};

use super::{handler, scan};

static PREVIOUS: OnceLock<pg_sys::explain_per_node_hook_type> = OnceLock::new();

/// Sets the hook. Called when the library is loaded.
pub fn register() {
    // SAFETY: hooks are set on the backend's own thread.
    unsafe {
        PREVIOUS.get_or_init(|| pg_sys::explain_per_node_hook);
        pg_sys::explain_per_node_hook = Some(per_node);
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn per_node(
    node: *mut PlanState,
    ancestors: *mut List,
    relationship: *const c_char,
    plan_name: *const c_char,
    es: *mut ExplainState,
) {
    // SAFETY: PostgreSQL gives a node that has been run and not yet ended; the hook of another
    // library is called as PostgreSQL would.
    unsafe {
        if let Some(Some(previous)) = PREVIOUS.get() {
            pg_guard_ffi_boundary(|| previous(node, ancestors, relationship, plan_name, es));
        }
        if (*es).analyze && (*node).type_ == NodeTag::T_IndexScanState {
            show(node.cast(), es);
        }
    }
}

/// # Safety
/// The node has been run and not yet ended.
unsafe fn show(node: *mut IndexScanState, es: *mut ExplainState) {
    // SAFETY: a node that never ran has no scan; one that did has its index open.
    unsafe {
        let desc = (*node).iss_ScanDesc;
        if desc.is_null() || !handler::is_ours((*desc).indexRelation) {
            return;
        }
        let Some(figures) = scan::figures(desc) else { return };
        let property = |label: &CStr, value: u64| {
            pg_sys::ExplainPropertyUInteger(label.as_ptr(), ptr::null(), value, es);
        };
        property(c"Search Width", figures.ef as u64);
        property(c"Nodes Expanded", figures.work.expanded);
        property(c"Codes Scored", figures.work.scored);
        property(c"Exact Distances", figures.work.exact);
        property(c"Rows Dropped by Order", figures.work.dropped);
    }
}
