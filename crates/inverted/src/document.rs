//! Documents as an index receives them.

use pages::HeapTid;

/// A row to be indexed.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Where the row is.
    pub tid: HeapTid,
    /// Number of tokens; of sparse vectors, any number.
    pub length: u32,
    /// The terms in ascending order, each once.
    pub postings: Vec<Posting>,
}

/// A term in a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Posting {
    /// The term as [`crate::stored`] or [`crate::dimension`] gives it.
    pub term: Vec<u8>,
    /// BM25: how often the document holds the term, at least once. Inner product: the bits of the
    /// weight ([`f32::to_bits`]), which is finite and not 0.
    pub value: u32,
    /// Ascending numbers of the tokens that are the term, as many as `value`; none if the index has no
    /// positions.
    pub positions: Vec<u32>,
}
