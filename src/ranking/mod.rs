//! Scores as Milvus reports them, and the arithmetic that makes one ranking of several. Each is a
//! function of plain SQL; `rrf` needs no Rust, see `sql/`.

pub mod bound;
mod decay;
mod metric;
mod min_max;
mod norm;
mod real;
mod score;
pub mod within;
