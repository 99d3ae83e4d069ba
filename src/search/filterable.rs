//! The columns of a table as filters know them.

use super::column_type;
use super::table::{Table, TableColumn};
use super::text_field::is_analyzed;
use crate::pg::error::Report;

/// What filters on a table may name.
///
/// # Errors
/// Where the name of a type is no text.
pub fn filterable(table: &Table) -> Result<filter::Table, Report> {
    let column = |column: &TableColumn| {
        let is_analyzed = is_analyzed(table, column)?;
        let known = column_type::column(&column.name, column.of, column.of_domain)?;
        Ok(filter::Column { is_analyzed, ..known })
    };
    let columns = table.columns().iter().map(column).collect::<Result<Vec<_>, Report>>()?;
    let functions = &table.extension.1;
    let mut known = filter::Table::new().reader(column_type::read).functions_in(functions);
    known.extend(columns);
    Ok(known)
}
