//! Type `vector`: elements are single-precision numbers of IEEE 754.

use super::dense::distance::normalize;
use super::dense::{Element, export_dense};
use crate::pg::function::pg_export;

impl Element for f32 {
    const TYPE: &'static str = "vector";
    type Total = f32;

    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }

    #[inline(always)]
    fn from_f32(number: f32) -> f32 {
        number
    }

    #[inline(always)]
    fn fits(number: f32) -> bool {
        number.is_finite()
    }

    #[inline(always)]
    fn widen<'a>(elements: &'a [f32], _space: &'a mut [f32]) -> &'a [f32] {
        elements
    }

    #[inline(always)]
    fn to_network(self) -> f32 {
        f32::from_bits(self.to_bits().to_be())
    }
}

export_dense!("vector", f32);

pg_export! { "vector": l2_normalize => normalize::<f32>; }
