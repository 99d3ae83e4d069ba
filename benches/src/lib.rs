//! Benchmarks of SQL: data sets, several extensions, one server.
//!
//! Data: `matrix` and `dataset` read vectors, `clustered` makes them up, `truth` and `exact` know
//! what should be found, `sparse` makes sparse vectors of texts. The server: `server` finds or starts PostgreSQL, `systems` says how each
//! extension is driven, `database` and `build` load it. Measuring: `measure` searches, `pages` and
//! `cost` count, `sweep` decides what `sql_bench` measures, `report` prints and
//! `plot` draws it; `writes` is what
//! `write_bench` measures, `cold` what
//! `cold_bench` does, `plans` what `plan_grid` does, `any_data` what `any_data_bench` does. `options` is what the programs have in common.

pub mod any_data;
pub mod build;
pub mod clustered;
pub mod cold;
pub mod cost;
pub mod database;
pub mod dataset;
pub mod exact;
pub mod machine;
pub mod matrix;
pub mod measure;
pub mod options;
pub mod pages;
pub mod plans;
pub mod plot;
pub mod report;
pub mod server;
pub mod sparse;
pub mod sweep;
pub mod systems;
pub mod texts;
pub mod truth;
pub mod wire;
pub mod writes;

/// Any failure; its text is all that the user sees.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;
