//! What a build may use.

#![allow(unsafe_code)] // reads settings

use pgrx::pg_sys::{self, Relation};

use crate::pg::relation;

/// Fewer rows than this are not worth a second thread.
const ROWS_WORTH_A_THREAD: usize = 1_000;

/// Bytes of memory that a build may use.
pub fn maintenance_work_mem() -> usize {
    // SAFETY: a setting, read on the backend's own thread; in kilobytes, and positive.
    let kilobytes = unsafe { pg_sys::maintenance_work_mem };
    usize::try_from(kilobytes).unwrap_or(0).saturating_mul(1024)
}

/// Threads to build an index of so many rows with beside the first: what the table says, else as many as the settings for
/// parallel maintenance allow. The size of the table does not count as it does for PostgreSQL's own
/// parallel builds: vectors are mostly stored apart from the rows.
///
/// # Safety
/// `heap` is an open table or materialized view.
pub unsafe fn workers(heap: Relation, rows: usize) -> usize {
    if rows < ROWS_WORTH_A_THREAD {
        return 0;
    }
    // SAFETY: `heap` is open; settings are read on the backend's own thread.
    let (table, maintenance, all) = unsafe {
        (
            relation::parallel_workers(heap),
            pg_sys::max_parallel_maintenance_workers,
            pg_sys::max_parallel_workers,
        )
    };
    let count = |setting: i32| usize::try_from(setting).unwrap_or(0);
    table.unwrap_or(usize::MAX).min(count(maintenance)).min(count(all))
}
