//! Access method `hnsw`: graph search. One file for each operation; the algorithms are in the crate
//! `graph`.
//!
//! Locks, WAL, crash windows and the interplay with vacuum: `README.md` beside this file.

mod build;
mod cost;
mod estimate;
mod inspect;
mod method;
mod opclass;
mod options;
mod quantization;
mod scan;
mod settings;
mod vacuum;

/// Registers options and settings. Called once, when the library is loaded.
pub fn init() {
    options::PARAMETERS.register();
    settings::register();
}
