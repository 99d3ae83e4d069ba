//! `grouped_search`: the nearest groups of rows.

use super::leg::{Leg, Search};
use super::statement::{ALIAS, Parameters};
use crate::pg::spi::Place;

/// The statement that gives the rows of groups that were found, with scores, numbers of groups and
/// numbers in groups; the first groups are left out as the call says.
pub fn statement(
    search: &Search<'_>,
    leg: &Leg,
    groups: &[Vec<Place>],
    parameters: &mut Parameters,
) -> String {
    let (name, row, (_, skip)) = (&search.table.name, search.table.row(), search.options.page);
    let skipped = groups.len().min(usize::try_from(skip).unwrap_or(usize::MAX));
    let found = parameters.groups(&groups[skipped..], skip.saturating_add(1));
    format!(
        "SELECT {row}, {score}, u.g, u.n FROM {found} \
         JOIN {name} AS {ALIAS} ON {ALIAS}.ctid OPERATOR(pg_catalog.=) u.c \
         AND {ALIAS}.tableoid OPERATOR(pg_catalog.=) u.o ORDER BY u.g, u.n",
        score = leg.score
    )
}

/// The statement of a search that has nothing to look for.
pub fn nothing(search: &Search<'_>) -> String {
    let (name, row) = (&search.table.name, search.table.row());
    let (score, number) = ("NULL::pg_catalog.float4", "NULL::pg_catalog.int4");
    format!("SELECT {row}, {score}, {number}, {number} FROM {name} AS {ALIAS} WHERE false")
}
