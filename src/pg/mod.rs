//! The safe floor under everything that talks to PostgreSQL. Knows no vector.

pub mod array;
pub mod error;
pub mod function;
pub mod message;
pub mod number;
pub mod record;
pub mod varlena;
