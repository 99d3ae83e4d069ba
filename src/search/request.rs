//! Requests: what one leg of a search looks for, as `ann` and `fts` write it.

use pgrx::PgSqlErrorCode::{
    ERRCODE_INVALID_PARAMETER_VALUE, ERRCODE_INVALID_ROW_COUNT_IN_LIMIT_CLAUSE,
};
use serde_json::Value;

use super::stored::Stored;
use crate::pg::error::Report;
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
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Vectors.
    Vectors,
    /// Texts, as `tsvector`.
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
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// Where it is none that `ann` or `fts` writes.
    pub fn read(request: Stored) -> Result<Request, Report> {
        let Stored { head: request, query } = request;
        let text = |key| request.get(key).and_then(Value::as_str).map(str::to_owned);
        let kind = match request.get("kind").and_then(Value::as_str) {
            Some("ann") => Kind::Vectors,
            Some("fts") => Kind::Texts,
            Some(_) | None => return Err(malformed()),
        };
        let k = request.get("k").and_then(Value::as_i64);
        Ok(Request {
            kind,
            field: text("field").ok_or_else(malformed)?,
            query,
            k: k.map(|k| rows(k, "k of a request")).transpose()?,
            filter: text("filter"),
            params: Params::read(request.get("params"))?,
        })
    }
}

impl Params {
    fn read(params: Option<&Value>) -> Result<Params, Report> {
        let mut read = Params::default();
        let empty = serde_json::Map::new();
        let params = match params {
            None | Some(Value::Null) => &empty,
            Some(Value::Object(params)) => params,
            Some(_) => return Err(wrong_param("params of a request must be an object")),
        };
        for (key, value) in params {
            let number = || {
                let positive = value.as_i64().filter(|&number| number > 0);
                positive
                    .ok_or_else(|| wrong_param(&format!("{key} must be a number above 0: {value}")))
            };
            match key.as_str() {
                "metric_type" => read.metric = value.as_str().map(str::to_owned),
                "ef" => read.ef = Some(number()?),
                "nprobe" => read.nprobe = Some(number()?),
                "radius" | "range_filter" => {
                    let message = format!("{key} is no parameter of a request");
                    return Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message)
                        .hint("It is an argument of range_search."));
                }
                _ => return Err(wrong_param(&format!("unknown search parameter {key}"))),
            }
        }
        Ok(read)
    }
}

/// What is no request.
pub fn malformed() -> Report {
    Report::new(ERRCODE_INVALID_PARAMETER_VALUE, "not a search request")
        .hint("Requests are made by ann(field, query) and fts(field, query).")
}

fn wrong_param(message: &str) -> Report {
    Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message)
        .hint("There are metric_type, ef (hnsw) and nprobe (ivf, ivfflat).")
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
