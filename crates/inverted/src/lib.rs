//! An inverted index: for each term the documents that hold it, for full text ranked by BM25 and for
//! sparse vectors ranked by inner product.
//!
//! Documents arrive in a write buffer and are moved into immutable segments, which are merged. A
//! search finds the exact best documents of all segments by block-max MaxScore. The format of a
//! segment is described byte by byte in this crate's README.
//!
//! This crate knows no PostgreSQL: it reads and writes through [`pages::PageStore`].

mod bytes;
mod dictionary;
mod document;
mod page;
mod postings;
mod score;
mod segment;
mod term;

pub use dictionary::{Entry, Terms};
pub use document::{Document, Posting};
pub use page::Pages;
pub use postings::Postings;
pub use score::{Scoring, Statistics, Weight, score};
pub use segment::{
    Documents, GROUP, MAX_DOCUMENTS, Reader, SegmentInfo, Writer, kill, set_frequency,
};
pub use term::{MAX_TERM, dimension, stored};
