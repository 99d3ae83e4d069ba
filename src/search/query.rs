//! `SELECT` statements as values, of parts that are SQL already.
//!
//! A statement is made of names from the catalog, quoted, of parameters, and of functions and
//! operators by their full names: [`operator`] and [`function`] write those of PostgreSQL.

use std::fmt::{Display, Formatter, Result};

/// What a scan knows the rows of the table as.
pub const ALIAS: &str = "t";
/// What a statement knows rows as that another has found.
pub const FOUND: &str = "f";

/// A `SELECT`.
#[derive(Clone, Default)]
pub struct Select {
    columns: Vec<String>,
    source: String,
    conditions: Vec<String>,
    window: Option<String>,
    order: Vec<String>,
    page: String,
}

impl Select {
    /// Selects these columns.
    pub fn new(columns: impl Into<String>) -> Select {
        Select { columns: vec![columns.into()], ..Select::default() }
    }

    /// And this one.
    pub fn column(mut self, column: impl Into<String>) -> Select {
        self.columns.push(column.into());
        self
    }

    /// From any source of rows.
    pub fn from(mut self, source: impl Into<String>) -> Select {
        self.source = source.into();
        self
    }

    /// From a table, as [`ALIAS`]; its name is quoted.
    pub fn of_table(self, name: &str) -> Select {
        self.from(format!("{name} AS {ALIAS}"))
    }

    /// From the rows of another statement, as [`FOUND`].
    pub fn of_query(self, query: impl Display) -> Select {
        self.from(format!("({query}) AS {FOUND}"))
    }

    /// Only rows that fulfill a condition, beside those before.
    pub fn filter(mut self, condition: impl Into<String>) -> Select {
        self.conditions.push(condition.into());
        self
    }

    /// Defines the window `w`.
    pub fn window(mut self, window: String) -> Select {
        self.window = Some(window);
        self
    }

    /// In this order, after the orders before.
    pub fn order_by(mut self, key: impl Into<String>) -> Select {
        self.order.push(key.into());
        self
    }

    /// At most so many rows.
    pub fn limit(mut self, rows: impl Display) -> Select {
        self.page.push_str(&format!(" LIMIT {rows}"));
        self
    }

    /// Without so many rows before the first.
    pub fn offset(mut self, rows: impl Display) -> Select {
        self.page.push_str(&format!(" OFFSET {rows}"));
        self
    }

    /// So many rows, and those that are equal to the last in order.
    pub fn limit_with_ties(mut self, rows: impl Display) -> Select {
        self.page.push_str(&format!(" FETCH FIRST {rows} ROWS WITH TIES"));
        self
    }
}

impl Display for Select {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "SELECT {} FROM {}", self.columns.join(", "), self.source)?;
        if !self.conditions.is_empty() {
            write!(f, " WHERE {}", self.conditions.join(" AND "))?;
        }
        if let Some(window) = &self.window {
            write!(f, " WINDOW w AS ({window})")?;
        }
        if !self.order.is_empty() {
            write!(f, " ORDER BY {}", self.order.join(", "))?;
        }
        f.write_str(&self.page)
    }
}

/// An operator of PostgreSQL between two expressions.
pub fn operator(left: impl Display, operator: &str, right: impl Display) -> String {
    format!("{left} OPERATOR(pg_catalog.{operator}) {right}")
}

/// A call of a function of PostgreSQL.
pub fn function(name: &str, arguments: impl Display) -> String {
    format!("pg_catalog.{name}({arguments})")
}

/// A constant of a type of PostgreSQL.
pub fn constant(text: &str, of: &str) -> String {
    format!("'{text}'::pg_catalog.{of}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_come_in_the_order_of_sql() {
        let inner = Select::new("a").of_table("\"t\"").limit(2).offset(1);
        let query = Select::new("*")
            .of_query(inner)
            .order_by("f.a")
            .order_by("f.b DESC")
            .limit_with_ties(3)
            .window("PARTITION BY f.a".into())
            .filter(operator("f.a", "<", "$1"))
            .filter("true");
        assert_eq!(
            query.to_string(),
            "SELECT * FROM (SELECT a FROM \"t\" AS t LIMIT 2 OFFSET 1) AS f \
             WHERE f.a OPERATOR(pg_catalog.<) $1 AND true WINDOW w AS (PARTITION BY f.a) \
             ORDER BY f.a, f.b DESC FETCH FIRST 3 ROWS WITH TIES"
        );
    }
}
