//! EvalPlanQual: a plan is run again for one row, in the version that another transaction has made.

#![allow(unsafe_code)] // follows `ExecScanFetch`

use pgrx::pg_sys::{self, CustomScanState, Scan, TupleTableSlot};

/// The row that is to be tested instead of what the index finds: none where the node is run as
/// usual, null where there is no row, or no further one.
///
/// # Safety
/// The node is being run; `slot` is a slot for rows of its table.
pub unsafe fn row_tested(
    node: &CustomScanState,
    slot: *mut TupleTableSlot,
) -> Option<*mut TupleTableSlot> {
    let none = std::ptr::null_mut();
    // SAFETY: the arrays have a place for each relation of the query, numbered from 1.
    unsafe {
        let state = (*node.ss.ps.state).es_epq_active.as_mut()?;
        let number = (*node.ss.ps.plan.cast::<Scan>()).scanrelid;
        let place = (number as usize).checked_sub(1)?;
        let is_done = &mut *state.relsubs_done.add(place);
        if *is_done {
            return Some(none);
        }
        let given = *state.relsubs_slot.add(place);
        if !given.is_null() {
            *is_done = true;
            return Some(if is_empty(given) { none } else { given });
        }
        if (*state.relsubs_rowmark.add(place)).is_null() {
            return None;
        }
        *is_done = true;
        let is_there = pg_sys::EvalPlanQualFetchRowMark(state, number, slot);
        Some(if is_there { slot } else { none })
    }
}

/// # Safety
/// The slot is valid.
unsafe fn is_empty(slot: *mut TupleTableSlot) -> bool {
    // SAFETY: the slot is valid.
    unsafe { u32::from((*slot).tts_flags) & pg_sys::TTS_FLAG_EMPTY != 0 }
}
