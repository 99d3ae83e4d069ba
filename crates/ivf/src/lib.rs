//! The inverted-list index: k-means lists of blocks of 32 codes, with vectors beside.
//!
//! A search ranks lists by their centroids, reads the blocks of the nearest, and bounds the
//! distance of every entry from its code; vectors are read only while one not yet read may be
//! nearer than the nearest read. The list of lists has the same form, so centroids are found as
//! rows are. The design, its locks and its crash windows: `src/am/ivf/README.md`.
//!
//! This crate knows no PostgreSQL: it reads and writes through [`pages::PageStore`].

mod block;
mod bulk;
mod calibrate;
mod calibration;
mod chain;
mod check;
mod device;
mod free;
mod geometry;
mod index;
mod info;
mod insert;
mod lists;
mod meta;
mod query;
mod radius;
mod reader;
mod rebalance;
mod reclaim;
mod regroup;
mod relocate;
mod rows;
mod scan;
mod stream;
mod vacuum;
mod vector;
mod write;

pub use bulk::{Bulk, Phase};
pub use calibrate::{calibrate, recalibrate};
pub use calibration::{Calibration, DEFAULT_RECALL, DEFAULT_TARGET, Reach};
pub use check::check;
pub use geometry::{BlockNo, Geometry, VectorNo};
pub use index::{IndexOptions, Ivf, Quantization, lists_for};
pub use info::{Info, info};
pub use insert::insert;
pub use meta::{Meta, Reorganized};
pub use rebalance::{Rebalance, Rebalanced, rebalance};
pub use scan::{Scan, ScanOptions, ScanStats, wider};
pub use vacuum::{VacuumStats, vacuum};
pub use vectors::indexable;
