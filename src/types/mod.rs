//! Data types: their text and binary forms, casts, functions and operators.

mod array;
pub mod bf16vec;
pub mod bit;
pub mod cost;
pub mod dense;
pub mod error;
pub mod halfvec;
pub mod i8vec;
pub mod sparsevec;
pub mod sphere;
pub mod vector;
