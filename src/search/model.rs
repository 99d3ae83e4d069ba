//! The ranker that replaces scores by those of a reranking model, for the texts of a column.

use pgrx::PgSqlErrorCode::ERRCODE_DATATYPE_MISMATCH;
use pgrx::pg_sys;
use serde::Deserialize;

use super::leg::Search;
use super::parameters::Parameters;
use super::query::FOUND;
use crate::pg::error::Report;

/// Which model scores what; [Milvus's model ranker](https://milvus.io/docs/model-ranker-overview.md).
#[derive(Deserialize)]
pub struct ModelRanker {
    server: String,
    query: String,
    field: String,
}

impl ModelRanker {
    /// The score of a row, for a statement that selects all rows: the model gets their texts together.
    ///
    /// # Errors
    /// If the table has no such column, or it holds no texts.
    pub fn score(&self, search: &Search, parameters: &mut Parameters) -> Result<String, Report> {
        let column = search.table.column(&self.field)?;
        if ![pg_sys::TEXTOID, pg_sys::VARCHAROID, pg_sys::BPCHAROID].contains(&column.of) {
            let message = format!("unsupported field {} for rerank: no text", self.field);
            return Err(Report::new(ERRCODE_DATATYPE_MISMATCH, message)
                .hint("A model reranks by a column of type text or varchar."));
        }
        let mut text =
            |text: &String| parameters.add(pg_sys::TEXTOID, "pg_catalog.text".into(), text.clone());
        let (server, query) = (text(&self.server), text(&self.query));
        let (schema, document) = (&search.table.extension.1, column.found_value(FOUND));
        Ok(format!("{schema}.model_score({server}, {query}, {document}::pg_catalog.text) OVER ()"))
    }
}
