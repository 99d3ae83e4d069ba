//! Type `bf16vec`: elements are bfloat16 numbers, single-precision ones of 8 significant bits.

use half::{bf16, f16};

use super::dense::cast::convert;
use super::dense::distance::normalize;
use super::dense::{Element, export_dense};
use crate::pg::function::pg_export;

/// What rounds to infinity: halfway from the largest element to the next power of two, and more.
const TOO_LARGE: f32 = f32::from_bits(0x7f7f_8000);

impl Element for bf16 {
    const TYPE: &'static str = "bf16vec";
    type Total = bf16;

    #[inline(always)]
    fn to_f32(self) -> f32 {
        bf16::to_f32(self)
    }

    #[inline(always)]
    fn from_f32(number: f32) -> bf16 {
        bf16::from_f32(number)
    }

    #[inline(always)]
    fn fits(number: f32) -> bool {
        number.abs() < TOO_LARGE
    }

    fn to_network(self) -> bf16 {
        bf16::from_bits(self.to_bits().to_be())
    }
}

export_dense!("bf16vec", bf16);

pg_export! { "bf16vec":
    l2_normalize => normalize::<bf16>;
    to_vector => convert::<bf16, f32>;
    from_vector => convert::<f32, bf16>;
    to_halfvec => convert::<bf16, f16>;
    from_halfvec => convert::<f16, bf16>;
}
