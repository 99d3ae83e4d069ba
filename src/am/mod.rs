//! Index access methods: glue between PostgreSQL and the cores. Holds no algorithm.

pub mod column;
pub mod element_kind;
pub mod hnsw;
pub mod ivf;
pub mod load;
pub mod ordered_scan;
pub mod reorder;
pub mod resources;
pub mod row_distance;
pub mod sort_key;
