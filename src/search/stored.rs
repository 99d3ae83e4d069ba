//! The SQL type `search_request` as it is stored.
//!
//! After the length word come the version and the form of the query (a byte each), the length of a
//! document of the other fields in JSON (a `u32`, little-endian), this document, and the query: as
//! its type sends it where it is a vector, else as text. Tables may hold requests, and their bytes
//! may be any: nothing is believed of them, and what a query is, its type's own receive or input
//! function says when the query is used.

use std::ffi::CStr;

use pgrx::PgSqlErrorCode::{
    ERRCODE_DATA_CORRUPTED, ERRCODE_INVALID_PARAMETER_VALUE, ERRCODE_PROGRAM_LIMIT_EXCEEDED,
    ERRCODE_UNDEFINED_OBJECT,
};
use pgrx::pg_sys::{self, Oid};
use serde_json::Value;

use crate::pg::array::Items;
use crate::pg::catalog::type_in;
use crate::pg::error::Report;
use crate::pg::function::{Args, Argument};
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
                let is_it = |name: &&CStr| type_in(schema, name) == Some(of);
                let number = numbers::NAMES.iter().position(is_it);
                let number = number.and_then(|number| u8::try_from(number).ok());
                number.map_or(Form::Text, Form::Vector)
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
                type_in(schema, name).ok_or_else(|| {
                    let message = format!("type {} does not exist", name.to_string_lossy());
                    Report::new(ERRCODE_UNDEFINED_OBJECT, message)
                })?
            }
        };
        Ok(Some(Parameter::of_binary(of, bytes)))
    }
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
        .hint("Make it anew, by ann(field, query), bm25(field, query) or fts(field, query).")
}

/// What is no request.
pub fn malformed() -> Report {
    Report::new(ERRCODE_INVALID_PARAMETER_VALUE, "not a search request")
        .hint("Requests are made by ann(field, query), bm25(field, query) and fts(field, query).")
}

impl Stored {
    fn read(request: Option<Detoasted>, schema: Oid) -> Result<Stored, Report> {
        let request = request.ok_or_else(malformed)?;
        let bytes = request.slice::<u8>(VARHDRSZ, request.size() - VARHDRSZ).ok_or_else(damaged)?;
        let (head, form, query) = parts(bytes).ok_or_else(damaged)?;
        Ok(Stored { head, query: form.query(query, schema)? })
    }
}

impl Argument<'_> for Stored {
    fn take(args: &mut Args) -> Result<Stored, Report> {
        Stored::read(args.take()?, args.callee().schema())
    }
}

/// An array of such; NULL is an empty one.
pub struct StoredArray(pub Vec<Stored>);

impl Argument<'_> for StoredArray {
    const NULLABLE: bool = true;

    fn take(args: &mut Args) -> Result<StoredArray, Report> {
        let schema = args.callee().schema();
        let items = args.take::<Option<Items>>()?.map_or_else(Vec::new, |items| items.0);
        let requests = items.into_iter().map(|item| Stored::read(item, schema));
        requests.collect::<Result<_, _>>().map(StoredArray)
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
