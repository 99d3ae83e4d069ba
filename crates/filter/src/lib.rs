//! Milvus's filter expressions, translated to SQL conditions.
//!
//! A filter is a text such as `price < 50 and color in ["red", "blue"]`. It becomes a condition in
//! three steps, none of which knows a server:
//!
//! 1. [`parse`] reads the text by Milvus's grammar (lexical rules, precedence) and knows no table.
//! 2. [`Filter::bind`] finds its fields among the columns of a [`Table`], gives its templates their
//!    values and checks the types.
//! 3. [`Condition::to_sql`] writes SQL and hands out the parameters of it.
//!
//! ```
//! use filter::{Kind, Scalar, Table, Templates};
//!
//! let table = Table::new()
//!     .column("price", Kind::Scalar(Scalar::Float8))
//!     .column("tags", Kind::Array(Scalar::Text));
//! let filter = filter::parse("price < 50 and not array_contains(tags, 'sold')")?;
//! let sql = filter.bind(&table, &Templates::new())?.to_sql("t", 1)?;
//! assert_eq!(
//!     sql.text,
//!     r#"((t."price" OPERATOR(pg_catalog.<) $1::pg_catalog.float8) AND "#.replace("t.", "\"t\".")
//!         + r#"(NOT ("t"."tags" OPERATOR(pg_catalog.@>) $2::pg_catalog.text[])))"#
//! );
//! assert_eq!(sql.parameters[1].text(), r#"{"sold"}"#);
//! # Ok::<(), filter::Error>(())
//! ```
//!
//! # Safety
//! The SQL is made of names of columns that the table has, quoted, of `$n` with casts, and of
//! operators and functions of `pg_catalog` by their full names. What a user wrote is in the
//! parameters only. Nothing in it can read another row or table, write, or call a function of a
//! user's.
//!
//! # Meaning
//! Milvus 3.0 is followed: a filter that Milvus accepts means the same here.
//!
//! * **Unknown is not false.** Comparisons with null are unknown, `not` leaves unknown as it is,
//!   `and` and `or` are Kleene's; rows for which the filter is true are selected. A value in a
//!   document that is missing, null or of a type that does not fit the constant makes all tests of
//!   it unknown, `!=`, `not in` and `!~` too. An element beyond the end of an array is null.
//! * `exists` and `is null` are never unknown. A path exists when there is more at its end than null
//!   and empty containers; `is null` of a path is the opposite.
//! * **Numbers.** `5 == 5.0` in documents. Constants for a column of integers are integers; for one of
//!   `real` they are rounded to that. Integers divided give an integer, rounded towards 0. Integers
//!   do not overflow.
//! * **Texts** have the order of their bytes, whatever the collation of the column.
//! * `like` is SQL's. Regular expressions are RE2's and match a part of the text; a dot matches a line
//!   end. In quotes, two backslashes are one.
//! * `text_match` and `phrase_match` split texts where Milvus's analyzer `standard` does: at every
//!   character that is no letter and no digit. An index on `standard_tsvector(column)` serves them.
//! * Values of types that Milvus does not have are written as strings, which the type reads.
//! * `random_sample` draws each row on its own, in each execution anew.
//!
//! More is accepted than in Milvus: white space within `is null` and before `[`, names of
//! functions in any case, operators on bits between constants, two ISO bounds of a range.
//!
//! Not translated: fields of struct arrays, geometry, `match_*`, `element_filter`,
//! `membership_match`.

// Typing picks the few combinations of nodes, types and operators that mean something: naming all
// the others, which are errors, would hide these.
#![allow(clippy::wildcard_enum_match_arm)]

mod error;
mod limits;
mod lower;
mod parameter;
mod sql;
mod syntax;
mod table;
mod translate;
mod value;

use std::collections::HashMap;

pub use error::{Error, ErrorKind};
pub use limits::{MAX_DEPTH, MAX_LIST, MAX_PARAMETERS, MAX_TEXT};
pub use parameter::{Parameter, ParameterType};
pub use sql::Fragment;
pub use table::{Column, DYNAMIC, Kind, Reader, Scalar, Table};
pub use translate::text_search::tokens;
pub use value::Value;

use sql::Sql;

/// Values of template variables, `{name}` in a filter, by their names.
pub type Templates = HashMap<String, Value>;

/// A filter, as its text says it.
#[derive(Clone, Debug)]
pub struct Filter {
    text: String,
    /// `None` for a filter that says nothing.
    expr: Option<syntax::Expr>,
}

/// Reads a filter. A text of nothing but white space is the filter that all rows match.
///
/// # Errors
/// When the text is not of the language, or beyond a limit of size.
pub fn parse(text: &str) -> Result<Filter, Error> {
    Ok(Filter { text: text.into(), expr: syntax::parse(text)? })
}

impl Filter {
    /// Types the filter for rows of `table`.
    ///
    /// # Errors
    /// When a field or a template is unknown, types do not go together, or part of the filter is not
    /// supported. Positions are those of the filter's text.
    pub fn bind(&self, table: &Table, templates: &Templates) -> Result<Condition, Error> {
        let (sql, samples) = match &self.expr {
            Some(expr) => lower::lower(&self.text, expr, table, templates)?,
            None => (Sql::Constant(true), false),
        };
        Ok(Condition { sql, samples })
    }
}

/// A filter for the rows of one table.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    sql: Sql,
    samples: bool,
}

impl Condition {
    /// Whether all rows match, whatever they hold. Milvus refuses to delete by such a filter.
    pub fn is_always_true(&self) -> bool {
        self.sql == Sql::Constant(true)
    }

    /// Whether the condition draws a random sample, so that it means something else each time.
    pub fn is_random(&self) -> bool {
        self.samples
    }

    /// Writes the condition in SQL, for rows that the statement knows as `alias`. Parameters are
    /// numbered from `first` on; those before are the caller's.
    ///
    /// # Errors
    /// When a statement cannot have so many parameters.
    pub fn to_sql(&self, alias: &str, first: usize) -> Result<Fragment, Error> {
        sql::write(&self.sql, alias, first)
    }
}
