//! Signals and threads. PostgreSQL's handlers must run on the backend's own thread, so worker
//! threads are started while signals are blocked, and inherit that.

#![allow(unsafe_code)] // C functions

use std::any::Any;
use std::mem::MaybeUninit;
use std::ptr;

use super::reserve;

/// Signals of a fault in the thread itself. They stay open: a fault must end the process.
const FAULTS: [i32; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGABRT];

/// All signals but those of faults are blocked in this thread, until drop.
struct Blocked {
    before: libc::sigset_t,
}

impl Blocked {
    fn new() -> Blocked {
        let mut all = MaybeUninit::uninit();
        let mut before = MaybeUninit::uninit();
        // SAFETY: both sets are written before they are read; none of the calls can fail with
        // valid pointers and signal numbers.
        unsafe {
            libc::sigfillset(all.as_mut_ptr());
            for fault in FAULTS {
                libc::sigdelset(all.as_mut_ptr(), fault);
            }
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
            Blocked { before: before.assume_init() }
        }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // SAFETY: `before` was filled in by the kernel.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, ptr::null_mut())
        };
    }
}

/// Blocks signals in this thread as long as the result lives; to be held while a thread starts. None
/// where there is no memory for it.
pub fn block() -> Option<Box<dyn Any>> {
    reserve::has_room_for_thread().then(|| Box::new(Blocked::new()) as _)
}
