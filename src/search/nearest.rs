//! The rows that are nearest, in a total order: ties are broken by the primary key.

use std::fmt::Display;

use super::leg::{Leg, Search};
use super::statement::{ALIAS, FOUND, Parameters};

/// The distance of vectors without a direction from any other, as Milvus has it: their score is 0.
const RIGHT_ANGLE: &str = "1::pg_catalog.float8";
/// What the operator has instead, which is greater than any number.
const NO_NUMBER: &str = "'NaN'::pg_catalog.float8";

/// How many rows a query gives, as it writes it.
pub struct Limit {
    rows: String,
    /// A number that is not below, and no parameter.
    planned: Option<i64>,
}

impl Limit {
    /// A number that is part of the query.
    pub fn fixed(rows: i64) -> Limit {
        Limit { rows: rows.to_string(), planned: None }
    }

    /// A parameter, so that one plan serves all numbers. But the planner must know about how many rows
    /// are wanted to choose an index: so plans are made for powers of 2.
    pub fn parameter(rows: i64, parameters: &mut Parameters) -> Limit {
        let power = rows.max(1).unsigned_abs().next_power_of_two();
        let planned = Some(i64::try_from(power).unwrap_or(i64::MAX));
        Limit { rows: parameters.count(rows), planned }
    }
}

impl Search<'_> {
    /// A query for the `limit` nearest rows, and for more that are as near as the last of them where
    /// an index gives the order. Its columns are those of [`Table::found`](super::table::Table) and
    /// `d`, what rows are ordered by.
    ///
    /// An index knows no ties, so that the key decides only when all of them have been read. Without
    /// an index the key is in the order that is sorted by, which keeps no more than `limit` rows.
    pub fn nearest(&self, leg: &Leg, limit: &Limit) -> String {
        let Limit { rows, planned } = limit;
        let (by, direction, ties) = (&leg.by, leg.direction(), self.table.ties_of_scan());
        let scan = self.scan(leg, by);
        match (leg.is_indexed, leg.is_angular) {
            (false, false) => format!("{scan} ORDER BY {by} {direction}, {ties} LIMIT {rows}"),
            (false, true) => {
                let (row, ties) = (self.table.found(FOUND), self.table.ties(FOUND));
                format!(
                    "SELECT {row}, CASE WHEN {FOUND}.d OPERATOR(pg_catalog.=) {NO_NUMBER} \
                     THEN {RIGHT_ANGLE} ELSE {FOUND}.d END AS d \
                     FROM ({scan} OFFSET 0) AS {FOUND} ORDER BY d, {ties} LIMIT {rows}"
                )
            }
            (true, angular) => {
                let first = |rows: &dyn Display| format!("FETCH FIRST {rows} ROWS WITH TIES");
                let ordered = format!("{scan} ORDER BY {by} {direction}");
                let ordered = match planned {
                    None => format!("{ordered} {}", first(rows)),
                    Some(planned) => format!(
                        "SELECT * FROM ({ordered} {}) AS {FOUND} ORDER BY {FOUND}.d {direction} {}",
                        first(planned),
                        first(rows)
                    ),
                };
                if angular { self.with_zeros(leg, &ordered, limit) } else { ordered }
            }
        }
    }

    /// The rows of a query in the order of the cosine distance, with those between them that have no
    /// direction and are in no index. The table is searched for them only where the nearest rows
    /// reach a right angle.
    fn with_zeros(&self, leg: &Leg, ordered: &str, limit: &Limit) -> String {
        let (scan, ties) = (self.scan(leg, RIGHT_ANGLE), self.table.ties_of_scan());
        let is_acute = format!("n.d OPERATOR(pg_catalog.<) {RIGHT_ANGLE}");
        format!(
            "WITH n AS MATERIALIZED ({ordered}) SELECT * FROM n WHERE {is_acute} \
             UNION ALL ({scan} AND {by} OPERATOR(pg_catalog.=) {NO_NUMBER} \
             AND (SELECT pg_catalog.count(*) FROM n WHERE {is_acute}) OPERATOR(pg_catalog.<) {limit} \
             ORDER BY {ties} LIMIT {limit}) \
             UNION ALL SELECT * FROM n WHERE n.d OPERATOR(pg_catalog.>=) {RIGHT_ANGLE} \
             AND n.d OPERATOR(pg_catalog.<) {NO_NUMBER}",
            by = leg.by,
            limit = limit.rows
        )
    }

    /// A query for exactly these rows, without the first `skip`, in their order.
    pub fn page(&self, leg: &Leg, limit: i64, skip: i64, parameters: &mut Parameters) -> String {
        let found = self.nearest(leg, &Limit::parameter(limit, parameters));
        let order = self.order(leg);
        let rest = parameters.count(limit.saturating_sub(skip).max(0));
        let skip = parameters.count(skip);
        format!("SELECT * FROM ({found}) AS {FOUND} ORDER BY {order} LIMIT {rest} OFFSET {skip}")
    }

    /// The statement of a search that has nothing to look for; `columns` is what it gives besides the
    /// row.
    pub fn nothing(&self, columns: &str) -> String {
        let (row, selected, name) =
            (self.table.row(FOUND), self.table.selected(), &self.table.name);
        format!(
            "SELECT {row}, {columns} FROM (SELECT {selected} FROM {name} AS {ALIAS}) AS {FOUND} \
             WHERE false"
        )
    }

    /// The order of rows that were found.
    pub fn order(&self, leg: &Leg) -> String {
        format!("{FOUND}.d {}, {}", leg.direction(), self.table.ties(FOUND))
    }

    fn scan(&self, leg: &Leg, distance: &str) -> String {
        let (columns, name, condition) = (self.table.selected(), &self.table.name, &leg.condition);
        format!("SELECT {columns}, {distance} AS d FROM {name} AS {ALIAS} WHERE {condition}")
    }
}
