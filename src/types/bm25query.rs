//! Queries of full text: an index and words. The composite type `bm25query` of SQL.

#![allow(unsafe_code)] // reads composite datums

use pgrx::pg_sys::{self, Datum, Oid};

use crate::pg::catalog::operator_types;
use crate::pg::error::Report;
use crate::pg::function::{Args, Argument};
use crate::pg::node::{Node, Operation, composite, field, nodes, oid_constant, operation};
use crate::pg::record::attributes;
use crate::pg::varlena::Detoasted;

/// Words, and the index that ranks documents by them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bm25Query {
    /// The index.
    pub index: Oid,
    /// The words, not analyzed yet.
    pub words: String,
}

impl Bm25Query {
    /// Reads a query; none where the index or the words are NULL.
    ///
    /// # Errors
    /// If the words are no text.
    ///
    /// # Safety
    /// `datum` is a non-null value of the type `bm25query`.
    pub unsafe fn from_datum(datum: Datum) -> Result<Option<Self>, Report> {
        // SAFETY: `datum` is composite, and so of variable length. Its attributes are a `regclass` and
        // a `text`.
        unsafe {
            let [index, words] = attributes(datum);
            let Some((index, words)) = index.zip(words) else { return Ok(None) };
            // The lower half of the datum is the OID.
            let index = Oid::from(index.value() as u32);
            Ok(Some(Self { index, words: text(words)? }))
        }
    }
}

/// Whether an operation ranks texts: its operands are a document and a query, and not two of a kind.
pub fn is_ranking(operation: &Operation) -> bool {
    let [document, query] = operator_types(operation.operator);
    document != query
}

/// The index that an expression of type `bm25query` names, if the planner knows it.
pub fn index(query: Node) -> Option<Oid> {
    if let Some(constant) = query.get::<pg_sys::Const>() {
        if constant.constisnull {
            return None;
        }
        // SAFETY: a non-null value of the type `bm25query`.
        let query = unsafe { Bm25Query::from_datum(constant.constvalue) };
        return query.ok().flatten().map(|query| query.index);
    }
    // SAFETY: a row of two expressions.
    let index = unsafe { nodes(query.get::<pg_sys::RowExpr>()?.args).next()? };
    let index = index.get::<pg_sys::Const>().filter(|index| !index.constisnull)?;
    // The lower half of the datum is the OID.
    Some(Oid::from(index.constvalue.value() as u32))
}

/// An operation of a document and a query, ranked by another index than the query names.
pub fn ranked_by<'p>(distance: &Operation<'p>, index: Oid) -> Node<'p> {
    let [document, query] = distance.operands;
    let words = field(query, 2, pg_sys::TEXTOID);
    let query = composite(query.type_of(), [oid_constant(pg_sys::REGCLASSOID, index), words]);
    operation(distance.operator, distance.collation, [document, query])
}

/// NULL, or a NULL inside, is `None`.
pub struct MaybeBm25Query(pub Option<Bm25Query>);

impl Argument<'_> for MaybeBm25Query {
    fn take(args: &mut Args) -> Result<Self, Report> {
        let datum = args.datum()?;
        // SAFETY: SQL declares the argument as a `bm25query`.
        unsafe { Bm25Query::from_datum(datum).map(Self) }
    }
}

/// A value of type `text`.
///
/// # Errors
/// If it is no text.
///
/// # Safety
/// `datum` is a non-null value of type `text`.
pub unsafe fn text(datum: Datum) -> Result<String, Report> {
    // SAFETY: a text is of variable length.
    unsafe { Detoasted::from_datum(datum) }.text()
}
