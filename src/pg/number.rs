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

/// Reads the number that begins at byte `at` of `text` as C's `strtof` does; gives the value and
/// the bytes it took (0: there is no number). What is too large becomes infinite.
///
/// # Panics
/// If `at` lies behind the end of `text`.
pub fn parse_float(text: &CStr, at: usize) -> (f32, usize) {
    let tail = &text.to_bytes()[at..];
    let decimal = decimal_len(tail).and_then(|len| {
        let value = str::from_utf8(&tail[..len]).ok()?.parse().ok()?;
        Some((value, len))
    });
    decimal.unwrap_or_else(|| parse_c_float(text, at))
}

/// Reads the decimal integer that begins at byte `at` of `text`, likewise.
///
/// # Panics
/// If `at` lies behind the end of `text`.
pub fn parse_integer(text: &CStr, at: usize) -> (f32, usize) {
    let tail = &text.to_bytes()[at..];
    let sign = usize::from(matches!(tail.first(), Some(b'+' | b'-')));
    let digits = tail[sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let token = str::from_utf8(&tail[..sign + digits]).unwrap_or_default();
    token.parse().map_or((0.0, 0), |value| (value, token.len()))
}

/// Whether a number is written as infinity, and did not just become it.
pub fn spells_infinity(token: &[u8]) -> bool {
    let sign = usize::from(matches!(token.first(), Some(b'+' | b'-')));
    matches!(token.get(sign), Some(b'i' | b'I'))
}

/// Whether a number is written as zero, and did not just become it.
pub fn spells_zero(token: &[u8]) -> bool {
    let hexadecimal = token.iter().any(|byte| matches!(byte, b'x' | b'X'));
    let exponent = if hexadecimal { b'p' } else { b'e' };
    let mut mantissa = token.iter().map(u8::to_ascii_lowercase).take_while(|&b| b != exponent);
    !mantissa.any(|byte| byte != b'0' && byte.is_ascii_hexdigit())
}

/// The same by C's `strtof` itself.
fn parse_c_float(text: &CStr, at: usize) -> (f32, usize) {
    let tail = &text.to_bytes_with_nul()[at..];
    assert!(!tail.is_empty());
    let start = tail.as_ptr().cast::<c_char>();
    let mut end = start.cast_mut();
    // SAFETY: `start` begins a string that ends with NUL, and `end` is set to a place in it.
    let value = unsafe { strtof(start, &raw mut end) };
    (value, end.addr() - start.addr())
}

/// Bytes of the plain decimal number that `text` begins with; `None` where there is none or where
/// it might be something that only `strtof` knows (`0x1p3`, `nan`, `inf`).
///
/// For decimal numbers Rust's parser and `strtof` agree, as both round correctly; Rust's is
/// several times faster.
fn decimal_len(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| text[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let whole = digits(sign);
    let mut end = sign + whole;
    if whole == 1 && text[sign] == b'0' && matches!(text.get(end), Some(b'x' | b'X')) {
        return None;
    }
    let mut n_digits = whole;
    if text.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        n_digits += fraction;
        end += 1 + fraction;
    }
    if n_digits == 0 {
        return None;
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    Some(end)
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
