//! Values of the parameters of statements that functions run.
//!
//! A value is kept as the text or the bytes that its type can read, and becomes a datum only where it
//! is used, by the type's own input or receive function. So it may come from anywhere, and be kept.

#![allow(unsafe_code)] // calls into PostgreSQL

use pgrx::PgSqlErrorCode::ERRCODE_INVALID_BINARY_REPRESENTATION;
use pgrx::pg_sys::{self, Datum, Oid, StringInfoData};

use super::encoding::{decode_c, encode};
use super::error::Report;
use super::varlena::{Detoasted, VARHDRSZ};

/// A value of a parameter.
#[derive(Clone)]
pub struct Parameter {
    of: Oid,
    value: Value,
}

#[derive(Clone)]
enum Value {
    /// As the type's input function reads it.
    Text(String),
    /// As its receive function does, and a byte 0 behind it.
    Binary(Vec<u8>),
    /// As it is in memory.
    Datum(Datum),
}

impl Parameter {
    /// A value of type `of`, as its input function reads it.
    pub fn of_text(of: Oid, text: String) -> Parameter {
        Parameter { of, value: Value::Text(text) }
    }

    /// A value of type `of`, as its receive function reads it.
    pub fn of_binary(of: Oid, bytes: &[u8]) -> Parameter {
        // As PostgreSQL does with what it reads.
        let mut ended = Vec::with_capacity(bytes.len() + 1);
        ended.extend_from_slice(bytes);
        ended.push(0);
        Parameter { of, value: Value::Binary(ended) }
    }

    /// A value as it is in memory.
    ///
    /// # Safety
    /// `datum` is of type `of`, and lives as long as the parameter.
    pub unsafe fn of_datum(of: Oid, datum: Datum) -> Parameter {
        Parameter { of, value: Value::Datum(datum) }
    }

    /// The type.
    pub fn of(&self) -> Oid {
        self.of
    }

    /// The value as text. PostgreSQL raises an error where the type refuses it.
    ///
    /// # Errors
    /// As [`datum`](Self::datum).
    pub fn text(&self) -> Result<String, Report> {
        match &self.value {
            Value::Text(text) => Ok(text.clone()),
            // SAFETY: the type's receive function has made the value, or `of_datum` was given one.
            Value::Binary(_) | Value::Datum(_) => unsafe { text(self.of, self.datum()?) },
        }
    }

    /// The value, in the current memory context. PostgreSQL raises an error where the type refuses it,
    /// or where there is no such type.
    ///
    /// # Errors
    /// Where it is no text, or not all of the bytes are read.
    pub fn datum(&self) -> Result<Datum, Report> {
        let (mut function, mut of) = (Oid::INVALID, Oid::INVALID);
        match &self.value {
            Value::Text(text) => {
                let text = encode(text)?;
                // SAFETY: a text that ends with NUL, for the type's own input function.
                unsafe {
                    pg_sys::getTypeInputInfo(self.of, &raw mut function, &raw mut of);
                    Ok(pg_sys::OidInputFunctionCall(function, text.as_ptr().cast_mut(), of, -1))
                }
            }
            Value::Binary(bytes) => {
                let length = i32::try_from(bytes.len() - 1).map_err(|_| malformed())?;
                let data = bytes.as_ptr().cast_mut().cast();
                let mut buffer = StringInfoData { data, len: length, maxlen: length, cursor: 0 };
                // SAFETY: as many bytes as said, which the type's own receive function only reads.
                let value = unsafe {
                    pg_sys::getTypeBinaryInputInfo(self.of, &raw mut function, &raw mut of);
                    pg_sys::OidReceiveFunctionCall(function, &raw mut buffer, of, -1)
                };
                if buffer.cursor == length { Ok(value) } else { Err(malformed()) }
            }
            Value::Datum(datum) => Ok(*datum),
        }
    }
}

fn malformed() -> Report {
    Report::new(ERRCODE_INVALID_BINARY_REPRESENTATION, "incorrect binary data format")
}

/// A value as text.
///
/// # Safety
/// `value` is of type `of`.
///
/// # Errors
/// Where the text cannot be converted.
pub unsafe fn text(of: Oid, value: Datum) -> Result<String, Report> {
    let (mut function, mut is_varlena) = (Oid::INVALID, false);
    // SAFETY: the caller's promise; an output function gives a string that ends with NUL.
    unsafe {
        pg_sys::getTypeOutputInfo(of, &raw mut function, &raw mut is_varlena);
        decode_c(pg_sys::OidOutputFunctionCall(function, value))
    }
}

/// A value as its type sends it.
///
/// # Safety
/// `value` is of type `of`.
pub unsafe fn binary(of: Oid, value: Datum) -> Vec<u8> {
    let (mut function, mut is_varlena) = (Oid::INVALID, false);
    // SAFETY: the caller's promise; a send function gives a `bytea`.
    unsafe {
        pg_sys::getTypeBinaryOutputInfo(of, &raw mut function, &raw mut is_varlena);
        let sent = Detoasted::from_datum(Datum::from(pg_sys::OidSendFunctionCall(function, value)));
        sent.slice(VARHDRSZ, sent.size() - VARHDRSZ).unwrap_or_default().to_vec()
    }
}
