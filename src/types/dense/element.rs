//! What sets the dense types apart: their elements.

use std::ffi::CStr;

use crate::pg::number;
use crate::pg::varlena::Plain;

/// A number that the elements of a type are. Every element is a `f32` exactly, so all but the
/// distances, which the kernels know, is computed in `f32` (norms, sums and averages in `f64`) and
/// rounded once.
pub trait Element: Plain + kernels::Element {
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

    /// The numbers that these elements are. `space`, of the same length, is for them; elements that
    /// are `f32` need none.
    #[inline(always)]
    fn widen<'a>(elements: &'a [Self], space: &'a mut [f32]) -> &'a [f32] {
        space.iter_mut().zip(elements).for_each(|(number, element)| *number = element.to_f32());
        space
    }

    /// Writes the elements nearest to these numbers to `out`, of the same length.
    #[inline(always)]
    fn narrow(numbers: &[f32], out: &mut [Self]) {
        out.iter_mut().zip(numbers).for_each(|(out, &number)| *out = Self::from_f32(number));
    }

    /// In the network's byte order; its own inverse.
    fn to_network(self) -> Self;

    /// Reads the element that begins at byte `at` of `text`; gives the number and the bytes it took
    /// (0: there is none).
    fn parse(text: &CStr, at: usize) -> (f32, usize) {
        number::parse_float(text, at)
    }
}
