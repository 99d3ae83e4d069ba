//! The SQL type `search_request`: what makes values of it, and how they are read and shown.
//!
//! As text, a request is a document of all its fields in JSON, in which the query is text, too. Its
//! binary format is a byte 1 and this text, as that of `jsonb`.

use std::ffi::{CStr, CString};

use pgrx::PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED;
use serde_json::{Value, json};

use super::stored::{Form, Stored, malformed, stored};
use crate::pg::encoding::encode;
use crate::pg::error::Report;
use crate::pg::function::{Args, Argument, pg_functions};
use crate::pg::json::{self, Json};
use crate::pg::message::{Message, TextMessage};
use crate::pg::value::SqlValue;
use crate::pg::varlena::VarlenaBuf;

/// The version of the binary format.
const VERSION: u8 = 1;

pg_functions! {
    /// A search for the nearest vectors.
    fn ann(
        field: Option<String>, query: Query, k: Option<i32>, filter: Option<String>, params: Json,
    ) -> Result<VarlenaBuf, Report> {
        let head = json!({
            "kind": "ann", "field": field, "k": k, "filter": filter, "params": params.0,
        });
        query.stored(&head)
    }

    /// A search of texts by BM25.
    fn bm25(
        field: Option<String>, query: Query, k: Option<i32>, filter: Option<String>, params: Json,
    ) -> Result<VarlenaBuf, Report> {
        let head = json!({
            "kind": "bm25", "field": field, "k": k, "filter": filter, "params": params.0,
        });
        query.stored(&head)
    }

    /// A search of texts. A query without words finds nothing.
    fn fts(
        field: Option<String>, query: Query, k: Option<i32>, filter: Option<String>,
    ) -> Result<VarlenaBuf, Report> {
        let head = json!({"kind": "fts", "field": field, "k": k, "filter": filter});
        let query = if query.bytes.is_empty() { Query::NONE } else { query };
        query.stored(&head)
    }

    fn search_request_in(text: &CStr) -> Result<VarlenaBuf, Report> {
        of_text(text)
    }

    fn search_request_out(request: Stored) -> Result<CString, Report> {
        text(request)
    }

    fn search_request_recv(message: Message) -> Result<VarlenaBuf, Report> {
        of_message(message)
    }

    fn search_request_send(request: Stored) -> Result<TextMessage, Report> {
        Ok(TextMessage { version: VERSION, text: text(request)? })
    }
}

fn of_message(mut message: Message) -> Result<VarlenaBuf, Report> {
    let version = message.bytes(1)[0];
    if version != VERSION {
        let message = format!("unsupported search_request version number {version}");
        return Err(Report::new(ERRCODE_FEATURE_NOT_SUPPORTED, message));
    }
    of_text(&message.text())
}

fn of_text(text: &CStr) -> Result<VarlenaBuf, Report> {
    let mut head = json::parse(text)?;
    let fields = head.as_object_mut().ok_or_else(malformed)?;
    let query = match fields.remove("query") {
        None | Some(Value::Null) => Query::NONE,
        Some(Value::String(query)) => Query::of_text(query),
        Some(_) => return Err(malformed()),
    };
    query.stored(&head)
}

fn text(request: Stored) -> Result<CString, Report> {
    let Stored { mut head, query } = request;
    let fields = head.as_object_mut().ok_or_else(malformed)?;
    fields.insert("query".into(), query.map(|query| query.text()).transpose()?.into());
    encode(&head.to_string())
}

/// A query of any type.
struct Query {
    form: Form,
    bytes: Vec<u8>,
}

impl Query {
    const NONE: Query = Query { form: Form::None, bytes: Vec::new() };

    fn of_text(text: String) -> Query {
        Query { form: Form::Text, bytes: text.into_bytes() }
    }

    fn stored(&self, head: &Value) -> Result<VarlenaBuf, Report> {
        stored(head, self.form, &self.bytes)
    }
}

impl Argument<'_> for Query {
    const NULLABLE: bool = true;

    fn take(args: &mut Args) -> Result<Query, Report> {
        let schema = args.callee().schema();
        let Some(value) = args.take_typed()?.map(SqlValue::of_base_type) else {
            return Ok(Query::NONE);
        };
        let form = Form::of_type(value.of(), schema);
        if form == Form::Text {
            return value.text().map(Query::of_text);
        }
        Ok(Query { form, bytes: value.binary()? })
    }
}
