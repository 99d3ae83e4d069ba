//! Claims: rows that a session works on while it has no transaction. A claim ends with the session, however
//! that ends, and at the latest with the transaction that fails. It shows in `pg_locks` as an advisory lock.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr;

use memory::Grow;
use pgrx::pg_guard;
use pgrx::pg_sys::{self, LOCKTAG, Oid, XactEvent};

use super::error::Report;

/// What tells these locks from the advisory locks of users, whose last part is 1 or 2. A row's number in its
/// page is smaller.
const CLAIM: u16 = 0x8000;
const MODE: i32 = pg_sys::ExclusiveLock as i32;

thread_local! {
    static HELD: RefCell<Vec<LOCKTAG>> = const { RefCell::new(Vec::new()) };
    static IS_WATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Claims of this session, until dropped.
pub struct Claims(());

impl Claims {
    /// None so far.
    pub fn new() -> Claims {
        if !IS_WATCHING.replace(true) {
            // SAFETY: called on the backend's own thread; the function lives as long as the library.
            unsafe { pg_sys::RegisterXactCallback(Some(on_transaction), ptr::null_mut()) };
        }
        Claims(())
    }

    /// Claims a row by its table and place; false if another session has it.
    ///
    /// # Errors
    /// If there is no memory. PostgreSQL raises an error if it has no room for a lock.
    pub fn try_take(&self, table: Oid, block: u32, offset: u16) -> Result<bool, Report> {
        let tag = LOCKTAG {
            // SAFETY: fixed for the session.
            locktag_field1: unsafe { pg_sys::MyDatabaseId }.to_u32(),
            locktag_field2: table.to_u32(),
            locktag_field3: block,
            locktag_field4: CLAIM | offset,
            // Both are numbered with a byte.
            locktag_type: pg_sys::LockTagType::LOCKTAG_ADVISORY as u8,
            locktag_lockmethodid: pg_sys::USER_LOCKMETHOD as u8,
        };
        // Its place first, so that no lock is forgotten.
        HELD.with_borrow_mut(|held| held.try_reserve(1)).map_err(|_| memory::OutOfMemory)?;
        // SAFETY: a lock of the session; an error passes through our frames.
        let taken = unsafe { pg_sys::LockAcquire(&tag, MODE, true, true) };
        if taken == pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL {
            return Ok(false);
        }
        HELD.with_borrow_mut(|held| held.try_push(tag))?;
        Ok(true)
    }

    /// Ends all claims.
    pub fn release(&self) {
        release();
    }
}

impl Drop for Claims {
    fn drop(&mut self) {
        // The end of a failed transaction releases them.
        if !std::thread::panicking() {
            release();
        }
    }
}

fn release() {
    for tag in HELD.take() {
        // SAFETY: it was taken, for the session.
        unsafe { pg_sys::LockRelease(&tag, MODE, true) };
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn on_transaction(event: XactEvent::Type, _argument: *mut c_void) {
    if event == XactEvent::XACT_EVENT_ABORT {
        release();
    }
}
