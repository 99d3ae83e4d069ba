//! Order of vectors: by the first element that differs, then by length. -0 equals 0.

use std::cmp::Ordering;

use super::{DenseRef, Element};

/// Operator `<`.
pub fn lt<E: Element>(a: DenseRef<E>, b: DenseRef<E>) -> bool {
    compare(&a, &b).is_lt()
}

/// Operator `<=`.
pub fn le<E: Element>(a: DenseRef<E>, b: DenseRef<E>) -> bool {
    compare(&a, &b).is_le()
}

/// Operator `=`.
pub fn eq<E: Element>(a: DenseRef<E>, b: DenseRef<E>) -> bool {
    compare(&a, &b).is_eq()
}

/// Operator `<>`.
pub fn ne<E: Element>(a: DenseRef<E>, b: DenseRef<E>) -> bool {
    compare(&a, &b).is_ne()
}

/// Operator `>=`.
pub fn ge<E: Element>(a: DenseRef<E>, b: DenseRef<E>) -> bool {
    compare(&a, &b).is_ge()
}

/// Operator `>`.
pub fn gt<E: Element>(a: DenseRef<E>, b: DenseRef<E>) -> bool {
    compare(&a, &b).is_gt()
}

/// -1, 0 or 1, for the btree operator class.
pub fn cmp<E: Element>(a: DenseRef<E>, b: DenseRef<E>) -> i32 {
    compare(&a, &b) as i32
}

fn compare<E: Element>(a: &[E], b: &[E]) -> Ordering {
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a.to_f32(), b.to_f32());
        if a < b {
            return Ordering::Less;
        }
        if a > b {
            return Ordering::Greater;
        }
    }
    a.len().cmp(&b.len())
}
