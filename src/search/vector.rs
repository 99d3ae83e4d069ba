//! `vector_search`: the rows nearest to a vector.

use super::leg::{Leg, Search};
use super::request::Request;
use super::statement::{ALIAS, Parameters};
use crate::pg::error::Report;

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
    let (name, row) = (&search.table.name, search.table.row());
    let Some(leg) = search.leg(request, parameters)? else { return Ok(nothing(search)) };
    let Leg { by, score, condition, .. } = &leg;
    let direction = leg.direction();
    let near = leg.k.unwrap_or(i64::MAX).min(k.saturating_add(skip));
    let ties: String =
        search.table.key().iter().map(|column| format!(", {ALIAS}.{column}")).collect();
    Ok(format!(
        "SELECT {row}, {score} FROM (\
         SELECT {ALIAS}.tableoid AS o, {ALIAS}.ctid AS c, {by} AS d \
         FROM {name} AS {ALIAS} WHERE {condition} ORDER BY {by} {direction} LIMIT {near}) AS f \
         JOIN {name} AS {ALIAS} ON {ALIAS}.ctid OPERATOR(pg_catalog.=) f.c \
         AND {ALIAS}.tableoid OPERATOR(pg_catalog.=) f.o \
         ORDER BY f.d {direction}{ties} LIMIT {k} OFFSET {skip}"
    ))
}

/// The statement of a search that has nothing to look for.
pub fn nothing(search: &Search<'_>) -> String {
    let (name, row) = (&search.table.name, search.table.row());
    format!("SELECT {row}, NULL::pg_catalog.float4 FROM {name} AS {ALIAS} WHERE false")
}
