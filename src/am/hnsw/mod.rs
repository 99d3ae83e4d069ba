//! Access method `hnsw`: graph search. One file a verb; the algorithms are in the crate `graph`.
//!
//! Locks, WAL, crash windows and the interplay with vacuum: `README.md` beside this file.

mod build;
pub mod cost;
mod counters;
mod estimate;
#[cfg(feature = "pg18")]
mod explain;
mod handler;
mod insert;
mod inspect;
pub mod opclass;
mod options;
mod quantization;
mod scan;
pub mod settings;
mod stats;
mod vacuum;

pub use handler::is_ours;

/// Registers options, settings and counters. Called once, when the library is loaded.
pub fn init() {
    options::register();
    settings::register();
    counters::register();
    #[cfg(feature = "pg18")]
    explain::register();
}
