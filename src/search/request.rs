//! Requests: what one leg of a search looks for, as `ann`, `bm25` and `fts` write it.

use std::collections::BTreeMap;

use pgrx::PgSqlErrorCode::{
    ERRCODE_INVALID_PARAMETER_VALUE, ERRCODE_INVALID_ROW_COUNT_IN_LIMIT_CLAUSE,
};
use serde::Deserialize;
use serde_json::Value;

use super::stored::{Stored, malformed};
use crate::pg::error::Report;
use crate::pg::function::{Args, Argument};
use crate::pg::json::{from_object, lenient};
use crate::pg::parameter::Parameter;

/// Most rows of a search, and of one leg of it.
pub const MAX_ROWS: i64 = 1_000_000;

/// A ranking of rows by one column.
pub struct Request {
    /// What is compared.
    pub kind: Kind,
    /// The column's name.
    pub field: String,
    /// What it is compared with; `None` finds nothing.
    pub query: Option<Parameter>,
    /// How many rows at most.
    pub k: Option<i64>,
    /// Which rows, in Milvus's filter language.
    pub filter: Option<String>,
    /// How to search.
    pub params: Params,
}

/// What a request compares.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Kind {
    /// Vectors.
    #[serde(rename = "ann")]
    Vectors,
    /// Texts, by the words that they share with the query.
    #[serde(rename = "bm25")]
    Bm25,
    /// Texts, as `tsvector`.
    #[serde(rename = "fts")]
    Texts,
}

/// How to search, by Milvus's names.
#[derive(Default)]
pub struct Params {
    /// The metric, if not that of the column's index.
    pub metric: Option<String>,
    /// Width of a search of `hnsw`.
    pub ef: Option<i64>,
    /// Lists that a search of `ivf` or `ivfflat` reads.
    pub nprobe: Option<i64>,
    /// The name of the index whose statistics and analyzer score texts.
    pub index: Option<String>,
}

/// What `ann`, `bm25` and `fts` write beside the query.
#[derive(Deserialize)]
struct Head {
    kind: Kind,
    field: String,
    #[serde(default, deserialize_with = "lenient")]
    k: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    filter: Option<String>,
    #[serde(default)]
    params: Value,
}

/// The params of a request, not yet checked.
#[derive(Default, Deserialize)]
struct RawParams {
    #[serde(default, deserialize_with = "lenient")]
    metric_type: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    ef: Option<Value>,
    #[serde(default, deserialize_with = "lenient")]
    nprobe: Option<Value>,
    #[serde(default, deserialize_with = "lenient")]
    index: Option<String>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// Where it is none that `ann`, `bm25` or `fts` writes.
    pub fn read(request: Stored) -> Result<Request, Report> {
        let Head { kind, field, k, filter, params } =
            from_object(request.head).ok_or_else(malformed)?;
        let k = k.map(|k| rows(k, "k of a request")).transpose()?;
        let params = Params::read(kind, params)?;
        Ok(Request { kind, field, query: request.query, k, filter, params })
    }
}

impl Argument<'_> for Request {
    fn take(args: &mut Args) -> Result<Request, Report> {
        Request::read(args.take()?)
    }
}

impl Params {
    fn read(kind: Kind, params: Value) -> Result<Params, Report> {
        let wrong_param = |message: &str| wrong_param(kind, message);
        let read = if params.is_null() { Some(RawParams::default()) } else { from_object(params) };
        let RawParams { metric_type, ef, nprobe, index, others } =
            read.ok_or_else(|| wrong_param("params of a request must be an object"))?;
        match others.keys().next().map(String::as_str) {
            None => {}
            Some(key @ ("radius" | "range_filter")) => {
                let message = format!("{key} is no parameter of a request");
                return Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message)
                    .hint("It is an argument of range_search."));
            }
            Some(key) => return Err(wrong_param(&format!("unknown search parameter {key}"))),
        }
        let unknown = match kind {
            Kind::Vectors | Kind::Texts => [("index", index.is_some()), ("", false)],
            Kind::Bm25 => [("ef", ef.is_some()), ("nprobe", nprobe.is_some())],
        };
        if let Some((key, _)) = unknown.into_iter().find(|&(_, is_given)| is_given) {
            return Err(wrong_param(&format!("unknown search parameter {key}")));
        }
        let positive = |key, value| {
            positive(value)
                .map_err(|value| wrong_param(&format!("{key} must be a number above 0: {value}")))
        };
        let (ef, nprobe) = (positive("ef", ef)?, positive("nprobe", nprobe)?);
        Ok(Params { metric: metric_type, ef, nprobe, index })
    }
}

/// A number above 0; if it is another value, this value.
fn positive(value: Option<Value>) -> Result<Option<i64>, Value> {
    let Some(value) = value else { return Ok(None) };
    let number = value.as_i64().filter(|&number| number > 0);
    number.ok_or(value).map(Some)
}

fn wrong_param(kind: Kind, message: &str) -> Report {
    Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message).hint(match kind {
        Kind::Vectors | Kind::Texts => {
            "There are metric_type, ef (hnsw) and nprobe (ivf, ivfflat)."
        }
        Kind::Bm25 => "There are index, the name of an index of the column, and metric_type.",
    })
}

/// A number of rows.
///
/// # Errors
/// Where it is not 1..=[`MAX_ROWS`].
pub fn rows(count: i64, what: &str) -> Result<i64, Report> {
    if (1..=MAX_ROWS).contains(&count) {
        return Ok(count);
    }
    let message = format!("{what} [{count}] is invalid, it should be in range [1, {MAX_ROWS}]");
    Err(Report::new(ERRCODE_INVALID_ROW_COUNT_IN_LIMIT_CLAUSE, message)
        .hint("It is the number of rows to return at most."))
}
