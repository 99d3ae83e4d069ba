//! One leg of a search: the rows that a request finds, nearest first.

#![allow(unsafe_code)] // asks PostgreSQL for the schema of a function

use pgrx::PgSqlErrorCode::ERRCODE_DATATYPE_MISMATCH;
use pgrx::pg_sys::{self, Oid};

use super::arguments::Options;
use super::field::{Field, Metric};
use super::request::{Kind, Request};
use super::statement::{FOUND, Parameters};
use super::table::Table;
use crate::pg::catalog::{operator_name, type_name};
use crate::pg::encoding::decode_c;
use crate::pg::error::Report;
use crate::pg::parameter::Parameter;
use crate::pg::relation::quoted;

/// The parts of a statement that a leg is made of.
#[derive(Clone)]
pub struct Leg {
    /// What rows are ordered by, in a scan.
    pub by: String,
    /// Whether the nearest have the most of it.
    pub descending: bool,
    /// How near a row `f` is that was found, as Milvus reports it.
    pub score: String,
    /// By what it is measured.
    pub scale: Scale,
    /// Which rows, in a scan.
    pub condition: String,
    /// Whether an index has them in order, here or on another server, ties aside.
    pub is_indexed: bool,
    /// Whether what they are ordered by is no number for vectors without a direction.
    pub is_angular: bool,
    /// How many at most, if the request says.
    pub k: Option<i64>,
}

/// What a score means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// That of a metric.
    Metric(Metric),
    /// How well a text fits.
    Text,
}

impl Leg {
    /// `DESC` where the nearest have the most.
    pub fn direction(&self) -> &'static str {
        if self.descending { "DESC" } else { "ASC" }
    }
}

impl Scale {
    /// Its name for `norm_score`.
    pub fn name(self) -> &'static str {
        match self {
            Scale::Metric(metric) => metric.name(),
            Scale::Text => "BM25",
        }
    }

    /// Whether a higher score is nearer.
    pub fn is_similarity(self) -> bool {
        match self {
            Scale::Metric(metric) => metric.is_similarity(),
            Scale::Text => true,
        }
    }
}

/// What all legs of a search share.
pub struct Search<'a> {
    /// The table.
    pub table: &'a Table,
    /// The schema of the extension: its OID, and its name, quoted.
    pub schema: (Oid, String),
    /// The options of the call.
    pub options: Options,
}

impl<'a> Search<'a> {
    /// A search of `table` by the function `function` of the extension.
    ///
    /// # Errors
    /// Where the name of the extension's schema is no text.
    pub fn new(table: &'a Table, function: Oid, options: Options) -> Result<Self, Report> {
        // SAFETY: look-ups in the catalog, which give null or a name that ends with NUL.
        let schema = unsafe {
            let oid = pg_sys::get_func_namespace(function);
            let name = pg_sys::get_namespace_name(oid);
            if name.is_null() {
                return Err(Report::internal("function without a schema"));
            }
            (oid, quoted(&decode_c(name)?))
        };
        Ok(Self { table, schema, options })
    }

    /// The leg of a request; none where it has nothing to look for.
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
            Kind::Texts => self.by_texts(request, query, parameters)?,
        };
        for filter in self.options.filter.iter().chain(&request.filter) {
            let named = self.table.filtered(&self.schema.1)?;
            let filter = parameters.filter(filter, &named, &self.options.templates)?;
            leg.condition.push_str(&format!(" AND ({filter})"));
        }
        leg.k = request.k;
        Ok(Some(leg))
    }

    fn by_vectors(
        &self,
        request: &Request,
        query: &Parameter,
        parameters: &mut Parameters,
    ) -> Result<Leg, Report> {
        let (oid, schema) = &self.schema;
        let metric = request.params.metric.as_deref();
        let field = Field::find(self.table, &request.field, metric, *oid)?;
        let query = parameters.query(field.of, type_name(field.of)?, query)?;
        let (vector, operator, metric) =
            (field.scanned(), operator_name(field.operator)?, field.metric);
        let may_be_ordered = field.is_indexed || self.table.may_be_foreign();
        let has_no_direction =
            metric == Metric::Cosine && parameters.last_is_zero(field.operator)?;
        // As in Milvus, a row that shares no index with the query is not found by the inner product.
        let condition = if field.is_sparse && metric == Metric::Ip {
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
            scale: Scale::Metric(metric),
            condition,
            is_indexed: may_be_ordered && !has_no_direction,
            is_angular: metric == Metric::Cosine,
            k: None,
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
        Ok(Leg {
            by: format!("pg_catalog.ts_rank({words}, {query})"),
            descending: true,
            score: format!("pg_catalog.ts_rank({}, {query})", column.found_value(FOUND)),
            scale: Scale::Text,
            condition: format!("{words} OPERATOR(pg_catalog.@@) {query}"),
            is_indexed: false,
            is_angular: false,
            k: None,
        })
    }
}
