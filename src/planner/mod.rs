//! A node of plans for `ORDER BY column <operator> query` by one of our indexes; README.md tells
//! what it does that PostgreSQL's index scan does not. And what PostgreSQL's own planning is told
//! of our functions: [`support`].

mod bitmap_path;
mod conditions;
mod cost;
mod exact;
mod execute;
mod explain;
mod filtering;
mod index_scan;
mod join_keys;
mod join_path;
mod keys;
mod members;
mod methods;
mod path;
mod plan;
mod private;
mod range;
mod recheck;
mod recognize;
mod state;
mod strategy;
mod support;
mod tuple;

/// Registers the node and the hook. Called once, when the library is loaded.
pub fn init() {
    plan::register();
    path::register();
    join_path::register();
    filtering::register();
}
