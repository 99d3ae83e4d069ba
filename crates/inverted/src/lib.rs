//! An inverted index: for each term the documents that hold it, for full text ranked by BM25 and for
//! sparse vectors ranked by inner product.
//!
//! Documents arrive in a write buffer and are moved into immutable segments, which are merged. A
//! search finds the exact best documents of all segments by block-max MaxScore. The format of a
//! segment is described byte by byte in this crate's README.
//!
//! This crate knows no PostgreSQL: it reads and writes through [`pages::PageStore`].

mod allocate;
mod buffer;
mod bulk;
mod bytes;
mod check;
mod create;
mod dictionary;
mod document;
mod fields;
mod flush;
mod gather;
mod insert;
mod large;
mod matching;
mod merge;
mod meta;
mod owned;
mod page;
mod page_list;
mod pick;
mod postings;
mod progress;
mod publish;
mod room;
mod score;
mod search;
mod segment;
mod snapshot;
mod statistics;
mod term;
mod term_table;
mod vacuum;
mod write;

pub use buffer::{BufferDocument, BufferMatch, BufferMatches};
pub use bulk::{Built, Bulk, Pause};
pub use check::check;
pub use create::{MAX_DEFINITION, create, definition, options};
pub use dictionary::{Entry, Terms};
pub use document::{Document, Posting};
pub use insert::insert;
pub use matching::{Match, find, matches};
pub use meta::Options;
pub use page::Pages;
pub use postings::Postings;
pub use score::{Scoring, Statistics, Weight, score};
pub use search::{Fresh, FreshRow, Query, Ranked, Ranker, Scan, ScanOptions, frequencies, search};
pub use segment::{
    Documents, GROUP, Heads, MAX_DOCUMENTS, Reader, SegmentInfo, Writer, kill, set_frequency,
};
pub use snapshot::Snapshot;
pub use statistics::{IndexStatistics, SegmentStatistics, statistics};
pub use term::{MAX_TERM, dimension, stored};
pub use vacuum::{VacuumStats, cleanup, vacuum};
