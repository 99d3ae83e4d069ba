//! The SQL benchmark: one data set, several extensions, one server.
//!
//! `matrix` and `dataset` read vectors and ground truth, `exact` counts recall, `server`
//! finds or starts PostgreSQL, `systems` says how each extension is driven, `load` builds,
//! `measure` searches, `pages` counts what is touched, `sweep` decides what is measured, `report`
//! prints.

pub mod dataset;
pub mod exact;
pub mod load;
pub mod machine;
pub mod matrix;
pub mod measure;
pub mod pages;
pub mod report;
pub mod server;
pub mod sweep;
pub mod systems;
pub mod wire;

/// Any failure; its text is all that the user sees.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;
