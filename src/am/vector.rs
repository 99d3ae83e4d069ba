//! Vectors as PostgreSQL's values give them to access methods.

use kernels::sparse::Sparse;

/// A vector. Its numbers are of single precision; bits are 0 and 1.
#[derive(Debug, Clone, Copy)]
pub enum Vector<'a> {
    /// All numbers.
    Dense(&'a [f32]),
    /// Those that are not zero, at indices below the number of dimensions.
    Sparse(Sparse<'a>),
}
