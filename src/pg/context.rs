//! What an error of PostgreSQL happened in the middle of: its CONTEXT.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::ffi::{CStr, c_char, c_int, c_void};

use pgrx::pg_sys::{self, ErrorContextCallback};

/// Runs `work`, whose errors tell of `context`, a text in the encoding of the database.
pub fn in_context<R>(context: &CStr, work: impl FnOnce() -> R) -> R {
    // SAFETY: PostgreSQL runs in this thread alone.
    let previous = unsafe { pg_sys::error_context_stack };
    let mut entry = ErrorContextCallback {
        previous,
        callback: Some(tell),
        arg: context.as_ptr().cast_mut().cast(),
    };
    let _restored = Restored(previous);
    // SAFETY: the entry is taken from the stack before it ends, also by an error.
    unsafe { pg_sys::error_context_stack = &raw mut entry };
    work()
}

struct Restored(*mut ErrorContextCallback);

impl Drop for Restored {
    fn drop(&mut self) {
        // SAFETY: what was there before still is.
        unsafe { pg_sys::error_context_stack = self.0 };
    }
}

unsafe extern "C-unwind" {
    fn errcontext_msg(format: *const c_char, ...) -> c_int;
}

unsafe extern "C-unwind" fn tell(context: *mut c_void) {
    // SAFETY: an error is being raised; the argument is a text that ends with NUL and outlives the
    // entry.
    unsafe { errcontext_msg(c"%s".as_ptr(), context.cast::<c_char>()) };
}
