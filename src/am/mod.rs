//! Index access methods: glue between PostgreSQL and the cores. Holds no algorithm.

pub mod element_kind;
pub mod hnsw;
pub mod reorder;
pub mod row_distance;
pub mod sort_key;
