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

/// Held while a GPU is used: one build at a time, in whatever database. Shows in `pg_locks` as an advisory
/// lock of no database.
pub struct DeviceLock(pg_sys::LOCKTAG);

/// What tells these locks from the advisory locks of users, which are of a database.
const DEVICE_CLASS: u32 = u32::from_be_bytes(*b"vgpu");

impl DeviceLock {
    /// Takes the lock of the GPU of that number, unless another backend has it.
    pub fn try_take(number: u32) -> Option<Self> {
        let tag = pg_sys::LOCKTAG {
            locktag_field1: 0,
            locktag_field2: DEVICE_CLASS,
            locktag_field3: number,
            locktag_field4: 2,
            // Both are numbered with a byte.
            locktag_type: pg_sys::LockTagType::LOCKTAG_ADVISORY as u8,
            locktag_lockmethodid: pg_sys::USER_LOCKMETHOD as u8,
        };
        // SAFETY: in a transaction, which releases the lock at the latest; an error passes through our
        // frames.
        let taken = unsafe { pg_sys::LockAcquire(&tag, pg_sys::ExclusiveLock as i32, false, true) };
        (taken != pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL).then_some(DeviceLock(tag))
    }
}

impl Drop for DeviceLock {
    fn drop(&mut self) {
        if !thread::panicking() {
            // SAFETY: `try_take` took it.
            unsafe { pg_sys::LockRelease(&self.0, pg_sys::ExclusiveLock as i32, false) };
        }
    }
}
