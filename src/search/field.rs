//! The column that a leg of a search ranks by, and how.

use std::ffi::CStr;

use pgrx::PgSqlErrorCode::{ERRCODE_DATATYPE_MISMATCH, ERRCODE_INVALID_PARAMETER_VALUE};
use pgrx::pg_sys::{self, Oid};

use super::table::{Table, TableColumn};
use crate::pg::catalog::{operator, type_in, type_name};
use crate::pg::error::Report;
use crate::types::numbers;

/// How vectors are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricType {
    /// Euclidean distance, as a score squared.
    L2,
    /// Inner product.
    Ip,
    /// Cosine of the angle.
    Cosine,
    /// Bits that differ.
    Hamming,
    /// 1 - common bits / bits in either.
    Jaccard,
}

impl MetricType {
    const ALL: [MetricType; 5] = [
        MetricType::L2,
        MetricType::Ip,
        MetricType::Cosine,
        MetricType::Hamming,
        MetricType::Jaccard,
    ];

    /// Milvus's name.
    pub fn name(self) -> &'static str {
        self.names().0
    }

    /// The name, and that of the distance's operator, less of which is nearer.
    fn names(self) -> (&'static str, &'static CStr) {
        match self {
            MetricType::L2 => ("L2", c"<->"),
            MetricType::Ip => ("IP", c"<#>"),
            MetricType::Cosine => ("COSINE", c"<=>"),
            MetricType::Hamming => ("HAMMING", c"<~>"),
            MetricType::Jaccard => ("JACCARD", c"<%>"),
        }
    }

    /// Whether a higher score is nearer.
    pub fn is_similarity(self) -> bool {
        matches!(self, MetricType::Ip | MetricType::Cosine)
    }

    /// The metrics of bits, or of numbers.
    fn of_type(of_bits: bool) -> impl Iterator<Item = MetricType> {
        let is_of_bits = |metric| matches!(metric, MetricType::Hamming | MetricType::Jaccard);
        MetricType::ALL.into_iter().filter(move |&metric| is_of_bits(metric) == of_bits)
    }
}

/// A column of vectors and the metric it is searched by.
pub struct Field<'a> {
    /// The column.
    column: &'a TableColumn,
    /// What makes a vector of type `of` of its values: a cast of `bit varying`.
    cast: String,
    /// The type of vectors that the operator takes.
    pub of: Oid,
    /// How they are compared.
    pub metric: MetricType,
    /// The operator of the distance.
    pub operator: Oid,
    /// Whether an index has the column's rows in the order of their distances.
    pub is_indexed: bool,
    /// Whether only elements that are not zero are stored.
    pub is_sparse: bool,
}

/// What a column holds.
struct Vectors {
    /// The type that operators take.
    of: Oid,
    of_bits: bool,
    sparse: bool,
}

impl<'a> Field<'a> {
    /// The column `name` of a table, compared as `metric` says, or else as the column's indexes do.
    /// Types of vectors and operators are those in the schema `schema`.
    ///
    /// # Errors
    /// Where there is no such column, it holds no vectors, or has no such metric; where no metric
    /// is named and indexes have several.
    pub fn find(
        table: &'a Table,
        name: &str,
        metric: Option<&str>,
        schema: Oid,
    ) -> Result<Field<'a>, Report> {
        let column = table.column(name)?;
        let Vectors { of, of_bits, sparse } = vectors(column, schema).ok_or_else(|| {
            let message = format!("column {name} of table {} holds no vectors", table.name);
            Report::new(ERRCODE_DATATYPE_MISMATCH, message)
                .hint("Name a column of type vector, halfvec, bf16vec, i8vec, sparsevec or bit.")
        })?;
        let operators: Vec<(MetricType, Oid)> = MetricType::of_type(of_bits)
            .filter_map(|metric| Some((metric, operator(schema, metric.names().1, [of, of])?)))
            .collect();
        let indexed = of_indexes(table, column, &operators);
        let metric = match metric {
            Some(name) => named(name, of_bits)?,
            None if indexed.is_empty() && table.is_foreign() => return Err(unknown(table, column)),
            None => agreed(column, &indexed, of_bits)?,
        };
        let operator = operators.iter().find(|&&(of, _)| of == metric);
        let &(_, operator) = operator.ok_or_else(|| {
            Report::internal(format!("column {name} has no operator for {}", metric.name()))
        })?;
        let is_indexed = indexed.contains(&metric);
        let cast = if of == column.of { String::new() } else { format!("::{}", type_name(of)?) };
        Ok(Field { column, cast, of, metric, operator, is_indexed, is_sparse: sparse })
    }

    /// The vector in a scan.
    pub fn scanned(&self) -> String {
        self.exact(self.column.scanned_value())
    }

    /// The vector of a row `owner` that was found.
    pub fn found(&self, owner: &str) -> String {
        self.exact(self.column.found_value(owner))
    }

    fn exact(&self, value: String) -> String {
        format!("{value}{}", self.cast)
    }
}

/// What a column holds; none where it holds no vectors.
fn vectors(column: &TableColumn, schema: Oid) -> Option<Vectors> {
    if [pg_sys::BITOID, pg_sys::VARBITOID].contains(&column.of) {
        return Some(Vectors { of: pg_sys::BITOID, of_bits: true, sparse: false });
    }
    let name = numbers::NAMES.into_iter().find(|name| type_in(schema, name) == Some(column.of))?;
    Some(Vectors { of: column.of, of_bits: false, sparse: name == c"sparsevec" })
}

fn named(name: &str, of_bits: bool) -> Result<MetricType, Report> {
    let mut of_type = MetricType::of_type(of_bits);
    of_type.find(|metric| metric.name().eq_ignore_ascii_case(name)).ok_or_else(|| {
        let names: Vec<&str> = MetricType::of_type(of_bits).map(MetricType::name).collect();
        let message = format!("metric type {name} not found or not supported for the column");
        let hint = format!("Its metrics are {}.", names.join(", "));
        Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message).hint(hint)
    })
}

fn unknown(table: &Table, column: &TableColumn) -> Report {
    let (table, column) = (&table.name, &column.name);
    let message = format!("metric type of column {column} of table {table} is unknown");
    Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message)
        .detail("Rows are on foreign servers, whose indexes are not known here.")
        .hint("Name the metric type: params => '{\"metric_type\": \"COSINE\"}'.")
}

/// The metric that the column's indexes agree on; without an index the usual one.
fn agreed(
    column: &TableColumn,
    indexed: &[MetricType],
    of_bits: bool,
) -> Result<MetricType, Report> {
    match indexed {
        [] if of_bits => Ok(MetricType::Hamming),
        [] => Ok(MetricType::Cosine),
        &[metric] => Ok(metric),
        [first, ..] => {
            let names: Vec<&str> = indexed.iter().map(|metric| metric.name()).collect();
            let message = format!(
                "column {} has indexes of several metrics: {}",
                column.name,
                names.join(", ")
            );
            let hint =
                format!("Choose one: params => '{{\"metric_type\": \"{}\"}}'.", first.name());
            Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message).hint(hint))
        }
    }
}

/// The metrics of the column's indexes, each once.
fn of_indexes(
    table: &Table,
    column: &TableColumn,
    operators: &[(MetricType, Oid)],
) -> Vec<MetricType> {
    let mut metrics: Vec<MetricType> = Vec::new();
    for indexed in table.order_operators(column) {
        let metric = operators.iter().find(|&&(_, operator)| operator == indexed);
        metrics.extend(metric.map(|&(metric, _)| metric).filter(|m| !metrics.contains(m)));
    }
    metrics
}
