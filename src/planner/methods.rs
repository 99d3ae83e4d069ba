//! Tables of functions that PostgreSQL reads, and the name in them.

#![allow(unsafe_code)] // shared between threads

use std::ffi::CStr;

/// The node's name in `EXPLAIN`, and in plans that go to parallel workers.
pub const NAME: &CStr = c"Vector Index Scan";

/// A table of functions that PostgreSQL only reads.
pub struct Methods<T>(pub T);

// SAFETY: nothing changes it, and what it points to lives forever.
unsafe impl<T> Sync for Methods<T> {}
