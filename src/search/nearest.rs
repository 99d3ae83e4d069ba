//! The rows that are nearest, in a total order: ties are broken by the primary key.

use super::leg::{Leg, Search};
use super::parameters::Parameters;
use super::query::{FOUND, Select, function, operator};

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

impl Search {
    /// A query for the `limit` nearest rows, and for more that are as near as the last of them if an
    /// index gives the order. Its columns are those of [`Table::found`](super::table::Table) and `d`,
    /// what rows are ordered by.
    ///
    /// An index knows no ties, so that the key decides only when all of them have been read. Without
    /// an index the key is in the order that is sorted by, which keeps no more than `limit` rows.
    pub fn nearest(&self, leg: &Leg, limit: &Limit) -> String {
        let Limit { rows, planned } = limit;
        let scan = self.scan(leg, &leg.by);
        let by = format!("{} {}", leg.by, leg.direction());
        if leg.is_indexed {
            let ordered = match planned {
                None => scan.order_by(by).limit_with_ties(rows),
                Some(planned) => Select::new("*")
                    .of_query(scan.order_by(by).limit_with_ties(planned))
                    .order_by(format!("{FOUND}.d {}", leg.direction()))
                    .limit_with_ties(rows),
            };
            if leg.is_angular { self.with_zeros(leg, &ordered, rows) } else { ordered.to_string() }
        } else if leg.is_angular {
            let is_zero = operator(format_args!("{FOUND}.d"), "=", NO_NUMBER);
            Select::new(self.table.found(FOUND))
                .column(format!("CASE WHEN {is_zero} THEN {RIGHT_ANGLE} ELSE {FOUND}.d END AS d"))
                .of_query(scan.offset(0))
                .order_by("d")
                .order_by(self.table.ties(FOUND))
                .limit(rows)
                .to_string()
        } else {
            scan.order_by(by).order_by(self.table.ties_of_scan()).limit(rows).to_string()
        }
    }

    /// The rows of a query in the order of the cosine distance, with those between them that have no
    /// direction and are in no index. The table is searched for them only if the nearest rows reach a
    /// right angle.
    fn with_zeros(&self, leg: &Leg, ordered: &Select, limit: &str) -> String {
        let is = |relation: &str, bound: &str| operator("n.d", relation, bound);
        let acute = Select::new("*").from("n").filter(is("<", RIGHT_ANGLE));
        let count = Select::new(function("count", "*")).from("n").filter(is("<", RIGHT_ANGLE));
        let zeros = self
            .scan(leg, RIGHT_ANGLE)
            .filter(operator(&leg.by, "=", NO_NUMBER))
            .filter(operator(format_args!("({count})"), "<", limit))
            .order_by(self.table.ties_of_scan())
            .limit(limit);
        let others =
            Select::new("*").from("n").filter(is(">=", RIGHT_ANGLE)).filter(is("<", NO_NUMBER));
        format!("WITH n AS MATERIALIZED ({ordered}) {acute} UNION ALL ({zeros}) UNION ALL {others}")
    }

    /// The statement that gives rows and scores. Ties are broken by the primary key.
    pub fn ranking(&self, leg: &Leg, parameters: &mut Parameters) -> Select {
        let page = self.page(leg, self.wanted(leg), self.options.page.skip, parameters);
        let rows = Select::new(self.table.row(FOUND)).column(&leg.score).of_query(page);
        rows.order_by(self.order(leg))
    }

    /// A query for exactly these rows, without the first `skip`, in their order.
    pub fn page(&self, leg: &Leg, limit: i64, skip: i64, parameters: &mut Parameters) -> Select {
        let found = self.nearest(leg, &Limit::parameter(limit, parameters));
        let rest = parameters.count(limit.saturating_sub(skip).max(0));
        let skip = parameters.count(skip);
        Select::new("*").of_query(found).order_by(self.order(leg)).limit(rest).offset(skip)
    }

    /// The statement of a search that has nothing to look for; `columns` is what it gives besides the
    /// row.
    pub fn nothing(&self, columns: &str) -> String {
        let rows = Select::new(self.table.selected()).of_table(&self.table.name);
        Select::new(self.table.row(FOUND))
            .column(columns)
            .of_query(rows)
            .filter("false")
            .to_string()
    }

    /// The order of rows that were found.
    pub fn order(&self, leg: &Leg) -> String {
        format!("{FOUND}.d {}, {}", leg.direction(), self.table.ties(FOUND))
    }

    fn scan(&self, leg: &Leg, distance: &str) -> Select {
        let scan = Select::new(self.table.selected()).column(format!("{distance} AS d"));
        leg.conditions.iter().fold(scan.of_table(&self.table.name), Select::filter)
    }
}
