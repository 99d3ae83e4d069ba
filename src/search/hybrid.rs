//! `hybrid_search`: one ranking of several searches.

use super::leg::{Leg, Search};
use super::ranker::Ranker;
use super::request::Request;
use super::statement::{ALIAS, Parameters};
use crate::pg::error::Report;

/// The statement that gives rows, scores, and what each leg has of them, `k` after the first `skip`.
/// Rows of one score come in the order of the primary key.
///
/// # Errors
/// Where a request does not fit the table.
pub fn statement(
    search: &Search<'_>,
    requests: &[Request],
    ranker: &Ranker,
    (k, skip): (i64, i64),
    parameters: &mut Parameters,
) -> Result<String, Report> {
    let (name, row) = (&search.table.name, search.table.row());
    let legs: Vec<Option<Leg>> =
        requests.iter().map(|request| search.leg(request, parameters)).collect::<Result<_, _>>()?;
    let usual = k.saturating_add(skip);
    let found: Vec<String> = (1..)
        .zip(&legs)
        .filter_map(|(number, leg)| Some(found(search, number, leg.as_ref()?, ranker, usual)))
        .collect();
    if found.is_empty() {
        let nothing = "NULL::pg_catalog.float4, NULL::pg_catalog.int4[], NULL::pg_catalog.float4[]";
        return Ok(format!("SELECT {row}, {nothing} FROM {name} AS {ALIAS} WHERE false"));
    }
    let Merged { columns, score, ranks, scores } = merged(search, &legs, ranker);
    let key = keys(search);
    let (found, columns) = (found.join(" UNION ALL "), columns.join(", "));
    let ties =
        |owner: &str| -> String { key.iter().map(|(_, k)| format!(", {owner}{k}")).collect() };
    Ok(format!(
        "SELECT {row}, f.score, {ranks}, {scores} FROM (\
         SELECT *, {score} AS score FROM (\
         SELECT o, c{group}, {columns} FROM ({found}) AS l GROUP BY o, c{group}) AS m \
         ORDER BY score DESC{group} LIMIT {k} OFFSET {skip}) AS f \
         JOIN {name} AS {ALIAS} ON {ALIAS}.ctid OPERATOR(pg_catalog.=) f.c \
         AND {ALIAS}.tableoid OPERATOR(pg_catalog.=) f.o \
         ORDER BY f.score DESC{last}",
        group = ties(""),
        last = ties("f."),
    ))
}

/// The columns of the primary key, and what they are called on the way.
fn keys(search: &Search<'_>) -> Vec<(String, String)> {
    let key = search.table.key().into_iter();
    key.enumerate().map(|(i, column)| (column, format!("k{i}"))).collect()
}

/// The places of the rows that a leg finds, with their ranks, and scores where the ranker looks at
/// them.
fn found(search: &Search<'_>, number: usize, leg: &Leg, ranker: &Ranker, usual: i64) -> String {
    let Leg { by, score, condition, .. } = leg;
    let (direction, k, name) = (leg.direction(), leg.k.unwrap_or(usual), &search.table.name);
    let score = if ranker.by_scores() { score } else { "NULL::pg_catalog.float4" };
    let key: String =
        keys(search).iter().map(|(column, k)| format!(", {ALIAS}.{column} AS {k}")).collect();
    format!(
        "(SELECT {number} AS leg, {ALIAS}.tableoid AS o, {ALIAS}.ctid AS c{key}, \
         pg_catalog.row_number() OVER (ORDER BY {by} {direction}) AS r, {score} AS s \
         FROM {name} AS {ALIAS} WHERE {condition} ORDER BY {by} {direction} LIMIT {k})"
    )
}

/// How rows are made of what legs have found.
struct Merged {
    /// Ranks and scores of each leg.
    columns: Vec<String>,
    /// The score of a row.
    score: String,
    /// Its ranks, as an array.
    ranks: String,
    /// Its scores, as an array.
    scores: String,
}

fn merged(search: &Search<'_>, legs: &[Option<Leg>], ranker: &Ranker) -> Merged {
    let (mut columns, mut parts) = (Vec::new(), Vec::new());
    let (mut ranks, mut scores) = (Vec::new(), Vec::new());
    for (i, leg) in legs.iter().enumerate() {
        let Some(leg) = leg else {
            ranks.push("NULL".into());
            scores.push("NULL".into());
            continue;
        };
        let (rank, score) = (format!("r{i}"), format!("s{i}"));
        let of_leg = format!("FILTER (WHERE leg OPERATOR(pg_catalog.=) {})", i + 1);
        columns.push(format!("pg_catalog.max(r) {of_leg} AS {rank}"));
        if ranker.by_scores() {
            columns.push(format!("pg_catalog.max(s) {of_leg} AS {score}"));
        }
        let part = ranker.part(i, leg, &search.schema.1, &rank, &score);
        parts.push(format!("COALESCE({part}, 0::pg_catalog.float4)"));
        ranks.push(format!("f.{rank}"));
        scores.push(format!("CASE WHEN f.{rank} IS NOT NULL THEN {} END", leg.score));
    }
    Merged {
        columns,
        score: format!("({})", parts.join(" OPERATOR(pg_catalog.+) ")),
        ranks: format!("ARRAY[{}]::pg_catalog.int4[]", ranks.join(", ")),
        scores: format!("ARRAY[{}]::pg_catalog.float4[]", scores.join(", ")),
    }
}
