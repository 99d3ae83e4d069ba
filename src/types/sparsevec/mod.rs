//! Type `sparsevec`: up to 1,000,000,000 dimensions, of which up to 16,000 are not zero; their
//! values are single-precision numbers, all finite.
//!
//! Layout: length word, number of dimensions, number of elements, 32 unused bits (zero), the
//! indices of the elements (from 0, ascending), their values. It is the layout of pgvector's type
//! of that name, as are the functions, operators and messages; arithmetic, `sum` and `avg` go
//! beyond it.

mod aggregate;
mod arithmetic;
mod cast;
pub mod check;
pub mod compare;
mod distance;
mod io;
mod text;
mod value;

pub use value::{SparseBuf, SparseRef};

/// The SQL name of the type.
pub const TYPE: &str = "sparsevec";

/// Most dimensions a sparse vector can have.
pub const MAX_DIMS: usize = 1_000_000_000;

/// Most elements, that is non-zero dimensions, a sparse vector can have.
pub const MAX_NNZ: usize = 16_000;
