//! Data types: their text and binary forms, casts, functions and operators.

mod array;
pub mod bf16vec;
pub mod bit;
pub mod bm25query;
mod compare;
pub mod dense;
mod distance;
pub mod error;
pub mod halfvec;
pub mod i8vec;
pub mod numbers;
pub mod sparsevec;
pub mod sphere;
pub mod text_condition;
pub mod vector;
