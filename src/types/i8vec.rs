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
        number.round_ties_even() as i8
    }

    #[inline(always)]
    fn fits(number: f32) -> bool {
        (-128.0..=127.0).contains(&number.round_ties_even())
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
