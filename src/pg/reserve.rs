//! Memory for small things where the system gives none, so that a failed allocation is an error.
//!
//! What grows with the data is allocated by the crate `memory`, and can be refused. What is as large
//! as a vector, a page or a message is allocated as usual, by Rust's own library too, and a refusal
//! would end the process, and with it all sessions of the server. Such things are taken from a
//! reserve then, and the statement ends with an error at the next [`check`]: at each page, at each row
//! of a build, every 20 ms while threads work.

#![allow(unsafe_code)] // an allocator

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use memory::OutOfMemory;

/// Bytes of the reserve: address space only, until it is used.
const BYTES: usize = 8 << 20;
/// Bytes of the largest thing that is taken from it: several times a vector of the most dimensions.
const SMALL: usize = 1 << 20;
/// Bytes of a thread: twice its stack.
const THREAD: usize = 4 << 20;

#[global_allocator]
static ALLOCATOR: Reserve = Reserve;

/// The system's allocator, and the reserve where that has nothing.
struct Reserve;

/// The memory.
#[repr(C, align(4096))]
struct Bytes(UnsafeCell<[u8; BYTES]>);

// SAFETY: who is given a part of it is the only one to use that part; `Parts` tells which are given.
unsafe impl Sync for Bytes {}

static MEMORY: Bytes = Bytes(UnsafeCell::new([0; BYTES]));
static PARTS: Mutex<Parts> = Mutex::new(Parts { end: 0, given: 0 });
/// Whether something was taken since [`check`] looked.
static USED: AtomicBool = AtomicBool::new(false);

/// Which parts of the memory are given: none behind `end`.
struct Parts {
    end: usize,
    given: usize,
}

impl Parts {
    /// A part behind all others; null where there is no room.
    fn give(&mut self, layout: Layout) -> *mut u8 {
        let base = MEMORY.0.get().cast::<u8>();
        let start = self.end.next_multiple_of(layout.align().min(4096));
        let small = layout.align() <= 4096 && layout.size() <= SMALL;
        if !small || layout.size() > BYTES.saturating_sub(start) {
            return ptr::null_mut();
        }
        self.end = start + layout.size();
        self.given += 1;
        USED.store(true, Relaxed);
        base.wrapping_add(start)
    }

    /// Takes a part back. The memory is free again when all are, or behind the last.
    fn take_back(&mut self, start: usize, size: usize) {
        self.given -= 1;
        if self.given == 0 {
            self.end = 0;
        } else if start + size == self.end {
            self.end = start;
        }
    }
}

/// Where in the reserve a pointer points to, if it does.
fn place(memory: *mut u8) -> Option<usize> {
    let place = memory.addr().wrapping_sub(MEMORY.0.get().addr());
    (place < BYTES).then_some(place)
}

/// Fails where the reserve was used since this was asked last, unless the system has memory again.
#[inline]
pub fn check() -> Result<(), OutOfMemory> {
    if USED.load(Relaxed) { recheck() } else { Ok(()) }
}

/// Whether the system has memory left for another thread: its library ends the process where it
/// gets none for what belongs to the thread.
pub fn has_room_for_thread() -> bool {
    system_has(THREAD)
}

/// Whether the system maps so many bytes.
fn system_has(bytes: usize) -> bool {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping, which goes back to the system at once.
    unsafe {
        let memory = libc::mmap(ptr::null_mut(), bytes, access, kind, -1, 0);
        memory != libc::MAP_FAILED && libc::munmap(memory, bytes) == 0
    }
}

#[cold]
fn recheck() -> Result<(), OutOfMemory> {
    USED.store(false, Relaxed);
    let some = system_has(SMALL);
    let left = BYTES - PARTS.lock().unwrap_or_else(PoisonError::into_inner).end;
    if some && left > BYTES / 2 { Ok(()) } else { Err(OutOfMemory) }
}

#[cold]
fn from_reserve(layout: Layout) -> *mut u8 {
    PARTS.lock().unwrap_or_else(PoisonError::into_inner).give(layout)
}

// SAFETY: the system's allocator is one; parts of the reserve do not overlap and are aligned. Nothing
// here allocates or panics.
unsafe impl GlobalAlloc for Reserve {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: `System` demands of its callers what this allocator demands.
        let memory = unsafe { System.alloc(layout) };
        if memory.is_null() { from_reserve(layout) } else { memory }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        let memory = unsafe { System.alloc_zeroed(layout) };
        if !memory.is_null() {
            return memory;
        }
        let memory = from_reserve(layout);
        if !memory.is_null() {
            // SAFETY: the part is as large as asked for, and was used before maybe.
            unsafe { memory.write_bytes(0, layout.size()) };
        }
        memory
    }

    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        match place(memory) {
            None => {
                // SAFETY: the memory is none of the reserve, so `System` allocated it, with this
                // layout.
                unsafe { System.dealloc(memory, layout) }
            }
            Some(start) => {
                let mut parts = PARTS.lock().unwrap_or_else(PoisonError::into_inner);
                parts.take_back(start, layout.size());
            }
        }
    }

    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if place(memory).is_none() {
            // SAFETY: the memory is none of the reserve, so `System` allocated it, with this layout.
            let larger = unsafe { System.realloc(memory, layout, size) };
            if !larger.is_null() {
                return larger;
            }
        }
        // SAFETY: `size` is what the caller vouches for; the old memory is as large as its layout.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !new.is_null() {
                ptr::copy_nonoverlapping(memory, new, layout.size().min(size));
                self.dealloc(memory, layout);
            }
            new
        }
    }
}
