//! The column of texts that a leg ranks by BM25, and the index that scores them.

use pgrx::PgSqlErrorCode::{
    ERRCODE_DATATYPE_MISMATCH, ERRCODE_FEATURE_NOT_SUPPORTED, ERRCODE_INVALID_PARAMETER_VALUE,
    ERRCODE_UNDEFINED_OBJECT,
};
use pgrx::pg_sys::{self, Oid};

use super::request::Params;
use super::table::{Table, TableColumn};
use crate::pg::catalog::{operator, type_in, type_name};
use crate::pg::error::Report;
use crate::pg::relation::quoted_if_needed;
use crate::pg::table::Index;

/// A column of texts that has a BM25 index.
pub struct TextField {
    /// The text in a scan, of exactly the type that the operator takes.
    pub text: String,
    /// The operator whose result is the negative score.
    pub operator: Oid,
    /// The name of the type of queries.
    pub query_type: String,
    /// The index.
    pub index: Oid,
}

impl TextField {
    /// The column `name` of a table, scored by the index that `params` name, or by its only one.
    ///
    /// # Errors
    /// If there is no such column, it holds no texts, or has no such index.
    pub fn find(table: &Table, name: &str, params: &Params) -> Result<TextField, Report> {
        check_metric(params)?;
        let column = table.column(name)?;
        let Some(Ranking { of, query, operator }) = Ranking::of(table, column) else {
            let message = format!("column {name} of table {} holds no texts", table.name);
            return Err(Report::new(ERRCODE_DATATYPE_MISMATCH, message)
                .hint("Name a column of type text, varchar, or text[]."));
        };
        if table.is_foreign() {
            let message =
                format!("bm25 cannot search table {}, which has foreign rows", table.name);
            return Err(Report::new(ERRCODE_FEATURE_NOT_SUPPORTED, message)
                .detail("Its scores come from an index on this server.")
                .hint("Use fts() with a tsvector column, or search each server by itself."));
        }
        let indexes = table.indexes_ordered_by(column, operator)?;
        let index = choose(table, column, indexes, params.index.as_deref())?;
        let cast = if of == column.of { String::new() } else { format!("::{}", type_name(of)?) };
        let text = format!("{}{cast}", column.scanned_value());
        Ok(TextField { text, operator, query_type: type_name(query)?, index })
    }
}

/// Whether a column has an index that has split its texts into words.
///
/// # Errors
/// Where a name is no text.
pub fn is_analyzed(table: &Table, column: &TableColumn) -> Result<bool, Report> {
    let Some(ranking) = Ranking::of(table, column) else { return Ok(false) };
    Ok(!table.indexes_ordered_by(column, ranking.operator)?.is_empty())
}

/// How texts are ranked.
struct Ranking {
    /// The type of texts.
    of: Oid,
    /// The type of queries.
    query: Oid,
    /// The operator between both.
    operator: Oid,
}

impl Ranking {
    /// That of a column; none if it holds no texts.
    fn of(table: &Table, column: &TableColumn) -> Option<Self> {
        let (of, schema) = (text_type(column)?, table.extension.0);
        let query = type_in(schema, c"bm25query")?;
        let operator = operator(schema, c"<@>", [of, query])?;
        Some(Self { of, query, operator })
    }
}

/// The type that the operator takes for values of a column; none if they are no texts.
fn text_type(column: &TableColumn) -> Option<Oid> {
    match column.of {
        pg_sys::TEXTOID | pg_sys::VARCHAROID => Some(pg_sys::TEXTOID),
        pg_sys::TEXTARRAYOID => Some(pg_sys::TEXTARRAYOID),
        _ => None,
    }
}

fn check_metric(params: &Params) -> Result<(), Report> {
    match &params.metric {
        Some(metric) if !metric.eq_ignore_ascii_case("BM25") => {
            let message = format!("metric type {metric} not found or not supported for bm25");
            Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message)
                .hint("Its metric is BM25. ann() searches vectors."))
        }
        _ => Ok(()),
    }
}

/// The index called `name`, or the only one.
fn choose(
    table: &Table,
    column: &TableColumn,
    indexes: Vec<Index>,
    name: Option<&str>,
) -> Result<Oid, Report> {
    let (owner, field) = (&table.name, &column.name);
    let names: Vec<&str> = indexes.iter().map(|index| index.name.as_str()).collect();
    let names = names.join(", ");
    let none = |message: String| Report::new(ERRCODE_UNDEFINED_OBJECT, message);
    match (indexes.as_slice(), name) {
        ([], _) => {
            let message = format!("column {field} of table {owner} has no BM25 index");
            let field = quoted_if_needed(field);
            let hint = format!("Create one: CREATE INDEX ON {owner} USING inverted ({field});");
            Err(none(message).hint(hint))
        }
        (_, Some(name)) => {
            let named = indexes.iter().find(|index| index.name == name).map(|index| index.oid);
            named.ok_or_else(|| {
                let message = format!("{name} is not a BM25 index of column {field}");
                none(message).hint(format!("Its BM25 indexes are {names}."))
            })
        }
        ([index], None) => Ok(index.oid),
        ([first, ..], None) => {
            let message = format!("column {field} has several BM25 indexes: {names}");
            let hint = format!("Choose one: params => '{{\"index\": \"{}\"}}'.", first.name);
            Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message).hint(hint))
        }
    }
}
