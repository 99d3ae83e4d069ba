//! One module for each instruction set: its [`Lanes`](crate::lanes::Lanes) and its kernels.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod neon;
pub(crate) mod scalar;
#[cfg(target_arch = "x86_64")]
mod transposed;

use crate::{Kernels, Level};

/// The kernels of `level`, or `None` on another architecture. They may only run where the CPU has
/// the level.
pub(crate) fn table(level: Level) -> Option<&'static Kernels> {
    match level {
        Level::Scalar => Some(&scalar::KERNELS),
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => Some(&avx2::KERNELS),
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => Some(avx512::kernels()),
        #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
        Level::Neon => Some(&neon::KERNELS),
        #[allow(unreachable_patterns, clippy::wildcard_enum_match_arm, reason = "per target")]
        _ => None,
    }
}

/// Defines the kernels that are generic over `Lanes`, for one type of lanes and its instruction
/// set, given as an attribute.
macro_rules! lane_kernels {
    ($lanes:ty $(, #[$features:meta])?) => {
        use crate::CosineTerms;
        use crate::float::{self, Floats, Halves};

        lane_kernels! { @distances $lanes, [$(#[$features])?],
            l2_squared, l2_squared_f16, f32;
            inner_product, inner_product_f16, f32;
            cosine_terms, cosine_terms_f16, CosineTerms;
            l1, l1_f16, f32;
        }

        $(#[$features])?
        fn widen_f16(halves: &[[u8; 2]], scale: f32, out: &mut [f32]) {
            // SAFETY: this function enables the instruction set of the lanes.
            unsafe { float::widen::<$lanes>(Halves { halves, scale }, out) }
        }

        $(#[$features])?
        fn hadamard(x: &mut [f32]) {
            crate::hadamard::hadamard(x);
        }

        $(#[$features])?
        fn tails(values: &[f32], thresholds: [f32; 4]) -> crate::Tails {
            crate::rounding::tails(values, thresholds)
        }

        $(#[$features])?
        fn round_to_planes(
            values: &[f32],
            other: &[f32],
            step: f32,
            top: u32,
            plane_bytes: usize,
            planes: &mut [u8],
        ) -> f64 {
            crate::rounding::round_to_planes(values, other, step, top, plane_bytes, planes)
        }
    };
    (@distances $lanes:ty, $features:tt, $($name:ident, $name_f16:ident, $result:ty;)*) => {
        $(lane_kernels! { @distance $lanes, $features, $name, $name_f16, $result })*
    };
    (@distance $lanes:ty, [$($features:tt)*], $name:ident, $name_f16:ident, $result:ty) => {
        $($features)*
        fn $name(a: &[f32], b: &[f32]) -> $result {
            // SAFETY: this function enables the instruction set of the lanes.
            unsafe { float::$name::<$lanes>(a, Floats(b)) }
        }

        $($features)*
        fn $name_f16(a: &[f32], halves: &[[u8; 2]], scale: f32) -> $result {
            // SAFETY: this function enables the instruction set of the lanes.
            unsafe { float::$name::<$lanes>(a, Halves { halves, scale }) }
        }
    };
}

/// The table of a module that used `lane_kernels`, with what is not generic.
macro_rules! kernel_table {
    ($level:expr, $inner_product_i8:path, $hamming:path, $score_codes:path) => {
        Kernels {
            level: $level,
            l2_squared,
            inner_product,
            cosine_terms,
            l1,
            l2_squared_f16,
            inner_product_f16,
            cosine_terms_f16,
            l1_f16,
            widen_f16,
            inner_product_i8: $inner_product_i8,
            hamming: $hamming,
            hadamard,
            tails,
            round_to_planes,
            score_codes: $score_codes,
        }
    };
}

use {kernel_table, lane_kernels};
