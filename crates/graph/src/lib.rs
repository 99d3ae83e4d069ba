//! The graph index: hierarchical navigable small worlds (Malkov and Yashunin, arXiv 1603.09320)
//! over pages, with a code of every neighbor in an element's own record.
//!
//! One page access scores all neighbors of an element: codes steer the walk, the exact distance of
//! an element is taken from its own record when it is expanded, and what is returned is ordered by
//! exact distance. The design, its locks and its crash windows: `src/am/hnsw/README.md`.
//!
//! This crate knows no PostgreSQL: it reads and writes through [`pages::PageStore`].

mod beam;
mod bulk;
mod calibrate;
mod candidates;
mod check;
mod effort;
mod exact;
mod hnsw;
mod info;
mod insert;
mod level;
mod link;
mod nodes;
mod noise;
mod query;
mod read;
mod records;
mod root;
mod scan;
mod stored;
mod tail;
mod twin;
mod walk;

pub mod build;
pub mod format;
pub mod vacuum;

pub use bulk::{Bulk, Phase, build_memory, index_pages};
pub use calibrate::{calibrate, outgrown};
pub use check::check;
pub use effort::{DEFAULT_RECALL, default_ef, ef_for_recall, expansions, expected_recall};
pub use hnsw::{Hnsw, IndexOptions, empty_index};
pub use info::{Info, info};
pub use insert::insert;
pub use pages::{Hit, Problem, TidFilter};
pub use scan::{Iterative, Scan, ScanOptions, ScanStats};
pub use vectors::{Vector, indexable};
