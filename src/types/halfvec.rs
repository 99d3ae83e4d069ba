//! Type `halfvec`: elements are half-precision numbers of IEEE 754, up to 65504.

use half::f16;
use half::slice::HalfFloatSliceExt;

use super::dense::cast::convert;
use super::dense::distance::normalize;
use super::dense::{Element, export_dense};
use crate::pg::function::pg_export;

/// What rounds to infinity: halfway from the largest half to the next power of two, and more.
const TOO_LARGE: f32 = 65_520.0;

impl Element for f16 {
    const TYPE: &'static str = "halfvec";
    type Total = f16;

    #[inline(always)]
    fn to_f32(self) -> f32 {
        f16::to_f32(self)
    }

    #[inline(always)]
    fn from_f32(number: f32) -> f16 {
        f16::from_f32(number)
    }

    #[inline(always)]
    fn fits(number: f32) -> bool {
        number.abs() < TOO_LARGE
    }

    // The CPU converts several at once.
    fn widen<'a>(elements: &'a [f16], space: &'a mut [f32]) -> &'a [f32] {
        elements.convert_to_f32_slice(space);
        space
    }

    fn narrow(numbers: &[f32], out: &mut [f16]) {
        out.convert_from_f32_slice(numbers);
    }

    fn to_network(self) -> f16 {
        f16::from_bits(self.to_bits().to_be())
    }
}

export_dense!("halfvec", f16);

pg_export! { "halfvec":
    l2_normalize => normalize::<f16>;
    to_vector => convert::<f16, f32>;
    from_vector => convert::<f32, f16>;
}
