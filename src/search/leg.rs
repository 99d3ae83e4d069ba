//! One leg of a search: the rows that a request finds, nearest first.

use pgrx::PgSqlErrorCode::ERRCODE_DATATYPE_MISMATCH;
use pgrx::pg_sys::{self, Oid};

use super::arguments::Options;
use super::field::{Field, MetricType};
use super::filterable::filterable;
use super::filtering;
use super::parameters::Parameters;
use super::query::{FOUND, constant, function, operator};
use super::request::{Kind, Request};
use super::scores::ScoreType;
use super::table::Table;
use super::text_field::TextField;
use crate::pg::catalog::{apply, operator_name, type_name};
use crate::pg::error::Report;
use crate::pg::parameter::Parameter;

/// A leg as parts of a statement.
#[derive(Clone)]
pub struct Leg {
    /// The distance or similarity that a scan orders by.
    pub by: String,
    /// Whether it is a similarity: the nearest rows have the largest.
    pub descending: bool,
    /// Milvus's score of a row [`FOUND`], with the distance `d` if [`Self::by_distance`] is set.
    pub score: String,
    /// Whether the score is computed from the distance, not from the row.
    pub by_distance: bool,
    /// What the score means.
    pub score_type: ScoreType,
    /// The conditions of a scan.
    pub conditions: Vec<String>,
    /// Whether an index, here or on another server, may provide the order, except among ties.
    pub is_indexed: bool,
    /// Whether it is the cosine distance, which is NaN for zero vectors.
    pub is_angular: bool,
    /// A condition on rows [`FOUND`] that only the farthest rows of all do not fulfill.
    pub bound: Option<String>,
    /// Most rows, if the request sets it.
    pub k: Option<i64>,
    /// The names of the tables to search one by one, quoted, if not the table as a whole.
    pub parts: Option<Vec<String>>,
}

impl Leg {
    /// The direction of the order in SQL.
    pub fn direction(&self) -> &'static str {
        if self.descending { "DESC" } else { "ASC" }
    }
}

/// What all legs of a search share.
pub struct Search {
    /// The table.
    pub table: Table,
    /// The options of the call.
    pub options: Options,
}

impl Search {
    /// Number of rows, or groups, to find by a leg, those to be skipped included.
    pub fn wanted(&self, leg: &Leg) -> i64 {
        leg.k.unwrap_or(i64::MAX).min(self.options.page.end())
    }

    /// The leg of a request; none if it has no query.
    ///
    /// # Errors
    /// Where the request does not fit the table.
    pub fn leg(
        &self,
        request: &Request,
        parameters: &mut Parameters,
    ) -> Result<Option<Leg>, Report> {
        let Some(query) = &request.query else { return Ok(None) };
        let mut leg = match request.kind {
            Kind::Vectors => self.by_vectors(request, query, parameters)?,
            Kind::Bm25 => self.by_bm25(request, query, parameters)?,
            Kind::Texts => self.by_texts(request, query, parameters)?,
        };
        let filters: Vec<&String> = self.options.filter.iter().chain(&request.filter).collect();
        for filter in &filters {
            let (table, templates) = (filterable(&self.table)?, &self.options.templates);
            let condition = filtering::condition(filter, &table, templates, parameters)?;
            leg.conditions.push(format!("({condition})"));
        }
        leg.k = request.k;
        leg.parts = self.parts(&leg.conditions, !filters.is_empty(), parameters)?;
        Ok(Some(leg))
    }

    fn by_vectors(
        &self,
        request: &Request,
        query: &Parameter,
        parameters: &mut Parameters,
    ) -> Result<Leg, Report> {
        let (oid, schema) = &self.table.extension;
        let metric = request.params.metric.as_deref();
        let field = Field::find(&self.table, &request.field, metric, *oid)?;
        let query = parameters.query(field.of, type_name(field.of)?, query)?;
        let (vector, operator, metric) =
            (field.scanned(), operator_name(field.operator)?, field.metric);
        let may_be_ordered = field.is_indexed || self.table.is_foreign();
        let is_angular = metric == MetricType::Cosine;
        let is_zero = is_angular && is_zero(parameters, field.operator)?;
        // As in Milvus, a row that shares no index with the query is not found by the inner
        // product.
        let condition = if field.is_sparse && metric == MetricType::Ip {
            format!("{schema}.sparsevec_overlap({vector}, {query})")
        } else {
            format!("{vector} IS NOT NULL")
        };
        Ok(Leg {
            by: format!("{vector} {operator} {query}"),
            descending: false,
            score: format!(
                "{schema}.vector_score({}, {query}, '{}'::pg_catalog.text)",
                field.found(FOUND),
                metric.name()
            ),
            by_distance: false,
            score_type: ScoreType::Metric(metric),
            conditions: vec![condition],
            is_indexed: may_be_ordered && !is_zero,
            is_angular,
            bound: None,
            k: None,
            parts: None,
        })
    }

    /// Texts that share words with the query. The operator gives the negative score, 0 for a text
    /// without any of its words, so that an index can return the best texts first.
    fn by_bm25(
        &self,
        request: &Request,
        query: &Parameter,
        parameters: &mut Parameters,
    ) -> Result<Leg, Report> {
        let schema = &self.table.extension.1;
        let field = TextField::find(&self.table, &request.field, &request.params)?;
        let query = parameters.query(pg_sys::TEXTOID, "pg_catalog.text".into(), query)?;
        let (text, by, query_type) = (field.text, operator_name(field.operator)?, field.query_type);
        // By its OID, in the text of the statement, because a plan depends on it.
        let index = constant(&field.index.to_u32().to_string(), "regclass");
        Ok(Leg {
            by: format!("{text} {by} ROW({index}, {query})::{query_type}"),
            descending: false,
            score: format!("{schema}.as_score(OPERATOR(pg_catalog.-) {FOUND}.d)"),
            by_distance: true,
            score_type: ScoreType::Text,
            conditions: Vec::new(),
            is_indexed: true,
            is_angular: false,
            bound: Some(operator(format_args!("{FOUND}.d"), "<", constant("0", "float8"))),
            k: None,
            parts: None,
        })
    }

    fn by_texts(
        &self,
        request: &Request,
        query: &Parameter,
        parameters: &mut Parameters,
    ) -> Result<Leg, Report> {
        let column = self.table.column(&request.field)?;
        if column.of != pg_sys::TSVECTOROID {
            let message = format!("column {} is not of type tsvector", column.name);
            let hint = "Add a column GENERATED ALWAYS AS (to_tsvector('english', …)) STORED, \
                        with a gin index.";
            return Err(Report::new(ERRCODE_DATATYPE_MISMATCH, message).hint(hint));
        }
        let kind = "pg_catalog.tsquery".to_owned();
        let query = parameters.query(pg_sys::TSQUERYOID, kind, query)?;
        let words = column.scanned_value();
        let rank = |words: &str| function("ts_rank", format_args!("{words}, {query}"));
        Ok(Leg {
            by: rank(&words),
            descending: true,
            score: rank(&column.found_value(FOUND)),
            by_distance: false,
            score_type: ScoreType::Text,
            conditions: vec![operator(&words, "@@", &query)],
            is_indexed: false,
            is_angular: false,
            bound: None,
            k: None,
            parts: None,
        })
    }
}

/// Whether the vector that was added last is zero: its cosine distance from itself is NaN.
fn is_zero(parameters: &mut Parameters, operator: Oid) -> Result<bool, Report> {
    let vector = parameters.last()?;
    let distance = vector.and_then(|vector| apply(operator, vector, vector));
    Ok(distance.is_some_and(f64::is_nan))
}
