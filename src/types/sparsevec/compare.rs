//! Order of sparse vectors, the same as that of the vectors they stand for: by the first dimension
//! that differs, then by their number.

use std::cmp::Ordering;

use super::SparseRef;
use super::value::union;
use crate::pg::function::pg_functions;

pg_functions! {
    fn sparsevec_lt(a: SparseRef, b: SparseRef) -> bool {
        compare(&a, &b).is_lt()
    }

    fn sparsevec_le(a: SparseRef, b: SparseRef) -> bool {
        compare(&a, &b).is_le()
    }

    fn sparsevec_eq(a: SparseRef, b: SparseRef) -> bool {
        compare(&a, &b).is_eq()
    }

    fn sparsevec_ne(a: SparseRef, b: SparseRef) -> bool {
        compare(&a, &b).is_ne()
    }

    fn sparsevec_ge(a: SparseRef, b: SparseRef) -> bool {
        compare(&a, &b).is_ge()
    }

    fn sparsevec_gt(a: SparseRef, b: SparseRef) -> bool {
        compare(&a, &b).is_gt()
    }

    /// -1, 0 or 1, for the btree operator class.
    fn sparsevec_cmp(a: SparseRef, b: SparseRef) -> i32 {
        compare(&a, &b) as i32
    }
}

fn compare(a: &SparseRef, b: &SparseRef) -> Ordering {
    // Beyond the dimensions of the shorter vector only their number counts.
    let dims = a.dims().min(b.dims());
    union(a, b)
        .take_while(|&(index, ..)| (index as usize) < dims)
        .find_map(|(_, x, y)| x.partial_cmp(&y).filter(|order| order.is_ne()))
        .unwrap_or(a.dims().cmp(&b.dims()))
}
