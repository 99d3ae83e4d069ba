//! Type `i8vec`: elements are integers from -128 to 127. Its distances are exact; `sum` and `avg`
//! give a `vector`.

use std::ffi::CStr;

use half::{bf16, f16};

use super::dense::cast::convert;
use super::dense::{Element, export_dense};
use crate::pg::function::pg_export;
use crate::pg::number;

impl Element for i8 {
    const TYPE: &'static str = "i8vec";
    const SYNTAX: Option<&'static str> = Some("Elements must be integers from -128 to 127.");
    type Total = f32;

    #[inline(always)]
    fn to_f32(self) -> f32 {
        self.into()
    }

    #[inline(always)]
    fn from_f32(number: f32) -> i8 {
        // Numbers of this size have no fractions, so the sum is rounded, to even.
        const NO_FRACTIONS: f32 = 1.5 * (1 << 23) as f32;
        (number + NO_FRACTIONS - NO_FRACTIONS) as i8
    }

    #[inline(always)]
    fn fits(number: f32) -> bool {
        (-128.5..127.5).contains(&number) // ends are ties, the first one to -128, which is even
    }

    fn to_network(self) -> i8 {
        self
    }

    fn parse(text: &CStr, at: usize) -> (f32, usize) {
        number::parse_integer(text, at)
    }
}

export_dense!("i8vec", i8);

pg_export! { "i8vec":
    to_vector => convert::<i8, f32>;
    from_vector => convert::<f32, i8>;
    to_halfvec => convert::<i8, f16>;
    from_halfvec => convert::<f16, i8>;
    to_bf16vec => convert::<i8, bf16>;
    from_bf16vec => convert::<bf16, i8>;
}
