//! An allocator that refuses: what tests find out with whether all that may be large can be refused.

#![allow(unsafe_code)] // an allocator

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Allocations of more bytes are large: those of a page are not, nor those of the test harness, whose
/// threads begin and end beside the tests.
const LARGE: usize = 10_240;

/// Large allocations until one is refused; negative where none is to be.
static LEFT: AtomicIsize = AtomicIsize::new(-1);
/// Bytes in use, and the most that there were.
static USED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
/// Only one test at a time has allocations refused or counted.
static ALONE: Mutex<()> = Mutex::new(());

/// The system's allocator, which at times refuses; to be a test's `#[global_allocator]`.
#[derive(Debug)]
pub struct Refusing;

/// Whether this allocation is to be refused.
fn refused(size: usize) -> bool {
    size > LARGE && LEFT.load(SeqCst) >= 0 && LEFT.fetch_sub(1, SeqCst) == 0
}

// SAFETY: the system's allocator does it all; null is what an allocator returns that has no memory.
unsafe impl GlobalAlloc for Refusing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if refused(layout.size()) {
            return ptr::null_mut();
        }
        let used = USED.fetch_add(layout.size(), SeqCst) + layout.size();
        PEAK.fetch_max(used, SeqCst);
        // SAFETY: as the caller promises to us.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size(), SeqCst);
        // SAFETY: as above; the memory is the system's.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// Waits until no other test has allocations refused or counted; a test that does begins with this.
pub fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has the first large allocation of `work` refused, then its second, and so on, until it makes no
/// more, or so many were. Each time `work` must return an error. Returns how many were refused.
///
/// # Panics
/// Where `work` takes no notice of a refusal, or fails without one.
pub fn refuse_each<E: std::fmt::Debug>(
    most: usize,
    mut work: impl FnMut() -> Result<(), E>,
) -> usize {
    for number in 0..most {
        LEFT.store(number as isize, SeqCst);
        let result = work();
        let made = LEFT.swap(-1, SeqCst) < 0;
        assert_eq!(result.is_err(), made, "allocation {number}: {result:?}");
        if !made {
            return number;
        }
    }
    most
}

/// The most bytes that `work` has in use at a time.
pub fn peak<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = USED.load(SeqCst);
    PEAK.store(before, SeqCst);
    let result = work();
    (PEAK.load(SeqCst) - before, result)
}
