//! `vector_ext`: Milvus's vector features inside PostgreSQL.
//!
//! The SQL objects are written by hand in `sql/`; each C function named there is declared with
//! [`pg::function::pg_functions!`](pg::function).

mod am;
mod fulltext;
mod info;
mod instruction_set;
mod models;
mod pg;
mod planner;
mod ranking;
mod search;
mod types;

pgrx::pg_module_magic!();

/// Called once, when PostgreSQL loads the library.
#[pgrx::pg_guard]
pub extern "C-unwind" fn _PG_init() {
    threads::set_spawn_guard(pg::signals::block);
    instruction_set::init();
    am::init();
    planner::init();
    pg::version::reserve_settings(&[c"hnsw", c"inverted", c"ivf", c"ivfflat", c"vector_ext"]);
}
