//! AVX2 with FMA, F16C and POPCNT.

use std::arch::x86_64::*;

use half::{bf16, f16};

use super::transposed::score_codes;
use super::{kernel_table, lane_kernels};
use crate::lanes::{FloatLanes, IntLanes};
use crate::{Kernels, Level, bits};

pub(crate) static KERNELS: Kernels = kernel_table!(
    Level::Avx2, __m256, __m256i,
    inner_product_i8: inner_product_i8,
    hamming: hamming,
    jaccard_terms: jaccard_terms,
    score_codes: score_codes,
    score_block: super::transposed::score_block
);

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
    type Sums = Self;
    type Sum = f32;

    #[inline(always)]
    unsafe fn zero() -> Self {
        _mm256_setzero_ps()
    }

    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        _mm256_sub_ps(self, b)
    }

    #[inline(always)]
    unsafe fn mul_add(self, b: Self, sums: Self) -> Self {
        _mm256_fmadd_ps(self, b, sums)
    }

    #[inline(always)]
    unsafe fn abs_add(self, sums: Self) -> Self {
        _mm256_add_ps(sums, _mm256_andnot_ps(_mm256_set1_ps(-0.0), self))
    }

    #[inline(always)]
    unsafe fn add(a: Self, b: Self) -> Self {
        _mm256_add_ps(a, b)
    }

    #[inline(always)]
    unsafe fn total(sums: Self) -> f32 {
        let four = _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps::<1>(sums));
        let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
    }
}

#[allow(unsafe_op_in_unsafe_fn, reason = "the trait's precondition is all that intrinsics need")]
impl FloatLanes for __m256 {
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        _mm256_loadu_ps(p)
    }

    #[inline(always)]
    unsafe fn load_first(p: *const f32, n: usize) -> Self {
        _mm256_maskload_ps(p, _mm256_loadu_si256(FIRST.as_ptr().add(8 - n).cast()))
    }

    #[inline(always)]
    unsafe fn load_f16(p: *const f16) -> Self {
        _mm256_cvtph_ps(_mm_loadu_si128(p.cast()))
    }

    #[inline(always)]
    unsafe fn load_first_f16(p: *const f16, n: usize) -> Self {
        _mm256_cvtph_ps(first_halves(p.cast(), n))
    }

    #[inline(always)]
    unsafe fn load_bf16(p: *const bf16) -> Self {
        widen_bf16(_mm_loadu_si128(p.cast()))
    }

    #[inline(always)]
    unsafe fn load_first_bf16(p: *const bf16, n: usize) -> Self {
        widen_bf16(first_halves(p.cast(), n))
    }

    #[inline(always)]
    unsafe fn load_i8(p: *const i8) -> Self {
        _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(p.cast())))
    }

    #[inline(always)]
    unsafe fn load_i4(p: *const u8) -> Self {
        let eight = _mm256_set1_epi32(p.cast::<i32>().read_unaligned());
        let to_top = _mm256_setr_epi32(28, 24, 20, 16, 12, 8, 4, 0);
        _mm256_cvtepi32_ps(_mm256_srai_epi32::<28>(_mm256_sllv_epi32(eight, to_top)))
    }

    #[inline(always)]
    unsafe fn scale(self, factor: f32) -> Self {
        _mm256_mul_ps(self, _mm256_set1_ps(factor))
    }

    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        _mm256_storeu_ps(p, self);
    }
}

/// Loads `n < 8` numbers of 16 bits: pairs under a mask, then the last, which may lack a partner.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn first_halves(p: *const [u8; 2], n: usize) -> __m128i {
    // SAFETY: the caller promises `0 < n < 8` numbers; the windows lie within their tables.
    unsafe {
        let are_pairs = _mm_loadu_si128(FIRST.as_ptr().add(8 - n / 2).cast());
        let pairs = _mm_maskload_epi32(p.cast(), are_pairs);
        let last = _mm_set1_epi16(i16::from_le_bytes(*p.add(n - 1)));
        let is_last = _mm_loadu_si128(LAST.as_ptr().add(8 - n).cast());
        _mm_blendv_epi8(pairs, last, is_last)
    }
}

/// Loads `n < 16` bytes: words at the start and at the end, which may overlap.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn first_bytes(p: *const u8, n: usize) -> __m128i {
    // SAFETY: the caller promises `0 < n < 16` bytes, and no word ends past them.
    let (low, high) = unsafe {
        let four = |at| u64::from(p.add(at).cast::<u32>().read_unaligned());
        let eight = |at| p.add(at).cast::<u64>().read_unaligned();
        let one = |at| u64::from(*p.add(at)) << (8 * at);
        match n {
            0..4 => (one(0) | one(n / 2) | one(n - 1), 0),
            4..=8 => (four(0) | four(n - 4) << (8 * (n - 4)), 0),
            _ => (eight(0), eight(n - 8) >> (8 * (16 - n))),
        }
    };
    _mm_set_epi64x(high as i64, low as i64)
}

/// Widens by zeros below.
#[inline]
#[target_feature(enable = "avx2")]
fn widen_bf16(halves: __m128i) -> __m256 {
    _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(halves)))
}

/// Sixteen elements, two of which add to each sum.
#[allow(unsafe_op_in_unsafe_fn, reason = "the trait's precondition is all that intrinsics need")]
impl Lanes for __m256i {
    const LANES: usize = 16;
    type Sums = Self;
    type Sum = i32;

    #[inline(always)]
    unsafe fn zero() -> Self {
        _mm256_setzero_si256()
    }

    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        _mm256_sub_epi16(self, b)
    }

    #[inline(always)]
    unsafe fn mul_add(self, b: Self, sums: Self) -> Self {
        _mm256_add_epi32(sums, _mm256_madd_epi16(self, b))
    }

    #[inline(always)]
    unsafe fn abs_add(self, sums: Self) -> Self {
        _mm256_abs_epi16(self).mul_add(_mm256_set1_epi16(1), sums)
    }

    #[inline(always)]
    unsafe fn add(a: Self, b: Self) -> Self {
        _mm256_add_epi32(a, b)
    }

    #[inline(always)]
    unsafe fn total(sums: Self) -> i32 {
        let four = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
        let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b01_00_11_10>(four));
        _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<0b10_11_00_01>(two)))
    }
}

#[allow(unsafe_op_in_unsafe_fn, reason = "the trait's precondition is all that intrinsics need")]
impl IntLanes for __m256i {
    #[inline(always)]
    unsafe fn load(p: *const i8) -> Self {
        _mm256_cvtepi8_epi16(_mm_loadu_si128(p.cast()))
    }

    #[inline(always)]
    unsafe fn load_first(p: *const i8, n: usize) -> Self {
        _mm256_cvtepi8_epi16(first_bytes(p.cast(), n))
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
    // SAFETY: this function enables the instruction set of the lanes.
    let sum = unsafe { __m256i::total(sum) };
    sum + bits::inner_product_i8(a_rest, b_rest)
}

/// Counts bits word by word. AVX2 is left out, as the compiler would vectorise the count, which is
/// slower for vectors of usual lengths.
#[target_feature(enable = "popcnt")]
pub(super) fn hamming(a: &[u8], b: &[u8]) -> u32 {
    bits::hamming(a, b)
}

/// As [`hamming`].
#[target_feature(enable = "popcnt")]
pub(super) fn jaccard_terms(a: &[u8], b: &[u8]) -> (u32, u32) {
    bits::jaccard_terms(a, b)
}
