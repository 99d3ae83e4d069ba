//! AVX2 with FMA, F16C and POPCNT.

use std::arch::x86_64::*;

use super::transposed::score_codes;
use super::{kernel_table, lane_kernels};
use crate::lanes::Lanes;
use crate::{Kernels, Level, integer};

pub(crate) static KERNELS: Kernels =
    kernel_table!(Level::Avx2, inner_product_i8, hamming, score_codes);

lane_kernels!(__m256, #[target_feature(enable = "avx2,fma,f16c,popcnt")]);

/// A window of eight starting at `8 - n` has `n` ones, then zeros.
static FIRST: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

/// A window of eight starting at `8 - n` has a one at position `n - 1` only.
static LAST: [i16; 15] = [0, 0, 0, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0];

// Each method has the precondition of the trait, and adds none: what they read and write is what
// the trait says, and masked lanes are not touched.
#[allow(unsafe_op_in_unsafe_fn, reason = "the trait's precondition is all that intrinsics need")]
impl Lanes for __m256 {
    const LANES: usize = 8;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        _mm256_set1_ps(x)
    }

    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        _mm256_loadu_ps(p)
    }

    #[inline(always)]
    unsafe fn load_first(p: *const f32, n: usize) -> Self {
        _mm256_maskload_ps(p, _mm256_loadu_si256(FIRST.as_ptr().add(8 - n).cast()))
    }

    #[inline(always)]
    unsafe fn widen(p: *const [u8; 2]) -> Self {
        _mm256_cvtph_ps(_mm_loadu_si128(p.cast()))
    }

    /// Loads pairs of halves under a mask, then puts the last half, which may lack a partner.
    #[inline(always)]
    unsafe fn widen_first(p: *const [u8; 2], n: usize) -> Self {
        let pairs =
            _mm_maskload_epi32(p.cast(), _mm_loadu_si128(FIRST.as_ptr().add(8 - n / 2).cast()));
        let last = _mm_set1_epi16(i16::from_le_bytes(*p.add(n - 1)));
        let is_last = _mm_loadu_si128(LAST.as_ptr().add(8 - n).cast());
        _mm256_cvtph_ps(_mm_blendv_epi8(pairs, last, is_last))
    }

    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        _mm256_storeu_ps(p, self);
    }

    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        _mm256_add_ps(self, b)
    }

    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        _mm256_sub_ps(self, b)
    }

    #[inline(always)]
    unsafe fn mul(self, b: Self) -> Self {
        _mm256_mul_ps(self, b)
    }

    #[inline(always)]
    unsafe fn mul_add(self, b: Self, c: Self) -> Self {
        _mm256_fmadd_ps(self, b, c)
    }

    #[inline(always)]
    unsafe fn abs(self) -> Self {
        _mm256_andnot_ps(_mm256_set1_ps(-0.0), self)
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        let four = _mm_add_ps(_mm256_castps256_ps128(self), _mm256_extractf128_ps::<1>(self));
        let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
    }
}

/// Multiplies magnitudes of `a` with values of `b` that took over the signs of `a`: the sum of
/// two products is at most `2 * 127 * 127`, which fits 16 bits.
#[target_feature(enable = "avx2")]
pub(super) fn inner_product_i8(a: &[i8], b: &[i8]) -> i32 {
    let n = a.len().min(b.len());
    let (a, a_rest) = a[..n].as_chunks::<32>();
    let (b, b_rest) = b[..n].as_chunks::<32>();
    let ones = _mm256_set1_epi16(1);
    let mut sum = _mm256_setzero_si256();
    for (a, b) in a.iter().zip(b) {
        // SAFETY: both are 32 bytes.
        let (a, b) = unsafe {
            (_mm256_loadu_si256(a.as_ptr().cast()), _mm256_loadu_si256(b.as_ptr().cast()))
        };
        let pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(a), _mm256_sign_epi8(b, a));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, ones));
    }
    let four = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
    let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b01_00_11_10>(four));
    let one = _mm_add_epi32(two, _mm_shuffle_epi32::<0b10_11_00_01>(two));
    _mm_cvtsi128_si32(one) + integer::inner_product_i8(a_rest, b_rest)
}

/// Counts bits word by word. AVX2 is left out, as the compiler would vectorise the count, which is
/// slower for vectors of usual lengths.
#[target_feature(enable = "popcnt")]
pub(super) fn hamming(a: &[u8], b: &[u8]) -> u32 {
    integer::hamming(a, b)
}
