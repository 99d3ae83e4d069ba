//! Type `vector`: up to 16,000 single-precision numbers, all finite.
//!
//! Layout: length word, number of dimensions as `i16`, 16 unused bits (zero), the elements. It is
//! the layout of pgvector's type of that name, as are the functions, operators and messages.

mod aggregate;
mod arithmetic;
mod cast;
mod compare;
mod cost;
mod distance;
mod error;
mod io;
mod text;
mod value;

pub use error::VectorError;
pub use value::{VectorBuf, VectorRef};

/// Most dimensions a vector can have.
pub const MAX_DIMS: usize = 16_000;
