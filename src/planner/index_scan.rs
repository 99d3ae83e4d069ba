//! The scan of the index below a node.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::ptr;

use pages::TidFilter;
use pgrx::pg_sys::{
    self, CustomScanState, IndexScanDesc, Oid, Relation, ScanDirection, TupleTableSlot,
};

use super::keys::{Keys, Operands};
use crate::am::scan::{self, Request, RowFound, Walked};
use crate::am::work::Filtered;
use crate::pg::{memory, version};

/// Distances that a scan is in order of.
const ORDERS: i32 = 1;

/// A scan of an index, not begun at first.
pub struct IndexScan {
    /// Null until the scan is begun.
    index: Relation,
    scan: IndexScanDesc,
}

impl IndexScan {
    /// Opens nothing.
    pub const NONE: Self = Self { index: ptr::null_mut(), scan: ptr::null_mut() };

    /// For `EXPLAIN`; null until the scan is begun.
    pub fn as_ptr(&self) -> IndexScanDesc {
        self.scan
    }

    /// Begins the scan, or begins it anew.
    ///
    /// # Safety
    /// The node is being run; `operands` are those of the index.
    pub unsafe fn begin(
        &mut self,
        node: &CustomScanState,
        index: Oid,
        operands: &Operands,
        (wanted, filtered): (usize, bool),
    ) {
        let conditions = operands.conditions() as i32;
        // SAFETY: the node is being run; a plan is made anew if its index was dropped. What a scan
        // keeps lives as long as the query.
        unsafe {
            let estate = &*node.ss.ps.state;
            memory::within(estate.es_query_cxt, || {
                if self.index.is_null() {
                    self.index = pg_sys::index_open(index, pg_sys::AccessShareLock as i32);
                    let (table, snapshot) = (node.ss.ss_currentRelation, estate.es_snapshot);
                    self.scan =
                        version::begin_index_scan(table, self.index, snapshot, conditions, ORDERS);
                }
            });
            let Keys { mut order, conditions: mut keys, range } =
                operands.compute(node.ss.ps.ps_ExprContext, self.index);
            scan::request(self.scan, Request { wanted, filtered, range });
            pg_sys::index_rescan(self.scan, keys.as_mut_ptr(), conditions, &raw mut order, ORDERS);
        }
    }

    /// The next row that the index finds.
    ///
    /// # Safety
    /// The scan has begun.
    pub unsafe fn next(&mut self) -> Option<RowFound> {
        // SAFETY: the scan has begun.
        unsafe {
            let forward = ScanDirection::ForwardScanDirection;
            let found = !pg_sys::index_getnext_tid(self.scan, forward).is_null();
            if found { scan::row_found(self.scan) } else { None }
        }
    }

    /// Puts the row that the index has found last in `slot`; false if the snapshot does not see it.
    ///
    /// # Safety
    /// The scan has found a row; the slot is one for rows of the table.
    pub unsafe fn fetch(&mut self, slot: *mut TupleTableSlot) -> bool {
        // SAFETY: the scan has found a row, and the slot takes rows of its table.
        unsafe { pg_sys::index_fetch_heap(self.scan, slot) }
    }

    /// Lets the index find only rows for which `filter` holds from now on.
    ///
    /// # Safety
    /// The scan has begun.
    pub unsafe fn keep_only(&mut self, filter: TidFilter) {
        // SAFETY: the scan has begun.
        unsafe { scan::keep_only(self.scan, filter) };
    }

    /// Tells the index what became of the rows that it has found.
    ///
    /// # Safety
    /// The scan has begun.
    pub unsafe fn filtered(&mut self, filtered: Filtered) -> Walked {
        // SAFETY: the scan has begun.
        unsafe { scan::filtered(self.scan, filtered) }
    }

    /// Whether rows that are found late wait for all others.
    ///
    /// # Safety
    /// The scan has begun.
    pub unsafe fn keeps_order(&self) -> bool {
        // SAFETY: the scan has begun.
        unsafe { scan::row_found(self.scan) }.is_some_and(|found| found.keeps_order)
    }

    /// Ends the scan, if it was begun. Its lock on the index is kept until the transaction ends.
    ///
    /// # Safety
    /// The node is being ended.
    pub unsafe fn end(&mut self) {
        if !self.index.is_null() {
            // SAFETY: opened by `begin`.
            unsafe {
                pg_sys::index_endscan(self.scan);
                pg_sys::index_close(self.index, pg_sys::NoLock as i32);
            }
            *self = Self::NONE;
        }
    }
}
