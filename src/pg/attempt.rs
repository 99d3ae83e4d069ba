//! Adding pages to a relation for work that can be left undone: no room for them fails no statement.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::ffi::CStr;
use std::panic::AssertUnwindSafe;

use pages::{Error, Result};
use pgrx::PgSqlErrorCode::ERRCODE_DISK_FULL;
use pgrx::pg_sys::panic::CaughtError;
use pgrx::pg_sys::{self, PgTryBuilder, ResourceReleasePhase};

use super::version;

/// Has `extend` add pages. What it raises for lack of room, whether on the disk, by a quota or by a limit
/// of the process, becomes [`Error::NoRoom`]; all else is raised on.
///
/// # Safety
/// `extend` only adds pages to a relation: beside memory it takes buffers, which it does not lock, and
/// locks of PostgreSQL's lock manager.
pub unsafe fn extend_if_there_is_room(extend: impl FnOnce() -> Result<()>) -> Result<()> {
    // What `extend` takes belongs to an owner of its own. Buffers that the caller has locked stay so,
    // with the interrupts that these locks hold off, which raising an error forgets.
    // SAFETY: owners are created and deleted here only; this is the main thread.
    let (caller, held_off) =
        unsafe { (pg_sys::CurrentResourceOwner, pg_sys::InterruptHoldoffCount) };
    // SAFETY: as above.
    let owner = unsafe { pg_sys::ResourceOwnerCreate(caller, c"optional pages".as_ptr()) };
    // SAFETY: as above.
    unsafe { pg_sys::CurrentResourceOwner = owner };
    let done = PgTryBuilder::new(AssertUnwindSafe(extend))
        .catch_others(|caught| {
            // SAFETY: as above.
            unsafe { pg_sys::CurrentResourceOwner = caller };
            let CaughtError::PostgresError(_) = caught else { caught.rethrow() };
            // SAFETY: an error of PostgreSQL's is being handled.
            let Some(reason) = (unsafe { lack_of_room() }) else { caught.rethrow() };
            // SAFETY: what was held off before, still is.
            unsafe {
                pg_sys::InterruptHoldoffCount = held_off;
                version::abort_buffer_io();
            }
            Err(Error::NoRoom(reason))
        })
        .execute();
    // SAFETY: the owner is ours, and what it owns is of no use to anybody any more.
    unsafe {
        pg_sys::CurrentResourceOwner = caller;
        for phase in [
            ResourceReleasePhase::RESOURCE_RELEASE_BEFORE_LOCKS,
            ResourceReleasePhase::RESOURCE_RELEASE_LOCKS,
            ResourceReleasePhase::RESOURCE_RELEASE_AFTER_LOCKS,
        ] {
            pg_sys::ResourceOwnerRelease(owner, phase, done.is_ok(), false);
        }
        pg_sys::ResourceOwnerDelete(owner);
    }
    done
}

/// The message of the error that is being handled, if lack of room is what it is about.
///
/// # Safety
/// There is one.
unsafe fn lack_of_room() -> Option<String> {
    // SAFETY: there is an error; the copy and its message are valid until freed.
    unsafe {
        let error = pg_sys::CopyErrorData();
        let full = (*error).sqlerrcode == ERRCODE_DISK_FULL as i32
            || [libc::ENOSPC, libc::EDQUOT, libc::EFBIG].contains(&(*error).saved_errno);
        let message = (full && !(*error).message.is_null())
            .then(|| CStr::from_ptr((*error).message).to_string_lossy().into_owned());
        pg_sys::FreeErrorData(error);
        message
    }
}
