//! Exact distances of rows of which an index knows only bounds: from the table, by the operator.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::ptr;

use pages::HeapTid;
use pgrx::pg_sys::{
    self, Datum, EState, ExprContext, INDEX_MAX_KEYS, IndexInfo, IndexScanDescData, ScanKeyData,
    TupleTableSlot,
};

use crate::pg::memory::within;
use crate::pg::tid;

/// Computes the distance that an index scan orders by, as the executor would.
///
/// PostgreSQL's abort releases what this holds, so nothing happens on drop.
#[derive(Debug)]
pub struct RowDistance {
    /// The column, or the expression, that the index is on.
    key: *mut IndexInfo,
    /// Where an expression is evaluated.
    estate: *mut EState,
    /// Whose memory is that of one row.
    row: *mut ExprContext,
    /// Empty between two rows: it pins no page.
    slot: *mut TupleTableSlot,
}

impl RowDistance {
    /// Prepares for the rows of a scan and all its rescans.
    ///
    /// # Safety
    /// `desc` has begun, and not ended.
    pub unsafe fn new(desc: &mut IndexScanDescData) -> Self {
        // SAFETY: both relations are open; what is allocated here goes with the scan itself.
        unsafe {
            let scan = pg_sys::GetMemoryChunkContext(ptr::from_mut(desc).cast());
            within(scan, || {
                let key = pg_sys::BuildIndexInfo(desc.indexRelation);
                let slot = pg_sys::table_slot_create(desc.heapRelation, ptr::null_mut());
                let estate = pg_sys::CreateExecutorState();
                let row = pg_sys::MakePerTupleExprContext(estate);
                (*row).ecxt_scantuple = slot;
                Self { key, estate, row, slot }
            })
        }
    }

    /// The distance of the row whose address in the index is `tid`: never NaN, but infinite; none
    /// where the scan's snapshot sees no row there.
    ///
    /// # Safety
    /// `desc` is the scan that this was made for, and `order` what its rows are ordered by, a
    /// distance from a query that is not NULL.
    pub unsafe fn of(
        &mut self,
        desc: &mut IndexScanDescData,
        order: &mut ScanKeyData,
        tid: HeapTid,
    ) -> Option<f64> {
        // SAFETY: `index_beginscan` has begun the fetch of rows, which takes addresses in any
        // order; the key has at most as many columns as an index can have.
        unsafe {
            let memory = (*self.row).ecxt_per_tuple_memory;
            let distance = within(memory, || {
                // Becomes that of the version seen, while the executor wants that of the index.
                let mut tid = tid::to_item_pointer(tid);
                let mut more = false;
                let seen = pg_sys::table_index_fetch_tuple(
                    desc.xs_heapfetch,
                    &raw mut tid,
                    desc.xs_snapshot,
                    self.slot,
                    &raw mut more,
                    ptr::null_mut(),
                );
                let distance = if seen { self.compute(order) } else { None };
                pg_sys::ExecClearTuple(self.slot);
                distance
            });
            pg_sys::MemoryContextReset(memory);
            distance
        }
    }

    /// # Safety
    /// As [`of`](Self::of); the slot holds the row, and the memory of a row is current.
    unsafe fn compute(&mut self, order: &mut ScanKeyData) -> Option<f64> {
        let mut values = [Datum::null(); INDEX_MAX_KEYS as usize];
        let mut nulls = [true; INDEX_MAX_KEYS as usize];
        // SAFETY: the slot holds the row, and `new` made the rest; the operator returns a `float8`.
        let distance = unsafe {
            let (values, nulls) = (values.as_mut_ptr(), nulls.as_mut_ptr());
            pg_sys::FormIndexDatum(self.key, self.slot, self.estate, values, nulls);
            // NULL is in no index.
            if *nulls {
                return None;
            }
            let (collation, query) = (order.sk_collation, order.sk_argument);
            pg_sys::FunctionCall2Coll(&raw mut order.sk_func, collation, *values, query)
        };
        let distance = f64::from_bits(distance.value() as u64);
        Some(if distance.is_nan() { f64::INFINITY } else { distance })
    }

    /// Releases what a scan that ends holds.
    ///
    /// # Safety
    /// The transaction is sound, and the table still open.
    pub unsafe fn end(self) {
        // SAFETY: `new` has made both, and the table, whose page the slot may pin, is open.
        unsafe {
            pg_sys::ExecDropSingleTupleTableSlot(self.slot);
            pg_sys::FreeExecutorState(self.estate);
        }
    }
}
