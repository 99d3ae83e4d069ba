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

/// Defines the distances that are generic over lanes and elements, and their table `distances`,
/// for an instruction set given as an attribute.
macro_rules! distance_kernels {
    ($(#[$features:meta])?) => {
        use crate::CosineTerms;
        use crate::distance;
        use crate::element::{Distances, Element};
        use crate::lanes::Lanes;
        use crate::operand::Load;

        crate::arch::distance_kernels! { @each [$(#[$features])?]
            l2_squared -> V::Sum,
            inner_product -> V::Sum,
            cosine_terms -> CosineTerms<V::Sum>,
            l1 -> V::Sum,
        }

        /// The distances for lanes of this instruction set.
        pub(super) const fn distances<V: Lanes<Sum = E::Sum>, E: Element + Load<V>>() -> Distances<E> {
            Distances {
                l2_squared: l2_squared::<V, E>,
                inner_product: inner_product::<V, E>,
                cosine_terms: cosine_terms::<V, E>,
                l1: l1::<V, E>,
            }
        }
    };
    (@each $features:tt $($name:ident -> $result:ty,)*) => {
        $(crate::arch::distance_kernels! { @one $features $name $result })*
    };
    (@one [$($features:tt)*] $name:ident $result:ty) => {
        $($features)*
        fn $name<V: Lanes, E: Load<V>>(a: &[E], b: &[E]) -> $result {
            // SAFETY: this function enables the instruction set of the lanes.
            unsafe { distance::$name::<V>(a, b) }
        }
    };
}

/// Defines the kernels that differ only in their instruction set, given as an attribute, and in
/// its lanes of floats.
macro_rules! lane_kernels {
    ($lanes:ty $(, #[$features:meta])?) => {
        use crate::operand::{Bytes, Floats, Halves, Nibbles};

        crate::arch::distance_kernels! { $(#[$features])? }

        lane_kernels! { @stored $lanes, [$(#[$features])?]
            l2_squared_f16(b: &[[u8; 2]], scale: f32) = l2_squared(Halves { halves: b, scale }) -> f32,
            inner_product_f16(b: &[[u8; 2]], scale: f32) = inner_product(Halves { halves: b, scale }) -> f32,
            cosine_terms_f16(b: &[[u8; 2]], scale: f32) = cosine_terms(Halves { halves: b, scale }) -> CosineTerms,
            l1_f16(b: &[[u8; 2]], scale: f32) = l1(Halves { halves: b, scale }) -> f32,
            l2_squared_f32(b: &[[u8; 4]]) = l2_squared(Floats(b)) -> f32,
            inner_product_f32(b: &[[u8; 4]]) = inner_product(Floats(b)) -> f32,
            cosine_terms_f32(b: &[[u8; 4]]) = cosine_terms(Floats(b)) -> CosineTerms,
            l1_f32(b: &[[u8; 4]]) = l1(Floats(b)) -> f32,
            inner_product_bytes(b: &[i8]) = inner_product(Bytes(b)) -> f32,
            inner_product_nibbles(b: &[u8]) = inner_product(Nibbles(b)) -> f32,
        }

        $(#[$features])?
        fn widen_f16(halves: &[[u8; 2]], scale: f32, out: &mut [f32]) {
            // SAFETY: this function enables the instruction set of the lanes.
            unsafe { distance::widen::<$lanes>(Halves { halves, scale }, out) }
        }

        $(#[$features])?
        fn inner_products(rows: &[&[f32]], columns: &[f32], dims: usize, products: &mut [f32]) {
            // SAFETY: this function enables the instruction set of the lanes.
            unsafe { crate::products::inner_products::<$lanes>(rows, columns, dims, products) }
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
    (@stored $lanes:ty, $features:tt $(
        $name:ident $arguments:tt = $distance:ident($operand:expr) -> $result:ty,
    )*) => {
        $(lane_kernels! { @one $lanes, $features $name $arguments $distance $operand, $result })*
    };
    (
        @one $lanes:ty, [$($features:tt)*]
        $name:ident($($argument:ident: $type:ty),*) $distance:ident $operand:expr, $result:ty
    ) => {
        $($features)*
        fn $name(a: &[f32], $($argument: $type),*) -> $result {
            // SAFETY: this function enables the instruction set of the lanes.
            unsafe { distance::$distance::<$lanes>(a, $operand) }
        }
    };
}

/// The table of a module that used `lane_kernels`: with its lanes of floats and of integers, and
/// with the kernels that are not generic, by name.
macro_rules! kernel_table {
    ($level:expr, $floats:ty, $ints:ty, $($name:ident: $kernel:path),*) => {
        Kernels {
            level: $level,
            distances: crate::element::AllDistances {
                f32: distances::<$floats, f32>(),
                f16: distances::<$floats, half::f16>(),
                bf16: distances::<$floats, half::bf16>(),
                i8: distances::<$ints, i8>(),
            },
            l2_squared_f16,
            inner_product_f16,
            cosine_terms_f16,
            l1_f16,
            l2_squared_f32,
            inner_product_f32,
            cosine_terms_f32,
            l1_f32,
            inner_product_bytes,
            inner_product_nibbles,
            widen_f16,
            inner_products,
            hadamard,
            tails,
            round_to_planes,
            $($name: $kernel,)*
        }
    };
}

use {distance_kernels, kernel_table, lane_kernels};
