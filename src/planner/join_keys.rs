//! Rows that may have a partner in a join: what an index finds for each key of the other relation.

#![allow(unsafe_code)] // runs a node of PostgreSQL's

use std::ffi::c_int;

use pgrx::pg_sys::{self, CustomScanState, Oid, PlanState};
use tidset::TidSet;

use super::keys::scan_key;
use crate::pg::error::Report;
use crate::pg::{bitmap, memory, version};

/// Where keys come from, and where they are looked up: all of it numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinKeys {
    /// The index.
    pub index: Oid,
    /// The operator that it compares its first column with keys by, and its collation.
    pub operator: (Oid, Oid),
    /// The column of the rows with the keys, numbered from 1.
    pub column: i32,
}

impl JoinKeys {
    /// Reads the keys that `source` gives, and looks them up. None if there are more than `most`.
    ///
    /// # Errors
    /// That memory is used up.
    ///
    /// # Safety
    /// The node is being run; `source` is below it, and gives its first row next.
    pub unsafe fn rows(
        &self,
        node: &CustomScanState,
        source: *mut PlanState,
        most: f64,
    ) -> Result<Option<TidSet>, Report> {
        // SAFETY: the node is being run; a plan is made anew if its index was dropped. What nodes below
        // keep lives as long as the query, all else until the keys are known. After an error PostgreSQL
        // releases what is open.
        unsafe {
            let estate = &*node.ss.ps.state;
            let own = memory::new_context(estate.es_query_cxt, c"VectorScan join keys");
            let index = pg_sys::index_open(self.index, pg_sys::AccessShareLock as c_int);
            let (scan, found) = memory::within(own, || {
                let scan = version::begin_bitmap_scan(index, estate.es_snapshot, 1);
                (scan, version::new_bitmap())
            });
            let mut count = 0.0;
            while count <= most {
                pgrx::check_for_interrupts!();
                let row = memory::within(estate.es_query_cxt, || pg_sys::ExecProcNode(source));
                if row.is_null() || (*row).tts_flags & pg_sys::TTS_FLAG_EMPTY as u16 != 0 {
                    break;
                }
                count += 1.0;
                let mut is_null = false;
                let key = pg_sys::slot_getattr(row, self.column, &raw mut is_null);
                // Equality, which is strict, holds for no NULL.
                if !is_null {
                    memory::within(own, || {
                        let mut key = scan_key(index, self.operator, Some(key), false);
                        pg_sys::index_rescan(scan, &raw mut key, 1, std::ptr::null_mut(), 0);
                        pg_sys::index_getbitmap(scan, found);
                    });
                }
            }
            let rows = if count <= most { Some(bitmap::copy(found)?) } else { None };
            pg_sys::index_endscan(scan);
            pg_sys::index_close(index, pg_sys::NoLock as c_int);
            pg_sys::MemoryContextDelete(own);
            Ok(rows)
        }
    }
}
