//! The statement that runs.

#![allow(unsafe_code)] // reads PostgreSQL's variables

use pgrx::pg_sys;

/// When the statement began that the client sent, in microseconds: what tells it from those before.
pub fn began() -> i64 {
    // SAFETY: read on the backend's own thread.
    unsafe { pg_sys::GetCurrentStatementStartTimestamp() }
}

/// Bytes of `work_mem`.
pub fn work_mem() -> usize {
    // SAFETY: a setting, read on the backend's own thread.
    usize::try_from(unsafe { pg_sys::work_mem }).unwrap_or(0).saturating_mul(1024)
}
