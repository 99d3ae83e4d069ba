//! What a search groups by.

use pgrx::PgSqlErrorCode::{ERRCODE_DATATYPE_MISMATCH, ERRCODE_INVALID_PARAMETER_VALUE};

use super::query::FOUND;
use super::request::MAX_ROWS;
use super::table::Table;
use crate::pg::error::Report;
use crate::pg::function::{Args, Argument};
use crate::pg::numbering::Type;

/// The options of groups, as a call gives them.
pub struct Sizes {
    /// Rows of a group at most.
    pub size: i64,
    /// Whether a search goes on until all groups are full.
    pub strict: bool,
}

impl Argument<'_> for Sizes {
    const COUNT: usize = 2;
    const NULLABLE: bool = true;

    fn take(args: &mut Args) -> Result<Sizes, Report> {
        let size = args.take::<Option<i32>>()?.map_or(1, i64::from);
        let strict = args.take::<Option<bool>>()?.unwrap_or(false);
        if !(1..=MAX_ROWS).contains(&size) {
            let message =
                format!("group_size [{size}] is invalid, it should be in range [1, {MAX_ROWS}]");
            return Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message)
                .hint("It is the number of rows of a group at most."));
        }
        Ok(Sizes { size, strict })
    }
}

/// Groups of a table's rows.
pub struct Grouping {
    /// The value that makes the groups, in a scan.
    pub scanned_value: String,
    /// The same of a row that was found.
    pub found_value: String,
    /// The name of its column there.
    pub found: String,
    /// Its type.
    pub of: Type,
    /// How large groups are.
    pub sizes: Sizes,
}

impl Grouping {
    /// Groups by the column `name`.
    ///
    /// # Errors
    /// Where there is no such column, or its values cannot be told apart.
    pub fn find(table: &Table, name: &str, sizes: Sizes) -> Result<Grouping, Report> {
        let column = table.column(name)?;
        let of = Type::find(column.of, column.collation).ok_or_else(|| {
            let message = format!("unsupported data type of column {name} for group by operator");
            Report::new(ERRCODE_DATATYPE_MISMATCH, message)
                .hint("Group by a column whose values have an order, such as a number or text.")
        })?;
        let (scanned_value, found_value) = (column.scanned_value(), column.found_value(FOUND));
        Ok(Grouping { scanned_value, found_value, found: column.found(), of, sizes })
    }
}

/// The aggregate function that makes the score of a group of those of its rows.
#[derive(Clone, Copy)]
pub struct Scorer(pub &'static str);

impl Argument<'_> for Scorer {
    const NULLABLE: bool = true;

    fn take(args: &mut Args) -> Result<Scorer, Report> {
        let name = args.take::<Option<String>>()?.unwrap_or_else(|| "max".into());
        let known = ["max", "sum", "avg"].into_iter().find(|known| *known == name);
        known.map(Scorer).ok_or_else(|| {
            let message = format!("input group scorer type: {name} is not supported");
            Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message)
                .hint("group_scorer is one of max, sum, avg.")
        })
    }
}
