//! Order of vectors: by the first element that differs, then by length. -0 equals 0.

use std::cmp::Ordering;

use super::Element;

/// Order by the first element that differs, then by length.
pub fn compare<E: Element>(a: &[E], b: &[E]) -> Ordering {
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
