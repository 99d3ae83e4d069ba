//! The table of kernels of each level, and the choice among them.

use std::sync::OnceLock;

use crate::codes::{BLOCK, BitQuery, CodeShape};
use crate::element::AllDistances;
use crate::{CosineTerms, Level, Tails, arch};

/// Declares the table, and for each kernel a method of it and a function for the level in use.
macro_rules! kernels {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        /// The kernels of one level; [`at`] hands out those that the CPU can run.
        #[derive(Debug)]
        pub struct Kernels {
            pub(crate) level: Level,
            pub(crate) distances: AllDistances,
            $(pub(crate) $name: unsafe fn($($type),*) $(-> $result)?,)*
            pub(crate) score_codes: unsafe fn(&BitQuery, &[u8], CodeShape, usize, &mut [i32]),
        }

        impl Kernels {
            $($(#[$doc])*
            #[inline]
            pub fn $name(&self, $($arg: $type),*) $(-> $result)? {
                // SAFETY: a table is handed out only where the CPU has its level.
                unsafe { (self.$name)($($arg),*) }
            })*
        }

        $($(#[$doc])*
        #[inline]
        pub fn $name($($arg: $type),*) $(-> $result)? {
            active().$name($($arg),*)
        })*
    };
}

kernels! {
    /// The squared Euclidean distance to little-endian IEEE halves times `scale`, a power of two.
    l2_squared_f16(a: &[f32], b: &[[u8; 2]], scale: f32) -> f32;

    /// The inner product with little-endian IEEE halves times `scale`, a power of two.
    inner_product_f16(a: &[f32], b: &[[u8; 2]], scale: f32) -> f32;

    /// The inner product with little-endian IEEE halves times `scale`, a power of two, and both
    /// squared norms.
    cosine_terms_f16(a: &[f32], b: &[[u8; 2]], scale: f32) -> CosineTerms;

    /// The taxicab distance to little-endian IEEE halves times `scale`, a power of two.
    l1_f16(a: &[f32], b: &[[u8; 2]], scale: f32) -> f32;

    /// The squared Euclidean distance to little-endian floats.
    l2_squared_f32(a: &[f32], b: &[[u8; 4]]) -> f32;

    /// The inner product with little-endian floats.
    inner_product_f32(a: &[f32], b: &[[u8; 4]]) -> f32;

    /// The inner product with little-endian floats, and both squared norms.
    cosine_terms_f32(a: &[f32], b: &[[u8; 4]]) -> CosineTerms;

    /// The taxicab distance to little-endian floats.
    l1_f32(a: &[f32], b: &[[u8; 4]]) -> f32;

    /// The inner product with integers of 8 bits.
    inner_product_bytes(a: &[f32], b: &[i8]) -> f32;

    /// The inner product with integers of 4 bits, two a byte, the lower half first.
    inner_product_nibbles(a: &[f32], b: &[u8]) -> f32;

    /// Writes little-endian IEEE halves times `scale`, a power of two, to `out`.
    widen_f16(b: &[[u8; 2]], scale: f32, out: &mut [f32]);

    /// The inner product of codes in `-127..=127`, at most 65,536 of them, which is faster than
    /// [`inner_product`](crate::inner_product) of any `i8`. Other input gives a number without
    /// meaning.
    inner_product_i8(a: &[i8], b: &[i8]) -> i32;

    /// The inner products of each of `rows` with each of the columns, which lie one after another
    /// in `columns` and have `dims` numbers: those of the first row, then those of the second.
    /// Many at once take far less time than one by one; their last bits may differ from those of
    /// [`inner_product`](crate::inner_product).
    ///
    /// # Panics
    /// When a row is shorter than a column, or there are not as many `products` as pairs.
    inner_products(rows: &[&[f32]], columns: &[f32], dims: usize, products: &mut [f32]);

    /// Scores 32 codes as [`score_codes`](crate::score_codes) does, which lie byte by byte: first
    /// byte 0 of plane 0 of all codes, then byte 1, and so on. A register then holds the same byte
    /// of all codes as it is loaded.
    ///
    /// # Panics
    /// When `codes` ends before the last byte, or the query is longer than a plane.
    score_block(query: &BitQuery, codes: &[u8], shape: CodeShape, scores: &mut [i32; BLOCK]);

    /// The number of bits that differ, of less than 2^32.
    hamming(a: &[u8], b: &[u8]) -> u32;

    /// The number of bits that both have, and of those that at least one has, of less than 2^32.
    /// The Jaccard distance is `1 - common / either`.
    jaccard_terms(a: &[u8], b: &[u8]) -> (u32, u32);

    /// The Walsh-Hadamard transform in place and unnormalised: `x` becomes `H x` with
    /// `H[i][j] = (-1)^popcount(i & j)`.
    ///
    /// # Panics
    /// When the length is neither 0 nor a power of two.
    hadamard(x: &mut [f32]);

    /// The sum of the magnitudes of `values`, and of those that reach each of four thresholds, all
    /// above zero.
    tails(values: &[f32], thresholds: [f32; 4]) -> Tails;

    /// Rounds each of `values` to sign(x) · (l + 1/2), where l counts the whole steps in |x|, at
    /// most `top`. The rounded values, counted from the lowest, go to `planes` as bits: bit p of
    /// value i to bit i of plane p, each of `plane_bytes` bytes. Returns the inner product of the
    /// rounded values and `other`.
    ///
    /// # Panics
    /// When `planes` or `other` is too short for `values`.
    round_to_planes(values: &[f32], other: &[f32], step: f32, top: u32, plane_bytes: usize, planes: &mut [u8]) -> f64;
}

impl Kernels {
    /// The level of these kernels.
    pub fn level(&self) -> Level {
        self.level
    }
}

/// The kernels of `level`, or `None` where the CPU lacks it.
pub fn at(level: Level) -> Option<&'static Kernels> {
    level.available().then(|| arch::table(level)).flatten()
}

/// The level in use: the widest that the CPU has, if no other has been chosen.
pub fn level() -> Level {
    active().level
}

/// The kernels in use, once they have been chosen or used.
static ACTIVE: OnceLock<&Kernels> = OnceLock::new();

/// Lets the kernels of `level` be used instead of the widest. Whether they are in use now: not if the
/// CPU lacks the level, or others have been used already.
pub fn choose(level: Level) -> bool {
    at(level).is_some_and(|kernels| ACTIVE.get_or_init(|| kernels).level == level)
}

/// The kernels in use.
#[inline]
pub(crate) fn active() -> &'static Kernels {
    ACTIVE.get_or_init(|| at(Level::detect()).unwrap_or(&arch::scalar::KERNELS))
}
