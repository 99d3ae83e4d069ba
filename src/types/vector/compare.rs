//! Order of vectors: by the first element that differs, then by length. -0 equals 0.

use std::cmp::Ordering;

use super::VectorRef;
use crate::pg::function::pg_functions;

pg_functions! {
    fn vector_lt(a: VectorRef, b: VectorRef) -> bool {
        compare(&a, &b).is_lt()
    }

    fn vector_le(a: VectorRef, b: VectorRef) -> bool {
        compare(&a, &b).is_le()
    }

    fn vector_eq(a: VectorRef, b: VectorRef) -> bool {
        compare(&a, &b).is_eq()
    }

    fn vector_ne(a: VectorRef, b: VectorRef) -> bool {
        compare(&a, &b).is_ne()
    }

    fn vector_ge(a: VectorRef, b: VectorRef) -> bool {
        compare(&a, &b).is_ge()
    }

    fn vector_gt(a: VectorRef, b: VectorRef) -> bool {
        compare(&a, &b).is_gt()
    }

    /// -1, 0 or 1, for the btree operator class.
    fn vector_cmp(a: VectorRef, b: VectorRef) -> i32 {
        compare(&a, &b) as i32
    }
}

fn compare(a: &[f32], b: &[f32]) -> Ordering {
    for (a, b) in a.iter().zip(b) {
        if a < b {
            return Ordering::Less;
        }
        if a > b {
            return Ordering::Greater;
        }
    }
    a.len().cmp(&b.len())
}
