//! `vector_search`: the rows nearest to a vector.

use super::leg::Search;
use super::request::Request;
use super::statement::{FOUND, Parameters};
use crate::pg::error::Report;

/// What a search gives besides rows.
pub const COLUMNS: &str = "NULL::pg_catalog.float4";

/// The statement that gives rows and scores, `k` after the first `skip`. Rows as near as each other
/// come in the order of the primary key.
///
/// # Errors
/// Where the request does not fit the table.
pub fn statement(
    search: &Search<'_>,
    request: &Request,
    (k, skip): (i64, i64),
    parameters: &mut Parameters,
) -> Result<String, Report> {
    let Some(leg) = search.leg(request, parameters)? else { return Ok(search.nothing(COLUMNS)) };
    let near = leg.k.unwrap_or(i64::MAX).min(k.saturating_add(skip));
    let (row, score) = (search.table.row(FOUND), &leg.score);
    let (page, order) = (search.page(&leg, near, skip, parameters), search.order(&leg));
    Ok(format!("SELECT {row}, {score} FROM ({page}) AS {FOUND} ORDER BY {order}"))
}
