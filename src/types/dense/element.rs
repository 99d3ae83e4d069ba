//! What sets the dense types apart: their elements.

use std::ffi::CStr;

use crate::pg::number;
use crate::pg::varlena::Plain;

/// A number that the elements of a type are. Every element is a `f32` exactly, so all but the
/// distances is computed in `f32` (norms, sums and averages in `f64`) and rounded once.
pub trait Element: Plain {
    /// The SQL name of the type.
    const TYPE: &'static str;

    /// DETAIL of a literal with an element that cannot be read.
    const SYNTAX: Option<&'static str> = None;

    /// What `sum` and `avg` have as elements: the type itself, unless it has no fractions.
    type Total: Element;

    /// The same number.
    fn to_f32(self) -> f32;

    /// The nearest element, ties to even. Where no element [`fits`](Self::fits), any.
    fn from_f32(number: f32) -> Self;

    /// Whether the nearest element is in the range of the type, and finite.
    fn fits(number: f32) -> bool;

    /// In the network's byte order; its own inverse.
    fn to_network(self) -> Self;

    /// Reads the element that begins at byte `at` of `text`; gives the number and the bytes it took
    /// (0: there is none).
    fn parse(text: &CStr, at: usize) -> (f32, usize) {
        number::parse_float(text, at)
    }

    /// The squared Euclidean distance.
    #[inline(always)]
    fn l2_squared(a: &[Self], b: &[Self]) -> f64 {
        sum(a, b, |a, b| (a - b) * (a - b))
    }

    /// The inner product.
    #[inline(always)]
    fn inner_product(a: &[Self], b: &[Self]) -> f64 {
        sum(a, b, |a, b| a * b)
    }

    /// The inner product and both squared norms.
    #[inline(always)]
    fn cosine_terms(a: &[Self], b: &[Self]) -> (f64, f64, f64) {
        (sum(a, b, |a, b| a * b), sum(a, a, |a, b| a * b), sum(b, b, |a, b| a * b))
    }

    /// The taxicab distance.
    #[inline(always)]
    fn l1(a: &[Self], b: &[Self]) -> f64 {
        sum(a, b, |a, b| (a - b).abs())
    }
}

fn sum<E: Element>(a: &[E], b: &[E], term: impl Fn(f64, f64) -> f64) -> f64 {
    a.iter().zip(b).map(|(a, b)| term(a.to_f32().into(), b.to_f32().into())).sum()
}
