//! Numbers from and to text, exactly as PostgreSQL's `real` reads and prints them.

#![allow(unsafe_code)] // two C functions

use std::ffi::{CStr, c_char, c_int};

/// Longest text of a `real`, the terminating NUL included.
const SHORTEST_LEN: usize = 16;

// Neither raises an error, so they need no guard.
unsafe extern "C" {
    fn strtof(text: *const c_char, end: *mut *mut c_char) -> f32;
    fn float_to_shortest_decimal_bufn(value: f32, result: *mut c_char) -> c_int;
}

/// Reads the number that begins at byte `at` of `text` by C's `strtof`; gives the value and the
/// bytes it took (0: there is no number).
///
/// # Panics
/// If `at` lies behind the end of `text`.
pub fn parse_c_float(text: &CStr, at: usize) -> (f32, usize) {
    let tail = &text.to_bytes_with_nul()[at..];
    assert!(!tail.is_empty());
    let start = tail.as_ptr().cast::<c_char>();
    let mut end = start.cast_mut();
    // SAFETY: `start` begins a string that ends with NUL, and `end` is set to a place in it.
    let value = unsafe { strtof(start, &raw mut end) };
    (value, end.addr() - start.addr())
}

/// Appends the shortest decimal text that reads back as `value`.
pub fn push_shortest(text: &mut Vec<u8>, value: f32) {
    text.reserve(SHORTEST_LEN);
    // SAFETY: the function writes at most SHORTEST_LEN - 1 bytes into the reserved space, and
    // gives their number.
    unsafe {
        let end = text.as_mut_ptr().add(text.len());
        let len = float_to_shortest_decimal_bufn(value, end.cast());
        text.set_len(text.len() + usize::try_from(len).unwrap_or(0));
    }
}
