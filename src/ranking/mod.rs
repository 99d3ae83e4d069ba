//! Scores as Milvus reports them, and the arithmetic that makes one ranking of several. Each is a
//! function of plain SQL; `rrf` needs no Rust, see `sql/`.

mod decay;
mod metric;
mod norm;
mod score;
mod within;
mod within_support;
