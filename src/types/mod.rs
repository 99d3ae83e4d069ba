//! Data types: their text and binary forms, casts, functions and operators.

pub mod bf16vec;
pub mod bit;
pub mod dense;
pub mod error;
pub mod halfvec;
pub mod i8vec;
pub mod vector;
