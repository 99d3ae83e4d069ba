//! What `pg_stat_progress_create_index` shows.

#![allow(unsafe_code)] // calls into PostgreSQL

use pgrx::pg_sys;

/// Begins a phase of the build (a number that `ambuildphasename` names) over `total` tuples; 0: not
/// known.
pub fn begin_phase(phase: i64, total: usize) {
    let columns = [
        pg_sys::PROGRESS_CREATEIDX_SUBPHASE as i32,
        pg_sys::PROGRESS_CREATEIDX_TUPLES_TOTAL as i32,
        pg_sys::PROGRESS_CREATEIDX_TUPLES_DONE as i32,
    ];
    let values = [phase, i64::try_from(total).unwrap_or(i64::MAX), 0];
    // SAFETY: three columns, three values.
    unsafe { pg_sys::pgstat_progress_update_multi_param(3, columns.as_ptr(), values.as_ptr()) };
}

/// Tells how many tuples of the phase are done.
pub fn tuples_done(done: usize) {
    let column = pg_sys::PROGRESS_CREATEIDX_TUPLES_DONE as i32;
    // SAFETY: plain numbers.
    unsafe {
        pg_sys::pgstat_progress_update_param(column, i64::try_from(done).unwrap_or(i64::MAX));
    };
}
