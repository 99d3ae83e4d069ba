//! What a scan of an index did, as `EXPLAIN (ANALYZE)` shows it: of nodes of our own, and from 18 on,
//! where PostgreSQL has a hook for it, of index scans.

#![allow(unsafe_code)] // called by PostgreSQL

use std::ffi::CStr;
use std::ptr;

use pgrx::pg_sys::{self, ExplainState, IndexScanDesc};

use super::scan;
use super::work::ScanFigures;

/// Shows what the scans of a node of a plan have done.
///
/// # Safety
/// `desc` is null, or a scan that has not ended; `es` is where the plan is written to.
pub unsafe fn show(desc: IndexScanDesc, es: *mut ExplainState) {
    // SAFETY: a scan that has not ended has its index open.
    let figures = unsafe { if desc.is_null() { None } else { scan::figures(desc) } };
    let Some(ScanFigures { work, late, .. }) = figures else { return };
    let property = |label: &CStr, value: u64| {
        // SAFETY: `es` is the state of the EXPLAIN that is running; labels are copied.
        unsafe { pg_sys::ExplainPropertyUInteger(label.as_ptr(), ptr::null(), value, es) };
    };
    for (figure, value) in work.own() {
        if let Some(label) = figure.label {
            property(label, value);
        }
    }
    if work.compares_vectors {
        property(c"Codes Scored", work.scored);
        property(c"Exact Distances", work.exact);
    }
    property(c"Rows Found Late", late);
}

/// The hook.
#[cfg(feature = "pg18")]
pub mod hook {
    use std::ffi::c_char;
    use std::sync::OnceLock;

    use pgrx::pg_guard;
    use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
    use pgrx::pg_sys::{self, ExplainState, IndexScanState, List, NodeTag, PlanState};

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
                super::show((*node.cast::<IndexScanState>()).iss_ScanDesc, es);
            }
        }
    }
}
