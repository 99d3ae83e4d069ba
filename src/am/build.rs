//! `CREATE INDEX` and `REINDEX`: what PostgreSQL is told of a build.

#![allow(unsafe_code)] // calls into PostgreSQL

use pgrx::pg_sys::{self, IndexBuildResult};

use crate::pg::error::Report;
use crate::pg::{progress, reserve};

/// The phase in `pg_stat_progress_create_index` that PostgreSQL sets itself; ours follow it.
pub const INITIALIZING: i64 = pg_sys::PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE as i64;

/// What a build is to call again and again with its phase, what it has done in it, and of how much:
/// shows that, and stops where the user wants it. `number` tells the number of a phase.
pub fn watch<P>(number: impl Fn(P) -> i64) -> impl FnMut(P, usize, usize) -> bool {
    let mut phase = INITIALIZING;
    move |at, done, total| {
        pgrx::check_for_interrupts!();
        reserve::check().unwrap_or_else(|refused| Report::from(refused).raise());
        let now = number(at);
        if now != phase {
            phase = now;
            progress::begin_phase(phase, total);
        }
        progress::tuples_done(done);
        true
    }
}

/// The result of `ambuild`: rows of the table, and of the index.
pub fn result((heap_tuples, index_tuples): (f64, usize)) -> *mut IndexBuildResult {
    // SAFETY: `palloc0` gives memory for it.
    unsafe {
        let result = pg_sys::palloc0(size_of::<IndexBuildResult>()).cast::<IndexBuildResult>();
        (*result).heap_tuples = heap_tuples;
        (*result).index_tuples = index_tuples as f64;
        result
    }
}
