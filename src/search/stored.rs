//! The SQL type `search_request`: what `ann` and `fts` make, and what is seen of it.
//!
//! A value is not read as text on its way into a search: after the length word come, each a `u32`,
//! the OID of the query's type (0: there is no query) and the length of a document of the other
//! fields in JSON, then this document and, at the next multiple of 8, the query as it is in memory.
//! As text it is one document of all fields, so that dumps know no OID.

#![allow(unsafe_code)] // values in memory are raw pointers

use std::ffi::{CStr, CString};
use std::ptr::NonNull;

use pgrx::PgSqlErrorCode::{ERRCODE_DATA_CORRUPTED, ERRCODE_INVALID_TEXT_REPRESENTATION};
use pgrx::pg_sys::{self, Datum, Oid, varlena};
use serde_json::{Value, json};

use super::arguments::Json;
use super::request::malformed;
use crate::pg::array::Values;
use crate::pg::error::Report;
use crate::pg::function::{Args, Argument, TypeOf, pg_functions};
use crate::pg::plan::{Given, Parameter};
use crate::pg::varlena::{Detoasted, VARHDRSZ, VarlenaBuf};

/// Where the document begins.
const HEAD: usize = VARHDRSZ + 2 * size_of::<u32>();

/// A request as it came: its other fields, and the query.
pub struct Stored {
    /// The fields.
    pub head: Value,
    /// The query, in memory that lives as long as the call.
    pub query: Option<Parameter>,
}

pg_functions! {
    /// A search for the nearest vectors.
    fn ann(
        field: Option<String>, query: Query, k: Option<i32>, filter: Option<String>, params: Json,
    ) -> Result<VarlenaBuf, Report> {
        let head = json!({
            "kind": "ann", "field": field, "k": k, "filter": filter, "params": params.0,
        });
        stored(&head, query)
    }

    /// A search of texts.
    fn fts(
        field: Option<String>, query: Query, k: Option<i32>, filter: Option<String>,
    ) -> Result<VarlenaBuf, Report> {
        stored(&json!({"kind": "fts", "field": field, "k": k, "filter": filter}), query)
    }

    fn search_request_in(text: &CStr) -> Result<VarlenaBuf, Report> {
        let mut head: Value = serde_json::from_slice(text.to_bytes()).map_err(|error| {
            let message = format!("invalid input syntax for type search_request: {error}");
            Report::new(ERRCODE_INVALID_TEXT_REPRESENTATION, message)
                .hint("Requests are made by ann(field, query) and fts(field, query).")
        })?;
        let fields = head.as_object_mut().ok_or_else(malformed)?;
        let query = match fields.remove("query") {
            None | Some(Value::Null) => Query(None),
            Some(Value::String(query)) => Query::of_text(&query)?,
            Some(_) => return Err(malformed()),
        };
        stored(&head, query)
    }

    fn search_request_out(request: Stored) -> Result<CString, Report> {
        let Stored { mut head, query } = request;
        let fields = head.as_object_mut().ok_or_else(malformed)?;
        fields.insert("query".into(), query.map(|query| query.text()).into());
        CString::new(head.to_string()).map_err(|_| malformed())
    }
}

/// A query of any type: the value with its length word, and the type.
struct Query(Option<(Oid, NonNull<varlena>)>);

impl Query {
    fn of_text(text: &str) -> Result<Query, Report> {
        let text = CString::new(text).map_err(|_| malformed())?;
        // SAFETY: copies a string that ends with NUL into a new `text`, which is not null.
        let value = unsafe { NonNull::new_unchecked(pg_sys::cstring_to_text(text.as_ptr())) };
        Ok(Query(Some((pg_sys::TEXTOID, value.cast()))))
    }
}

impl Argument<'_> for Query {
    fn take(args: &mut Args) -> Result<Query, Report> {
        let (TypeOf(of), datum) = args.take_typed()?;
        let Some(datum) = datum else { return Ok(Query(None)) };
        // SAFETY: a value of its type; one of variable length lives as long as the call.
        unsafe {
            let of = pg_sys::getBaseType(of);
            if pg_sys::get_typlen(of) == -1 {
                return Ok(Query(Some((of, Detoasted::from_datum(datum).into_raw()))));
            }
            Query::of_text(&Parameter { of, value: Given::Datum(datum) }.text())
        }
    }
}

fn stored(head: &Value, query: Query) -> Result<VarlenaBuf, Report> {
    let head = head.to_string();
    let (oid, value) = match &query.0 {
        // SAFETY: the value is there during the call, and nobody writes to it.
        Some((of, value)) => (of.to_u32(), unsafe { bytes(*value) }),
        None => (0, &[][..]),
    };
    let at = (HEAD + head.len()).next_multiple_of(8);
    let mut request = VarlenaBuf::zeroed(at + value.len())?;
    let length = u32::try_from(head.len()).map_err(|_| malformed())?;
    request.slice_mut::<u32>(VARHDRSZ, 2).copy_from_slice(&[oid, length]);
    request.slice_mut::<u8>(HEAD, head.len()).copy_from_slice(head.as_bytes());
    request.slice_mut::<u8>(at, value.len()).copy_from_slice(value);
    Ok(request)
}

/// # Safety
/// `value` has a plain 4-byte header, lives during `'a` and is not written to.
unsafe fn bytes<'a>(value: NonNull<varlena>) -> &'a [u8] {
    // SAFETY: the caller's promise.
    unsafe {
        let size = pgrx::varlena::varsize_4b(value.as_ptr());
        std::slice::from_raw_parts(value.as_ptr().cast::<u8>(), size)
    }
}

impl Stored {
    /// # Safety
    /// `datum` is of type `search_request`, and lives as long as the call.
    unsafe fn read(datum: Datum) -> Result<Stored, Report> {
        let damaged = || Report::new(ERRCODE_DATA_CORRUPTED, "search request is damaged");
        // SAFETY: the caller's promise; a copy is left to the memory of the call.
        let value = unsafe { Detoasted::from_datum(datum) };
        let &[oid, length] = value.slice::<u32>(VARHDRSZ, 2).ok_or_else(damaged)? else {
            return Err(damaged());
        };
        let length = usize::try_from(length).map_err(|_| damaged())?;
        let head = value.slice::<u8>(HEAD, length).ok_or_else(damaged)?;
        let head = serde_json::from_slice(head).map_err(|_| damaged())?;
        let at = (HEAD + length).next_multiple_of(8);
        let query = (oid != 0).then(|| {
            // SAFETY: `stored` has put a value of the type there, which nothing else can make.
            let query = unsafe { value.as_ptr().cast::<u8>().add(at) };
            Parameter { of: Oid::from(oid), value: Given::Datum(Datum::from(query)) }
        });
        value.into_raw();
        Ok(Stored { head, query })
    }
}

impl Argument<'_> for Stored {
    fn take(args: &mut Args) -> Result<Stored, Report> {
        let datum = args.optional_datum().ok_or_else(malformed)?;
        // SAFETY: SQL declares the argument as `search_request`.
        unsafe { Stored::read(datum) }
    }
}

/// An array of such; NULL is an empty one.
pub struct StoredArray(pub Vec<Stored>);

impl Argument<'_> for StoredArray {
    fn take(args: &mut Args) -> Result<StoredArray, Report> {
        let items = args.take::<Option<Values>>()?.map_or_else(Vec::new, |values| values.0);
        let read = |item: Option<Datum>| {
            let datum = item.ok_or_else(malformed)?;
            // SAFETY: SQL declares the argument as an array of `search_request`.
            unsafe { Stored::read(datum) }
        };
        items.into_iter().map(read).collect::<Result<_, _>>().map(StoredArray)
    }
}
