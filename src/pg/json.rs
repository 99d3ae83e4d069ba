//! Documents of JSON as arguments.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::ffi::CStr;
use std::ptr;

use pgrx::PgSqlErrorCode::{
    ERRCODE_INVALID_PARAMETER_VALUE, ERRCODE_INVALID_TEXT_REPRESENTATION,
    ERRCODE_PROGRAM_LIMIT_EXCEEDED,
};
use pgrx::pg_sys;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::encoding::decode;
use super::error::Report;
use super::function::{Args, Argument};
use super::varlena::Detoasted;

/// Bytes of a document at most.
const MAX_BYTES: usize = 16 << 20;
/// Levels of arrays and objects in each other at most.
const MAX_DEPTH: usize = 100;

/// A `jsonb`, or a domain over it; SQL's NULL is JSON's.
pub struct Json(pub Value);

impl Argument<'_> for Json {
    const NULLABLE: bool = true;

    fn take(args: &mut Args) -> Result<Json, Report> {
        let Some(document) = args.take::<Option<Detoasted>>()? else {
            return Ok(Json(Value::Null));
        };
        // Smaller in memory than as text; so little is written of one that is too large.
        check_size(document.size())?;
        // SAFETY: SQL declares the argument as `jsonb`; its text ends with NUL.
        let text = unsafe {
            let root = &raw mut (*document.as_ptr().cast::<pg_sys::Jsonb>()).root;
            CStr::from_ptr(pg_sys::JsonbToCString(ptr::null_mut(), root, document.size() as i32))
        };
        parse(text).map(Json)
    }
}

/// Reads a document.
///
/// # Errors
/// Where it is none, is too large or too deep, or has a number that no `double precision` holds.
pub fn parse(text: &CStr) -> Result<Value, Report> {
    check_size(text.count_bytes())?;
    check_depth(text.to_bytes())?;
    let text = decode(text.to_bytes())?;
    serde_json::from_str(&text).map_err(|error| {
        let message = error.to_string();
        if message.starts_with("number out of range") {
            return Report::new(ERRCODE_INVALID_PARAMETER_VALUE, "number in JSON is out of range")
                .hint("Numbers are of type bigint or double precision.");
        }
        let message = format!("invalid input syntax for type json: {message}");
        Report::new(ERRCODE_INVALID_TEXT_REPRESENTATION, message)
    })
}

/// Reads an object into a struct or an enum; none if it is no object, or does not fit.
pub fn from_object<T: DeserializeOwned>(value: Value) -> Option<T> {
    // Serde reads structs from arrays, too.
    if value.is_object() { serde_json::from_value(value).ok() } else { None }
}

/// For serde: a field that counts as missing if it is of another type.
///
/// # Errors
/// None of its own.
pub fn lenient<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

fn check_size(bytes: usize) -> Result<(), Report> {
    if bytes <= MAX_BYTES {
        return Ok(());
    }
    let message = format!("JSON document exceeds {MAX_BYTES} bytes");
    Err(Report::new(ERRCODE_PROGRAM_LIMIT_EXCEEDED, message))
}

fn check_depth(text: &[u8]) -> Result<(), Report> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for &byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            let message = format!("JSON document is nested more than {MAX_DEPTH} levels deep");
            return Err(Report::new(ERRCODE_PROGRAM_LIMIT_EXCEEDED, message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_what_is_no_string() {
        let nested = |levels| ["[".repeat(levels), "]".repeat(levels)].concat();
        assert!(check_depth(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert!(check_depth(nested(MAX_DEPTH + 1).as_bytes()).is_err());
        let text = format!(r#"["\"{}"]"#, "[".repeat(200));
        assert!(check_depth(text.as_bytes()).is_ok());
    }
}
