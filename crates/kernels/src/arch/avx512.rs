//! AVX-512 F, BW and VL; the integer kernels also want VNNI and VPOPCNTDQ, and are those of AVX2
//! without them.

use std::arch::x86_64::*;
use std::sync::LazyLock;

use half::{bf16, f16};

use super::{avx2, kernel_table, lane_kernels, transposed};
use crate::lanes::{FloatLanes, IntLanes};
use crate::{Kernels, Level};

/// The kernels for the extensions that the CPU has.
pub(crate) fn kernels() -> &'static Kernels {
    static KERNELS: LazyLock<Kernels> = LazyLock::new(|| {
        let mut kernels = kernel_table!(
            Level::Avx512, __m512, Ints<false>,
            inner_product_i8: avx2::inner_product_i8,
            hamming: avx2::hamming,
            jaccard_terms: avx2::jaccard_terms,
            score_codes: transposed::score_codes,
            score_block: transposed::score_block
        );
        if is_x86_feature_detected!("avx512vnni") {
            kernels.distances.i8 = vnni::distances::<Ints<true>, i8>();
            kernels.inner_product_i8 = inner_product_i8;
        }
        if is_x86_feature_detected!("avx512vpopcntdq") {
            kernels.hamming = hamming;
            kernels.jaccard_terms = jaccard_terms;
        }
        kernels
    });
    &KERNELS
}

lane_kernels!(
    __m512,
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx2,fma,f16c,popcnt")]
);

/// Distances with VNNI on top.
mod vnni {
    crate::arch::distance_kernels!(
        #[target_feature(enable = "avx512vnni,avx512f,avx512bw,avx512vl,avx2,popcnt")]
    );
}

#[allow(unsafe_op_in_unsafe_fn, reason = "the trait's precondition is all that intrinsics need")]
impl Lanes for __m512 {
    const LANES: usize = 16;
    type Sums = Self;
    type Sum = f32;

    #[inline(always)]
    unsafe fn zero() -> Self {
        _mm512_setzero_ps()
    }

    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        _mm512_sub_ps(self, b)
    }

    #[inline(always)]
    unsafe fn mul_add(self, b: Self, sums: Self) -> Self {
        _mm512_fmadd_ps(self, b, sums)
    }

    #[inline(always)]
    unsafe fn abs_add(self, sums: Self) -> Self {
        _mm512_add_ps(sums, _mm512_abs_ps(self))
    }

    #[inline(always)]
    unsafe fn add(a: Self, b: Self) -> Self {
        _mm512_add_ps(a, b)
    }

    #[inline(always)]
    unsafe fn total(sums: Self) -> f32 {
        _mm512_reduce_add_ps(sums)
    }
}

#[allow(unsafe_op_in_unsafe_fn, reason = "the trait's precondition is all that intrinsics need")]
impl FloatLanes for __m512 {
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        _mm512_loadu_ps(p)
    }

    #[inline(always)]
    unsafe fn load_first(p: *const f32, n: usize) -> Self {
        _mm512_maskz_loadu_ps((1 << n) - 1, p)
    }

    #[inline(always)]
    unsafe fn load_f16(p: *const f16) -> Self {
        _mm512_cvtph_ps(_mm256_loadu_si256(p.cast()))
    }

    #[inline(always)]
    unsafe fn load_first_f16(p: *const f16, n: usize) -> Self {
        _mm512_cvtph_ps(_mm256_maskz_loadu_epi16((1 << n) - 1, p.cast()))
    }

    #[inline(always)]
    unsafe fn load_bf16(p: *const bf16) -> Self {
        widen_bf16(_mm256_loadu_si256(p.cast()))
    }

    #[inline(always)]
    unsafe fn load_first_bf16(p: *const bf16, n: usize) -> Self {
        widen_bf16(_mm256_maskz_loadu_epi16((1 << n) - 1, p.cast()))
    }

    #[inline(always)]
    unsafe fn load_i8(p: *const i8) -> Self {
        _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(p.cast())))
    }

    #[inline(always)]
    unsafe fn load_i4(p: *const u8) -> Self {
        let (low, high) = (p.cast::<i32>().read_unaligned(), p.cast::<i32>().add(1));
        let low = _mm512_castsi256_si512(_mm256_set1_epi32(low));
        let all = _mm512_inserti64x4::<1>(low, _mm256_set1_epi32(high.read_unaligned()));
        let to_top = _mm512_setr_epi32(28, 24, 20, 16, 12, 8, 4, 0, 28, 24, 20, 16, 12, 8, 4, 0);
        _mm512_cvtepi32_ps(_mm512_srai_epi32::<28>(_mm512_sllv_epi32(all, to_top)))
    }

    #[inline(always)]
    unsafe fn scale(self, factor: f32) -> Self {
        _mm512_mul_ps(self, _mm512_set1_ps(factor))
    }

    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        _mm512_storeu_ps(p, self);
    }
}

/// Widens by zeros below.
#[inline]
#[target_feature(enable = "avx512f")]
fn widen_bf16(halves: __m256i) -> __m512 {
    _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(halves)))
}

/// Thirty-two elements, two of which add to each sum; `VNNI` tells whether that takes a single
/// instruction.
#[derive(Clone, Copy)]
struct Ints<const VNNI: bool>(__m512i);

#[allow(unsafe_op_in_unsafe_fn, reason = "the trait's precondition is all that intrinsics need")]
impl<const VNNI: bool> Lanes for Ints<VNNI> {
    const LANES: usize = 32;
    type Sums = __m512i;
    type Sum = i32;

    #[inline(always)]
    unsafe fn zero() -> __m512i {
        _mm512_setzero_si512()
    }

    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        Self(_mm512_sub_epi16(self.0, b.0))
    }

    #[inline(always)]
    unsafe fn mul_add(self, b: Self, sums: __m512i) -> __m512i {
        if VNNI {
            _mm512_dpwssd_epi32(sums, self.0, b.0)
        } else {
            _mm512_add_epi32(sums, _mm512_madd_epi16(self.0, b.0))
        }
    }

    #[inline(always)]
    unsafe fn abs_add(self, sums: __m512i) -> __m512i {
        Self(_mm512_abs_epi16(self.0)).mul_add(Self(_mm512_set1_epi16(1)), sums)
    }

    #[inline(always)]
    unsafe fn add(a: __m512i, b: __m512i) -> __m512i {
        _mm512_add_epi32(a, b)
    }

    #[inline(always)]
    unsafe fn total(sums: __m512i) -> i32 {
        _mm512_reduce_add_epi32(sums)
    }
}

#[allow(unsafe_op_in_unsafe_fn, reason = "the trait's precondition is all that intrinsics need")]
impl<const VNNI: bool> IntLanes for Ints<VNNI> {
    #[inline(always)]
    unsafe fn load(p: *const i8) -> Self {
        Self(_mm512_cvtepi8_epi16(_mm256_loadu_si256(p.cast())))
    }

    #[inline(always)]
    unsafe fn load_first(p: *const i8, n: usize) -> Self {
        Self(_mm512_cvtepi8_epi16(_mm256_maskz_loadu_epi8((1 << n) - 1, p)))
    }
}

/// As in AVX2, magnitudes of `a` times values of `b` that took over the signs of `a`.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn inner_product_i8(a: &[i8], b: &[i8]) -> i32 {
    let n = a.len().min(b.len());
    let mut sum = _mm512_setzero_si512();
    for start in (0..n).step_by(64) {
        let mask = u64::MAX >> (64 - (n - start).min(64));
        // SAFETY: the mask ends at `n`, which both slices reach.
        let (a, b) = unsafe {
            (
                _mm512_maskz_loadu_epi8(mask, a.as_ptr().add(start)),
                _mm512_maskz_loadu_epi8(mask, b.as_ptr().add(start)),
            )
        };
        let b = _mm512_mask_sub_epi8(b, _mm512_movepi8_mask(a), _mm512_setzero_si512(), b);
        sum = _mm512_dpbusd_epi32(sum, _mm512_abs_epi8(a), b);
    }
    _mm512_reduce_add_epi32(sum)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vpopcntdq,popcnt")]
fn hamming(a: &[u8], b: &[u8]) -> u32 {
    crate::bits::hamming(a, b)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vpopcntdq,popcnt")]
fn jaccard_terms(a: &[u8], b: &[u8]) -> (u32, u32) {
    crate::bits::jaccard_terms(a, b)
}
