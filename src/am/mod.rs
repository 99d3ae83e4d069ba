//! Index access methods: glue between PostgreSQL and the cores. Holds no algorithm.
//!
//! What access methods have in common is beside their folders, and knows none of them.

mod build;
mod column;
pub mod cost;
mod counter_slots;
mod counters;
mod element_kind;
pub mod explain;
pub mod gpu;
mod handler;
mod hnsw;
mod index_choice;
mod insert;
mod inspect;
pub mod inspector;
mod inverted;
mod iterative_scan;
mod ivf;
mod load;
mod method;
pub mod opclass;
pub mod ordered_scan;
mod parameters;
mod recall;
pub mod reorder;
mod resources;
mod row_distance;
pub mod scan;
mod search;
mod stats;
mod table_end;
mod target;
mod target_recall;
mod vacuum;
mod vector;
mod vector_scan;
pub mod work;

/// Registers options, settings, counters and hooks. Called once, when the library is loaded.
pub fn init() {
    counter_slots::register();
    hnsw::init();
    ivf::init();
    inverted::init();
    target_recall::register();
    gpu::register();
    index_choice::register();
    inspector::register();
    #[cfg(feature = "pg18")]
    explain::hook::register();
}
