//! Memory contexts of PostgreSQL.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::ffi::CStr;

use pgrx::pg_sys::{self, MemoryContext};

/// A new context within another.
///
/// # Safety
/// `parent` is valid.
pub unsafe fn new_context(parent: MemoryContext, name: &'static CStr) -> MemoryContext {
    // SAFETY: `parent` is valid; the sizes are PostgreSQL's own for what may be small.
    unsafe {
        let (least, first, most) = (
            pg_sys::ALLOCSET_SMALL_MINSIZE as usize,
            pg_sys::ALLOCSET_SMALL_INITSIZE as usize,
            8 << 20,
        );
        pg_sys::AllocSetContextCreateInternal(parent, name.as_ptr(), least, first, most)
    }
}

/// Runs `body` with `context` as the current memory context. An error resets that anyway.
///
/// # Safety
/// `context` is valid, and is not reset meanwhile.
pub unsafe fn within<R>(context: MemoryContext, body: impl FnOnce() -> R) -> R {
    // SAFETY: `context` is valid until `body` returns; only the backend's main thread uses the
    // variable.
    unsafe {
        let caller = pg_sys::CurrentMemoryContext;
        pg_sys::CurrentMemoryContext = context;
        let result = body();
        pg_sys::CurrentMemoryContext = caller;
        result
    }
}

/// Bytes that a part of a statement may take: `work_mem`.
pub fn work_mem() -> usize {
    // SAFETY: a setting, read on the backend's own thread; in kilobytes, and positive.
    usize::try_from(unsafe { pg_sys::work_mem }).unwrap_or(0).saturating_mul(1024)
}

/// Memory for one turn of a loop: a context within the current one, which it outlives no longer.
pub struct Scratch(MemoryContext);

impl Scratch {
    /// An empty one.
    pub fn new() -> Scratch {
        // SAFETY: the current context is valid.
        Scratch(unsafe { new_context(pg_sys::CurrentMemoryContext, c"vector_ext turn") })
    }

    /// Runs a turn, and frees what PostgreSQL has allocated for it. What `body` returns or keeps must be
    /// memory of Rust.
    pub fn turn<R>(&self, body: impl FnOnce() -> R) -> R {
        // SAFETY: the context lives as long as that in which it was made, which is current.
        unsafe {
            let result = within(self.0, body);
            pg_sys::MemoryContextReset(self.0);
            result
        }
    }
}
