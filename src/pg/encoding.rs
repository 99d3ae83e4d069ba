//! Text in the encoding of the database, from and to Rust's UTF-8, without loss.
//!
//! In a database of encoding `SQL_ASCII` any bytes are text. Those that are no UTF-8 are carried as
//! private characters, one a byte, which become the same bytes again.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::borrow::Cow;
use std::ffi::{CStr, CString, c_char, c_int};

use pgrx::PgSqlErrorCode::{
    ERRCODE_CHARACTER_NOT_IN_REPERTOIRE, ERRCODE_OUT_OF_MEMORY, ERRCODE_PROGRAM_LIMIT_EXCEEDED,
};
use pgrx::pg_sys::{self, pg_enc};

use super::error::{Report, printable};

const UTF8: i32 = pg_enc::PG_UTF8 as i32;
/// The private character that stands for byte 0; those of the other bytes follow.
const BYTES: u32 = 0x10_F000;

/// Text of the database.
///
/// # Errors
/// Where the bytes are no text of its encoding; PostgreSQL raises an error where the encoding cannot
/// be converted to UTF-8.
pub fn decode(bytes: &[u8]) -> Result<String, Report> {
    let text = if bytes.is_ascii() || is(pg_enc::PG_UTF8) {
        Cow::Borrowed(bytes)
    } else if is(pg_enc::PG_SQL_ASCII) {
        return Ok(carried(bytes));
    } else {
        converted(bytes, pg_sys::pg_server_to_any)?
    };
    let text = match text {
        Cow::Owned(text) => text,
        Cow::Borrowed(text) => copied(text)?,
    };
    String::from_utf8(text).map_err(|_| {
        let message = "invalid byte sequence for encoding \"UTF8\"";
        Report::new(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE, message)
    })
}

/// A text or name that PostgreSQL has, such as one of the catalog.
///
/// # Safety
/// `text` points to bytes that end with NUL.
///
/// # Errors
/// As [`decode`].
pub unsafe fn decode_c(text: *const c_char) -> Result<String, Report> {
    // SAFETY: `text` ends with NUL.
    decode(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// The same for a message, in which a question mark stands for what cannot be converted.
///
/// # Safety
/// As [`decode_c`].
pub unsafe fn shown(text: *const c_char) -> String {
    // SAFETY: `text` ends with NUL.
    let bytes = unsafe { CStr::from_ptr(text) }.to_bytes();
    decode(bytes).unwrap_or_else(|_| printable(bytes))
}

/// The text as the database has it. PostgreSQL raises an error for a character that its encoding does
/// not have.
///
/// # Errors
/// Where the text has the character 0.
pub fn encode(text: &str) -> Result<CString, Report> {
    let bytes = if text.is_ascii() || is(pg_enc::PG_UTF8) {
        Cow::Borrowed(text.as_bytes())
    } else if is(pg_enc::PG_SQL_ASCII) {
        Cow::Owned(delivered(text))
    } else {
        converted(text.as_bytes(), pg_sys::pg_any_to_server)?
    };
    let bytes = match bytes {
        Cow::Owned(bytes) => bytes,
        Cow::Borrowed(bytes) => copied(bytes)?,
    };
    CString::new(bytes).map_err(|_| {
        let message = "invalid byte sequence for encoding \"UTF8\": 0x00";
        Report::new(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE, message)
    })
}

/// A text of a message, which PostgreSQL takes for text of the database: letters that it may not be
/// show as question marks.
pub fn sendable(text: &str) -> String {
    if text.is_ascii() || is(pg_enc::PG_UTF8) {
        return text.to_owned();
    }
    let keeps = is(pg_enc::PG_SQL_ASCII);
    let known = |c: &char| c.is_ascii() || (keeps && byte_of(*c).is_none());
    text.chars().map(|c| if known(&c) { c } else { '?' }).collect()
}

/// A conversion by PostgreSQL, to or from UTF-8.
type Conversion = unsafe fn(*const c_char, c_int, c_int) -> *mut c_char;

/// # Errors
/// Where the text is too long.
fn converted(bytes: &[u8], by: Conversion) -> Result<Cow<'_, [u8]>, Report> {
    let length = i32::try_from(bytes.len()).map_err(|_| {
        let message = format!("text of {} bytes is too long", bytes.len());
        Report::new(ERRCODE_PROGRAM_LIMIT_EXCEEDED, message)
    })?;
    let given = bytes.as_ptr().cast::<c_char>();
    // SAFETY: as many bytes as said. What is not given back as it came is a copy that ends with NUL.
    unsafe {
        let text = by(given, length, UTF8);
        if text.cast_const() == given {
            return Ok(Cow::Borrowed(bytes));
        }
        let converted = copied(CStr::from_ptr(text).to_bytes())?;
        pg_sys::pfree(text.cast());
        Ok(Cow::Owned(converted))
    }
}

/// A copy of what may be a gigabyte, with room for a NUL behind it.
fn copied(bytes: &[u8]) -> Result<Vec<u8>, Report> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len() + 1).map_err(|_| {
        let message = format!("failed to allocate {} bytes for a text", bytes.len());
        Report::new(ERRCODE_OUT_OF_MEMORY, message)
    })?;
    copy.extend_from_slice(bytes);
    Ok(copy)
}

fn is(encoding: pg_enc::Type) -> bool {
    // SAFETY: reads what is fixed for the session.
    unsafe { pg_sys::GetDatabaseEncoding() == encoding as i32 }
}

/// Any bytes as characters, so that [`delivered`] gives the same bytes.
fn carried(bytes: &[u8]) -> String {
    let private = |byte: u8| char::from_u32(BYTES + u32::from(byte)).unwrap_or_default();
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match byte_of(character) {
                None => text.push(character),
                // Stands for itself.
                Some(_) => {
                    let mut own = [0; 4];
                    text.extend(character.encode_utf8(&mut own).bytes().map(private));
                }
            }
        }
        text.extend(chunk.invalid().iter().map(|&byte| private(byte)));
    }
    text
}

fn delivered(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match byte_of(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

/// The byte that a private character stands for.
fn byte_of(character: char) -> Option<u8> {
    u8::try_from(u32::from(character).checked_sub(BYTES)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_come_back_as_they_were() {
        let private = char::from_u32(BYTES + 0xe9).unwrap().to_string();
        let cases: [&[u8]; 6] =
            [b"", b"plain", "käse 漢".as_bytes(), b"k\xe4se", b"\xff\xc3", private.as_bytes()];
        for bytes in cases {
            assert_eq!(delivered(&carried(bytes)), bytes);
        }
        let all: Vec<u8> = (1..=255).collect();
        assert_eq!(delivered(&carried(&all)), all);
        assert_eq!(carried("käse".as_bytes()), "käse");
    }
}
