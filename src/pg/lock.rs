//! Page locks: heavyweight locks that stand for a promise about the whole index. They show in
//! `pg_locks`, take part in deadlock detection, and a wait for one can be cancelled.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::marker::PhantomData;
use std::thread;

use pgrx::pg_sys::{self, Relation};

/// The page that stands for "an insert is running".
const INSERT_PAGE: u32 = 0;

/// Held by an insert while it runs; others may insert too.
pub struct InsertLock<'a> {
    index: Relation,
    open: PhantomData<&'a ()>,
}

impl InsertLock<'_> {
    /// Waits while vacuum is at [`wait_for_inserts`].
    ///
    /// # Safety
    /// `index` stays open during `'a`.
    pub unsafe fn take(index: Relation) -> Self {
        // SAFETY: the index is open; an error of a lock passes through our frames.
        unsafe { pg_sys::LockPage(index, INSERT_PAGE, pg_sys::ShareLock as i32) };
        InsertLock { index, open: PhantomData }
    }
}

impl Drop for InsertLock<'_> {
    fn drop(&mut self) {
        // The end of a failed transaction releases it.
        if !thread::panicking() {
            // SAFETY: `take` took it.
            unsafe { pg_sys::UnlockPage(self.index, INSERT_PAGE, pg_sys::ShareLock as i32) };
        }
    }
}

/// Waits until every insert that is running now has ended.
///
/// # Safety
/// `index` is open.
pub unsafe fn wait_for_inserts(index: Relation) {
    // SAFETY: the index is open; an error of a lock passes through our frames.
    unsafe {
        pg_sys::LockPage(index, INSERT_PAGE, pg_sys::ExclusiveLock as i32);
        pg_sys::UnlockPage(index, INSERT_PAGE, pg_sys::ExclusiveLock as i32);
    }
}
