//! Values of the parameters of statements that functions run.
//!
//! A value is kept as the text or the bytes that its type can read, and becomes a datum only where
//! it is used, by the type's own input or receive function. So it may come from anywhere, and be
//! kept.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::rc::Rc;

use pgrx::PgSqlErrorCode::ERRCODE_INVALID_BINARY_REPRESENTATION;
use pgrx::pg_sys::{self, Datum, Oid, StringInfoData};

use super::encoding::encode;
use super::error::Report;
use super::value::{OwnedValue, SqlValue};

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
    Owned(Rc<OwnedValue>),
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
    pub fn of_value(value: OwnedValue) -> Parameter {
        Parameter { of: value.value().of(), value: Value::Owned(Rc::new(value)) }
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
            // SAFETY: the type's receive function makes the value.
            Value::Binary(_) => unsafe { SqlValue::new(self.of, self.datum()?) }.text(),
            Value::Owned(value) => value.value().text(),
        }
    }

    /// The value, which is kept: so it is read once. It lives no longer than the call.
    ///
    /// # Errors
    /// As [`datum`](Self::datum).
    pub fn evaluate(&mut self) -> Result<SqlValue<'_>, Report> {
        if !matches!(self.value, Value::Owned(_)) {
            // SAFETY: the type's own function makes the value, in memory of the call.
            let value = unsafe { OwnedValue::of_call(self.of, self.datum()?) };
            self.value = Value::Owned(Rc::new(value));
        }
        match &self.value {
            Value::Owned(value) => Ok(value.value()),
            Value::Text(_) | Value::Binary(_) => Err(Report::internal("value was not kept")),
        }
    }

    /// The value, in the current memory context. PostgreSQL raises an error where the type refuses
    /// it, or where there is no such type.
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
            Value::Owned(value) => Ok(value.value().datum()),
        }
    }
}

fn malformed() -> Report {
    Report::new(ERRCODE_INVALID_BINARY_REPRESENTATION, "incorrect binary data format")
}
