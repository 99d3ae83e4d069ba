//! A node of plans for `ORDER BY column <operator> query` by one of our indexes; README.md tells
//! what it does that PostgreSQL's index scan does not.
//!
//! One file a job: [`recognise`] what can be served, [`cost`] it, offer a [`path`], make the
//! [`plan`], [`execute`] and [`explain`] it.

mod cost;
mod execute;
mod explain;
mod keys;
mod path;
mod plan;
mod recheck;
mod recognise;
mod tuple;

use std::ffi::CStr;

/// The node's name in `EXPLAIN`, and in plans that go to parallel workers.
const NAME: &CStr = c"Vector Index Scan";

/// Puts the node into PostgreSQL's place of planning. Called once, when the library is loaded.
pub fn init() {
    plan::register();
    path::register();
}
