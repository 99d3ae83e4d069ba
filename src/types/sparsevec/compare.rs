//! Order of sparse vectors, the same as that of the vectors they stand for: by the first dimension
//! that differs, then by their number.

use std::cmp::Ordering;

use super::SparseRef;
use super::value::union;

/// Order of the vectors that they stand for.
pub fn compare(a: &SparseRef, b: &SparseRef) -> Ordering {
    // Beyond the dimensions of the shorter vector only their number counts.
    let dims = a.dims().min(b.dims());
    union(a, b)
        .take_while(|&(index, ..)| (index as usize) < dims)
        .find_map(|(_, x, y)| x.partial_cmp(&y).filter(|order| order.is_ne()))
        .unwrap_or(a.dims().cmp(&b.dims()))
}
