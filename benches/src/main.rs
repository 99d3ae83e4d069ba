//! Benchmarks of SQL: data sets, several extensions, one server.
//!
//! `commands` has a file for each benchmark, with its options; `options` and `run` are what they
//! have in common. Data: `matrix` and `dataset` read vectors, `clustered` makes them up, `truth` and
//! `exact` know what should be found, `texts` reads texts, `sparse` makes sparse vectors of them.
//! The server: `server` finds or starts PostgreSQL, `systems` says how each extension is driven,
//! `database` and `build` load it. Measuring: `measure` searches, `pages` and `cost` count, `sweep`
//! decides what `search` measures, `report` prints and `plot` draws it; `heat_map` draws tables; `any_data`,
//! `cold`, `filter_grid`, `filters`, `full_text`, `plans` and `writes` measure for the commands of these names.

mod any_data;
mod build;
mod clustered;
mod cold;
mod commands;
mod cost;
mod database;
mod dataset;
mod exact;
mod filter_grid;
mod filters;
mod full_text;
mod heat_map;
mod machine;
mod matrix;
mod measure;
mod options;
mod pages;
mod plans;
mod plot;
mod report;
mod run;
mod server;
mod sparse;
mod sweep;
mod systems;
mod texts;
mod truth;
mod writes;

use std::iter::successors;
use std::process::ExitCode;

/// Any failure; its text is all that the user sees.
type Error = Box<dyn std::error::Error + Send + Sync>;
/// Shorthand for results of this crate.
type Result<T> = std::result::Result<T, Error>;

fn main() -> ExitCode {
    let Err(error) = commands::run() else { return ExitCode::SUCCESS };
    let causes = successors(Some(&*error as &dyn std::error::Error), |error| error.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    eprintln!("benches: {}", causes.join(": "));
    ExitCode::FAILURE
}
