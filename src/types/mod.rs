//! Data types: their text and binary forms, casts, functions and operators.

pub mod bit;
pub mod vector;
