//! Index access methods: glue between PostgreSQL and the cores. Holds no algorithm.

pub mod element_kind;
pub mod hnsw;
pub mod sort_key;
