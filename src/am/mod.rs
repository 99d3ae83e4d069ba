//! Index access methods: glue between PostgreSQL and the cores. Holds no algorithm.
//!
//! What access methods have in common is beside their folders; of these only `inspect` knows them.

mod build;
mod column;
mod cost;
mod counter_slots;
mod counters;
mod element_kind;
#[cfg(feature = "pg18")]
mod explain;
mod handler;
mod hnsw;
mod index_choice;
mod insert;
mod inspect;
mod ivf;
mod load;
mod opclass;
mod ordered_scan;
mod range_filter;
mod recall;
mod reorder;
mod resources;
mod row_distance;
mod scan;
mod search;
mod sort_key;
mod stats;
mod table_end;
mod target;
mod target_recall;
mod vacuum;
mod work;

/// Registers options, settings, counters and hooks. Called once, when the library is loaded.
pub fn init() {
    // Before the others say that all settings are known.
    counter_slots::register();
    hnsw::init();
    ivf::init();
    target_recall::register();
    index_choice::register();
    sort_key::register();
    #[cfg(feature = "pg18")]
    explain::register();
}
