//! `rerank`: how relevant documents are for a query, and `model_score`, the same for the rows of a window.

use pgrx::PgSqlErrorCode::{ERRCODE_PROGRAM_LIMIT_EXCEEDED, ERRCODE_PROTOCOL_VIOLATION};

use super::call::call;
use super::endpoint::{Model, ModelName};
use crate::pg::array::{Items, Nullable};
use crate::pg::error::Report;
use crate::pg::function::{Callee, pg_functions};
use crate::pg::window::Partition;

pg_functions! {
    /// The scores of documents; NULL has none.
    fn rerank(model: ModelName, query: String, documents: Items) -> Result<Nullable<f32>, Report> {
        scores(&model.0, &query, &documents.texts()?).map(Nullable)
    }
}

/// The scores of documents for a query; none of NULL.
fn scores(
    model: &Model,
    query: &str,
    documents: &[Option<String>],
) -> Result<Vec<Option<f32>>, Report> {
    let known: Vec<&str> = memory::collected(documents.iter().flatten().map(String::as_str))?;
    if known.is_empty() {
        return Ok(memory::filled(documents.len(), None)?);
    }
    let scores =
        call(&model.endpoint, false, |endpoint, stop| endpoint.rerank(query, &known, stop))?;
    if scores.len() != known.len() {
        let message = format!("server \"{}\" gave fewer scores than documents", model.name);
        return Err(Report::new(ERRCODE_PROTOCOL_VIOLATION, message));
    }
    let mut scores = scores.into_iter();
    let score = |document: &Option<String>| document.as_ref().and_then(|_| scores.next());
    Ok(memory::collected(documents.iter().map(score))?)
}

pg_functions! {
    /// The score of the current row's document, its third argument, among all rows of the partition. The
    /// first row has the documents of all rows scored; its first two arguments, server and query, hold for
    /// all. A row without a document comes last: its score is `-Infinity`.
    fn model_score(window: Partition<3>, callee: Callee) -> Result<Option<f32>, Report> {
        let mut window = window;
        let rows = i32::try_from(window.rows()).map_err(|_| {
            Report::new(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "too many rows to rerank")
        })?;
        // The first number says whether the others are scores.
        let length = usize::try_from(rows).unwrap_or(0);
        if window.numbers(length + 1)?[0] == 0.0 {
            let (Some(server), Some(query)) = (window.text(0, 0)?, window.text(1, 0)?) else {
                return Ok(None);
            };
            let mut documents = memory::with_room(length)?;
            for row in 0..rows {
                documents.push(window.text(2, row)?);
            }
            let scores = scores(&*Model::find(&server, callee.schema())?, &query, &documents)?;
            let kept = window.numbers(length + 1)?;
            for (place, score) in kept[1..].iter_mut().zip(scores) {
                *place = score.unwrap_or(f32::NEG_INFINITY);
            }
            kept[0] = 1.0;
        }
        let position = usize::try_from(window.position()).unwrap_or(0);
        Ok(window.numbers(length + 1)?.get(position + 1).copied())
    }
}
