//! Access method `hnsw`: graph search. One file a verb; the algorithms are in the crate `graph`.
//!
//! Locks, WAL, crash windows and the interplay with vacuum: `README.md` beside this file.

mod build;
pub mod cost;
mod estimate;
mod handler;
mod insert;
mod inspect;
mod opclass;
mod options;
mod quantization;
mod scan;
pub mod settings;
mod vacuum;

pub use handler::is_ours;
pub use inspect::properties;

/// Registers options and settings. Called once, when the library is loaded.
pub fn init() {
    options::register();
    settings::register();
}
