//! Access method `inverted`: documents ranked by BM25, and sparse vectors by inner product. One file
//! for each operation; the algorithms are in the crate `inverted`.
//!
//! Locks, WAL, crash windows and the interplay with vacuum: `README.md` beside this file.

mod analysis;
mod bitmap;
mod build;
mod condition;
mod content;
mod cost;
mod definition;
mod distance;
mod insert;
mod inspect;
mod method;
mod named;
mod opened;
mod options;
mod query;
mod scan;
mod selectivity;
mod settings;
mod vacuum;

/// Registers options and settings. Called once, when the library is loaded.
pub fn init() {
    options::PARAMETERS.register();
    settings::register();
}
