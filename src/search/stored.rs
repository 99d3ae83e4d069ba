//! The SQL type `search_request` as it is stored.
//!
//! After the length word come the version and the form of the query (a byte each), the length of a
//! document of the other fields in JSON (a `u32`, little-endian), this document, and the query: as
//! its type sends it where it is a vector, else as text. Tables may hold requests, and their bytes may
//! be any: nothing is believed of them, and what a query is, its type's own receive or input function
//! says when the query is used.

#![allow(unsafe_code)] // looks up types

use std::ffi::CStr;

use pgrx::PgSqlErrorCode::{
    ERRCODE_DATA_CORRUPTED, ERRCODE_PROGRAM_LIMIT_EXCEEDED, ERRCODE_UNDEFINED_OBJECT,
};
use pgrx::pg_sys::{self, Datum, Oid};
use serde_json::Value;

use super::request::malformed;
use crate::pg::array::Values;
use crate::pg::error::Report;
use crate::pg::function::{Args, Argument, Itself};
use crate::pg::parameter::Parameter;
use crate::pg::varlena::{Detoasted, VARHDRSZ, VarlenaBuf};
use crate::types::numbers;

const VERSION: u8 = 1;
/// Bytes of a document, and of a query, at most.
const MAX_BYTES: usize = 16 << 20;

/// A request as it came: its other fields, and the query.
pub struct Stored {
    /// The fields.
    pub head: Value,
    /// The query; none finds nothing.
    pub query: Option<Parameter>,
}

/// How a query is stored. The numbers are part of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// There is none.
    None,
    /// As text, whatever its type was.
    Text,
    /// A `bit`, as it is sent.
    Bit,
    /// A `bit varying`, as it is sent.
    Varbit,
    /// A vector of one of the types [`numbers::NAMES`] of numbers, as it is sent.
    Vector(u8),
}

impl Form {
    /// The form of queries of type `of`; those of the extension are in the schema `schema`.
    pub fn of_type(of: Oid, schema: Oid) -> Form {
        match of {
            pg_sys::BITOID => Form::Bit,
            pg_sys::VARBITOID => Form::Varbit,
            _ => {
                let found = (0..).zip(numbers::NAMES).find(|(_, name)| named(name, schema) == of);
                found.map_or(Form::Text, |(number, _)| Form::Vector(number))
            }
        }
    }

    fn number(self) -> u8 {
        match self {
            Form::None => 0,
            Form::Text => 1,
            Form::Bit => 2,
            Form::Varbit => 3,
            Form::Vector(number) => 4 + number,
        }
    }

    fn numbered(number: u8) -> Option<Form> {
        Some(match number {
            0 => Form::None,
            1 => Form::Text,
            2 => Form::Bit,
            3 => Form::Varbit,
            4.. if usize::from(number - 4) < numbers::NAMES.len() => Form::Vector(number - 4),
            _ => return None,
        })
    }

    /// A query of this form.
    fn query(self, bytes: &[u8], schema: Oid) -> Result<Option<Parameter>, Report> {
        let of = match self {
            Form::None => return Ok(None),
            Form::Text => {
                let text = str::from_utf8(bytes).map_err(|_| damaged())?;
                return Ok(Some(Parameter::of_text(pg_sys::TEXTOID, text.to_owned())));
            }
            Form::Bit => pg_sys::BITOID,
            Form::Varbit => pg_sys::VARBITOID,
            Form::Vector(number) => {
                let name = numbers::NAMES[usize::from(number)];
                let of = named(name, schema);
                if of == Oid::INVALID {
                    let message = format!("type {} does not exist", name.to_string_lossy());
                    return Err(Report::new(ERRCODE_UNDEFINED_OBJECT, message));
                }
                of
            }
        };
        Ok(Some(Parameter::of_binary(of, bytes)))
    }
}

/// The type of this name; 0 where there is none.
fn named(name: &CStr, schema: Oid) -> Oid {
    let key = pg_sys::SysCacheIdentifier::TYPENAMENSP as i32;
    let column = pg_sys::Anum_pg_type_oid as i16;
    let [name, schema] = [Datum::from(name.as_ptr()), Datum::from(schema)];
    let none = Datum::null();
    // SAFETY: a look-up in the catalog by a name that ends with NUL and a schema.
    unsafe { pg_sys::GetSysCacheOid(key, column, name, schema, none, none) }
}

/// The schema of the extension, which is that of the function that is called.
pub fn schema(itself: &Itself) -> Oid {
    // SAFETY: a look-up in the catalog.
    unsafe { pg_sys::get_func_namespace(itself.0) }
}

/// A request as it is stored.
///
/// # Errors
/// Where it is too large.
pub fn stored(head: &Value, form: Form, query: &[u8]) -> Result<VarlenaBuf, Report> {
    let head = head.to_string();
    if head.len() > MAX_BYTES || query.len() > MAX_BYTES {
        let message = format!("a part of the search request exceeds {MAX_BYTES} bytes");
        return Err(Report::new(ERRCODE_PROGRAM_LIMIT_EXCEEDED, message));
    }
    let length = (head.len() as u32).to_le_bytes();
    let parts = [&[VERSION, form.number()][..], &length, head.as_bytes(), query];
    let mut request = VarlenaBuf::zeroed(VARHDRSZ + parts.iter().map(|p| p.len()).sum::<usize>())?;
    let mut at = VARHDRSZ;
    for part in parts {
        request.slice_mut::<u8>(at, part.len()).copy_from_slice(part);
        at += part.len();
    }
    Ok(request)
}

/// The parts of a request; none where the bytes are no request.
fn parts(bytes: &[u8]) -> Option<(Value, Form, &[u8])> {
    let (&[version, form], rest) = bytes.split_first_chunk()?;
    let (&length, rest) = rest.split_first_chunk()?;
    let (head, query) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(length)).ok()?)?;
    if version != VERSION || head.len() > MAX_BYTES || query.len() > MAX_BYTES {
        return None;
    }
    Some((serde_json::from_slice(head).ok()?, Form::numbered(form)?, query))
}

fn damaged() -> Report {
    Report::new(ERRCODE_DATA_CORRUPTED, "search request is damaged")
        .hint("Make it anew, by ann(field, query) or fts(field, query).")
}

impl Stored {
    /// # Safety
    /// `datum` is of type `search_request`, and lives as long as the call.
    unsafe fn read(datum: Datum, schema: Oid) -> Result<Stored, Report> {
        // SAFETY: the caller's promise.
        let value = unsafe { Detoasted::from_datum(datum) };
        let bytes = value.slice::<u8>(VARHDRSZ, value.size() - VARHDRSZ).ok_or_else(damaged)?;
        let (head, form, query) = parts(bytes).ok_or_else(damaged)?;
        Ok(Stored { head, query: form.query(query, schema)? })
    }
}

impl Argument<'_> for Stored {
    fn take(args: &mut Args) -> Result<Stored, Report> {
        let schema = schema(&args.itself());
        let datum = args.optional_datum().ok_or_else(malformed)?;
        // SAFETY: SQL declares the argument as `search_request`.
        unsafe { Stored::read(datum, schema) }
    }
}

/// An array of such; NULL is an empty one.
pub struct StoredArray(pub Vec<Stored>);

impl Argument<'_> for StoredArray {
    const NULLABLE: bool = true;

    fn take(args: &mut Args) -> Result<StoredArray, Report> {
        let schema = schema(&args.itself());
        let items = args.take::<Option<Values>>()?.map_or_else(Vec::new, |values| values.0);
        let read = |item: Option<Datum>| {
            let datum = item.ok_or_else(malformed)?;
            // SAFETY: SQL declares the argument as an array of `search_request`.
            unsafe { Stored::read(datum, schema) }
        };
        items.into_iter().map(read).collect::<Result<_, _>>().map(StoredArray)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_have_numbers() {
        let known = (0..=u8::MAX).filter_map(|number| Some((number, Form::numbered(number)?)));
        let known: Vec<_> = known.collect();
        assert_eq!(known.len(), 4 + numbers::NAMES.len());
        assert!(known.iter().all(|(number, form)| form.number() == *number));
    }

    #[test]
    fn bytes_that_are_no_request_are_told() {
        let whole = [&[VERSION, 1, 2, 0, 0, 0][..], b"{}text"].concat();
        assert_eq!(parts(&whole).unwrap().2, b"text");
        for end in 0..whole.len() - "text".len() {
            assert!(parts(&whole[..end]).is_none(), "{end} bytes");
        }
        for (at, byte) in [(0, 0), (1, 9), (2, 1), (5, 1), (6, b'x')] {
            let mut wrong = whole.clone();
            wrong[at] = byte;
            assert!(parts(&wrong).is_none(), "byte {at}");
        }
    }
}
