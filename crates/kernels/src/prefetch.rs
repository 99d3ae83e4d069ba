//! Asking for memory before it is read.

/// Size of a cache line on all processors of note.
const LINE: usize = 64;

/// Asks the processor to load `data` into its caches, where it can; never waits.
#[inline]
pub fn prefetch<T>(data: &[T]) {
    prefetch_at(data.as_ptr().cast(), size_of_val(data));
}

/// As [`prefetch`], for `len` bytes at an address that others may write to, or that is not valid:
/// then nothing happens.
#[inline]
pub fn prefetch_at(start: *const u8, len: usize) {
    #[cfg(target_arch = "x86_64")]
    for offset in (0..len).step_by(LINE) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: the instruction reads nothing that a program could observe, and cannot fault.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(offset).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (start, len);
}
