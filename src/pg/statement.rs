//! The statement that runs.

#![allow(unsafe_code)] // reads PostgreSQL's variables

use pgrx::pg_sys;

/// When the statement began that the client sent, in microseconds: what tells it from those before.
pub fn began() -> i64 {
    // SAFETY: read on the backend's own thread.
    unsafe { pg_sys::GetCurrentStatementStartTimestamp() }
}
