//! What PostgreSQL is called for with each of many rows.
//!
//! To catch an error takes as long as many of these calls. So they are made without it, within
//! [`caught`], which catches the errors of all of them.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::ptr;

use pages::HeapTid;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::{
    self, Datum, ExprContext, ExprState, IndexFetchTableData, ItemPointerData, MemoryContext,
    ProjectionInfo, Relation, ScanDirection, Snapshot, TableScanDesc, TupleTableSlot,
};

use super::tid;

unsafe extern "C-unwind" {
    // Without a guard of its own, unlike that of `pg_sys`.
    #[link_name = "MemoryContextReset"]
    fn reset(context: MemoryContext);
}

/// Runs `body`, and raises its errors as those of other calls are.
///
/// # Safety
/// An error of PostgreSQL's leaves `body` by a jump, past all its frames. So
///
/// * nothing on the stack of `body`, or of what it calls, has to be dropped while something of PostgreSQL's
///   is called, and what it changes outside is valid at each such call;
/// * no panic leaves `body`: PostgreSQL would take the next error to where this one was to be caught, which is
///   gone. So `body` itself does not panic, and what it calls of PostgreSQL's that may raise an error are
///   functions of this module, which have no guard: a guarded one of `pg_sys` makes a panic of the error;
/// * functions that PostgreSQL calls in turn, such as operators of ours, have guards.
pub unsafe fn caught<R>(body: impl FnOnce() -> R) -> R {
    // SAFETY: nothing is jumped over that has to be dropped.
    unsafe { pg_guard_ffi_boundary(body) }
}

/// Frees what was computed for the row before.
///
/// # Safety
/// Within [`caught`]; the context is one of the executor's.
pub unsafe fn begin_row(context: *mut ExprContext) {
    // SAFETY: the context has its memory.
    unsafe {
        let memory = (*context).ecxt_per_tuple_memory;
        if !(*memory).isReset || !(*memory).firstchild.is_null() {
            reset(memory);
        }
    }
}

/// The value of an expression; none for NULL.
///
/// # Safety
/// Within [`caught`]; the expression was compiled for a node of this context, whose slots hold its rows.
pub unsafe fn value(expression: *mut ExprState, context: *mut ExprContext) -> Option<Datum> {
    let mut is_null = false;
    // SAFETY: a compiled expression has a function. What it allocates lives as long as the row.
    unsafe {
        let caller = pg_sys::CurrentMemoryContext;
        pg_sys::CurrentMemoryContext = (*context).ecxt_per_tuple_memory;
        let evaluate = (*expression).evalfunc.unwrap_unchecked();
        let value = evaluate(expression, context, &raw mut is_null);
        pg_sys::CurrentMemoryContext = caller;
        (!is_null).then_some(value)
    }
}

/// Whether conditions hold; they do if there are none.
///
/// # Safety
/// As [`value`]; `conditions` are null or what `ExecInitQual` has made.
pub unsafe fn holds(conditions: *mut ExprState, context: *mut ExprContext) -> bool {
    // SAFETY: the conditions are those of the node, and give a boolean.
    conditions.is_null()
        || unsafe { value(conditions, context) }.is_some_and(|holds| holds.value() as u8 != 0)
}

/// Computes the columns of a row in the slot of a projection, and returns that.
///
/// # Safety
/// As [`value`].
pub unsafe fn project(projection: *mut ProjectionInfo) -> *mut TupleTableSlot {
    // SAFETY: as PostgreSQL's `ExecProject`: the slot is virtual, with room for all columns.
    unsafe {
        let state = &raw mut (*projection).pi_state;
        let slot = (*state).resultslot;
        clear(slot);
        value(state, (*projection).pi_exprContext);
        (*slot).tts_flags &= !(pg_sys::TTS_FLAG_EMPTY as u16);
        (*slot).tts_nvalid = (*(*slot).tts_tupleDescriptor).natts as i16;
        slot
    }
}

/// Empties a slot.
///
/// # Safety
/// Within [`caught`]; nobody looks at what it holds any more.
unsafe fn clear(slot: *mut TupleTableSlot) {
    // SAFETY: a slot has functions for its kind.
    unsafe { (*(*slot).tts_ops).clear.unwrap_unchecked()(slot) };
}

/// Puts the next row of a table in `slot`; false after the last.
///
/// # Safety
/// Within [`caught`]; the scan has begun, and the slot takes rows of its table.
pub unsafe fn next_row(scan: TableScanDesc, slot: *mut TupleTableSlot) -> bool {
    // SAFETY: a table has the functions of its access method.
    unsafe {
        let table = (*scan).rs_rd;
        (*slot).tts_tableOid = (*table).rd_id;
        let next = (*(*table).rd_tableam).scan_getnextslot.unwrap_unchecked();
        next(scan, ScanDirection::ForwardScanDirection, slot)
    }
}

/// Whether [`begin_blocks`] can be used: not if the table's access method cannot, nor in a serializable
/// transaction, as such a scan takes no predicate locks.
///
/// # Safety
/// The table is open.
pub unsafe fn reads_blocks(table: Relation) -> bool {
    // SAFETY: a table has the functions of its access method; the setting is read on the backend's own thread.
    unsafe {
        let method = &*(*table).rd_tableam;
        method.scan_set_tidrange.is_some()
            && method.scan_getnextslot_tidrange.is_some()
            && pg_sys::XactIsoLevel != pg_sys::XACT_SERIALIZABLE as i32
    }
}

/// Begins a scan of blocks of a table, which [`choose_block`] chooses. To be ended as any scan of a table.
///
/// # Safety
/// The table is open, and [`reads_blocks`]; the snapshot lives as long.
pub unsafe fn begin_blocks(table: Relation, snapshot: Snapshot) -> TableScanDesc {
    let mut first = tid::to_item_pointer(HeapTid { block: 0, offset: 1 });
    let mut last = first;
    // SAFETY: the caller's.
    unsafe { pg_sys::table_beginscan_tidrange(table, snapshot, &raw mut first, &raw mut last) }
}

/// Lets a scan go through a block.
///
/// # Safety
/// Within [`caught`]; the scan was begun by [`begin_blocks`].
pub unsafe fn choose_block(scan: TableScanDesc, block: u32) {
    let mut first = tid::to_item_pointer(HeapTid { block, offset: 1 });
    let mut last = tid::to_item_pointer(HeapTid { block, offset: u16::MAX });
    // SAFETY: the access method is able to read blocks.
    unsafe {
        let method = &*(*(*scan).rs_rd).rd_tableam;
        let rescan = method.scan_rescan.unwrap_unchecked();
        rescan(scan, ptr::null_mut(), false, false, false, false);
        method.scan_set_tidrange.unwrap_unchecked()(scan, &raw mut first, &raw mut last);
    }
}

/// Puts the next row of the block in `slot`; false after the last.
///
/// # Safety
/// As [`choose_block`]; the slot takes rows of the table.
pub unsafe fn next_row_of_block(scan: TableScanDesc, slot: *mut TupleTableSlot) -> bool {
    // SAFETY: the access method is able to read blocks.
    unsafe {
        let table = (*scan).rs_rd;
        (*slot).tts_tableOid = (*table).rd_id;
        let next = (*(*table).rd_tableam).scan_getnextslot_tidrange.unwrap_unchecked();
        next(scan, ScanDirection::ForwardScanDirection, slot)
    }
}

/// Puts the version of a row that a snapshot sees in `slot`, by the address that indexes have of it; false
/// if it sees none.
///
/// # Safety
/// As [`next_row`].
pub unsafe fn fetch_row(
    fetch: *mut IndexFetchTableData,
    mut tid: ItemPointerData,
    snapshot: Snapshot,
    slot: *mut TupleTableSlot,
) -> bool {
    let mut more = false;
    // SAFETY: a table has the functions of its access method.
    unsafe {
        let by_index = (*(*(*fetch).rel).rd_tableam).index_fetch_tuple.unwrap_unchecked();
        by_index(fetch, &raw mut tid, snapshot, slot, &raw mut more, ptr::null_mut())
    }
}
