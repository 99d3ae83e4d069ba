//! What a search looks for: the argument of the operator as terms with weights.

#![allow(unsafe_code)] // reads datums

use inverted::Query;
use pgrx::PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;
use pgrx::pg_sys::{Datum, Relation};

use super::content::{Content, Terms};
use super::opened::OpenIndex;
use crate::pg::error::Report;
use crate::pg::indexes::is_partition_of;
use crate::pg::relation;
use crate::types::bm25query::Bm25Query;
use crate::types::sparsevec::{SparseRef, check};

/// The query that an operator's right argument is for an index; none if there is a NULL in it.
///
/// # Errors
/// If the argument is damaged, or names another index.
///
/// # Safety
/// `argument` is a non-null value of the type that the operator of the index's class takes; `index` is
/// open.
pub unsafe fn query_of(
    index: Relation,
    open: &OpenIndex,
    argument: Datum,
) -> Result<Option<Query>, Report> {
    // SAFETY: the operator takes a query of full text, or a sparse vector.
    unsafe {
        if open.content == Content::Sparse {
            return sparse(argument).map(Some);
        }
        let Some(query) = Bm25Query::from_datum(argument)? else { return Ok(None) };
        if !is_partition_of((*index).rd_id, query.index) {
            return Err(other_index(index));
        }
        of_words(open, query.words).map(Some)
    }
}

/// The query of some words.
///
/// # Errors
/// That memory is used up.
pub fn of_words(open: &OpenIndex, words: String) -> Result<Query, Report> {
    let terms = Terms::of([words], open.analyzer.as_ref())?;
    Ok(Query::new(terms.grouped(|term, places| (term, places.len() as f32))?))
}

/// # Safety
/// `vector` is a non-null `sparsevec`.
unsafe fn sparse(vector: Datum) -> Result<Query, Report> {
    // SAFETY: the value is a sparse vector.
    let vector = unsafe { SparseRef::from_datum(vector) }?;
    check::indices(&vector)?;
    let term = |(dimension, weight)| (inverted::dimension(dimension).to_vec(), weight);
    Ok(Query::new(vector.elements().map(term)))
}

fn other_index(index: Relation) -> Report {
    // SAFETY: the index is open, as the caller of `query_of` says.
    let name = unsafe { relation::qualified_name(index) };
    let message = format!("the query names another index than {name}");
    Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message)
        .hint("Name an index on the column that the query is compared with.")
}
