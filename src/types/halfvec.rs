//! Type `halfvec`: elements are half-precision numbers of IEEE 754, up to 65504.

use half::f16;

use super::dense::cast::convert;
use super::dense::{Element, export_dense};
use crate::pg::function::pg_export;

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
        f16::from_f32(number).is_finite()
    }

    fn to_network(self) -> f16 {
        f16::from_bits(self.to_bits().to_be())
    }
}

export_dense!("halfvec", f16);

pg_export! { "halfvec":
    to_vector => convert::<f16, f32>;
    from_vector => convert::<f32, f16>;
}
