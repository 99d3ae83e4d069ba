//! The rows that are nearest, in a total order: ties are broken by the primary key.

use super::leg::{Leg, Search};
use super::parameters::Parameters;
use super::query::{FOUND, Select, function, operator};

/// Milvus's cosine distance between a zero vector and any other vector: the score is 0.
pub const RIGHT_ANGLE: &str = "1::pg_catalog.float8";
/// The operator's result, which sorts after all numbers.
pub const NO_NUMBER: &str = "'NaN'::pg_catalog.float8";

/// The number of rows of a query, as SQL.
pub struct Limit {
    rows: String,
    count: i64,
    is_parameter: bool,
}

impl Limit {
    /// A constant.
    pub fn fixed(rows: i64) -> Limit {
        Limit { rows: rows.to_string(), count: rows, is_parameter: false }
    }

    /// A parameter, so that a plan can be used for other numbers. To choose an index, the planner
    /// must know the approximate number, so the query also contains the next power of 2.
    pub fn parameter(rows: i64, parameters: &mut Parameters) -> Limit {
        Limit { rows: parameters.count(rows), count: rows, is_parameter: true }
    }

    /// The number in a statement.
    pub fn rows(&self) -> &str {
        &self.rows
    }

    /// The number.
    pub fn count(&self) -> i64 {
        self.count
    }

    /// A constant that is at least as large, if the number is a parameter.
    fn planned(&self) -> Option<i64> {
        let power = self.count.max(1).unsigned_abs().next_power_of_two();
        self.is_parameter.then(|| i64::try_from(power).unwrap_or(i64::MAX))
    }
}

impl Search {
    /// A query for the `limit` nearest rows and, if an index provides the order, those at the same
    /// distance as the last. Its columns are those of [`Table::found`](super::table::Table) and
    /// `d`, the distance.
    ///
    /// An index does not order ties, so all rows of a tie are read before the key decides. Without
    /// an index, the key is part of the sort, which then keeps at most `limit` rows.
    pub fn nearest(&self, leg: &Leg, limit: &Limit) -> String {
        match &leg.parts {
            Some(parts) => self.nearest_of_parts(leg, parts, limit),
            None => self.nearest_of_table(leg, limit),
        }
    }

    /// The same, from the table as a whole.
    pub fn nearest_of_table(&self, leg: &Leg, limit: &Limit) -> String {
        let rows = limit.rows();
        let scan = self.scan(&self.table.name, leg, &leg.by);
        let by = format!("{} {}", leg.by, leg.direction());
        if leg.is_indexed {
            let ordered = self.nearest_of_index(leg, limit);
            match &leg.bound {
                _ if leg.is_angular => {
                    let zeros = self.scan(&self.table.name, leg, RIGHT_ANGLE);
                    let zeros = zeros.filter(operator(&leg.by, "=", NO_NUMBER));
                    self.with_zeros(&ordered, zeros, self.table.ties_of_scan(), limit)
                }
                Some(bound) => Select::new("*").of_query(ordered).filter(bound).to_string(),
                None => ordered.to_string(),
            }
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

    /// The `limit` nearest rows that an index of the table provides, and those at the same distance as the
    /// last.
    pub fn nearest_of_index(&self, leg: &Leg, limit: &Limit) -> Select {
        let rows = limit.rows();
        let scan = self.scan(&self.table.name, leg, &leg.by);
        let scan = scan.order_by(format!("{} {}", leg.by, leg.direction()));
        match limit.planned() {
            None => scan.limit_with_ties(rows),
            Some(planned) => Select::new("*")
                .of_query(scan.limit_with_ties(planned))
                .order_by(format!("{FOUND}.d {}", leg.direction()))
                .limit_with_ties(rows),
        }
    }

    /// Adds zero vectors, which are in no index and which `zeros` finds, to the rows of a query in the
    /// order of the cosine distance. They are looked for only if fewer than `limit` rows are nearer.
    pub fn with_zeros(
        &self,
        ordered: &Select,
        zeros: Select,
        ties: String,
        limit: &Limit,
    ) -> String {
        let limit = limit.rows();
        let is = |relation: &str, bound: &str| operator("n.d", relation, bound);
        let acute = Select::new("*").from("n").filter(is("<", RIGHT_ANGLE));
        let count = Select::new(function("count", "*")).from("n").filter(is("<", RIGHT_ANGLE));
        let zeros = zeros
            .filter(operator(format_args!("({count})"), "<", limit))
            .order_by(ties)
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

    /// A query for the `limit` nearest rows without the first `skip`, in a total order.
    pub fn page(&self, leg: &Leg, limit: i64, skip: i64, parameters: &mut Parameters) -> Select {
        let found = self.nearest(leg, &Limit::parameter(limit, parameters));
        let rest = parameters.count(limit.saturating_sub(skip).max(0));
        let skip = parameters.count(skip);
        Select::new("*").of_query(found).order_by(self.order(leg)).limit(rest).offset(skip)
    }

    /// The statement of a search without a query; `columns` are those besides the row.
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

    /// Reads the rows of a leg from the table, or from a part, called `name`.
    pub fn scan(&self, name: &str, leg: &Leg, distance: &str) -> Select {
        let scan = Select::new(self.table.selected()).column(format!("{distance} AS d"));
        leg.conditions.iter().fold(scan.of_table(name), Select::filter)
    }
}
