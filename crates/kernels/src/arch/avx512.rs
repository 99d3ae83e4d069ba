//! AVX-512 F, BW and VL; the integer kernels also want VNNI and VPOPCNTDQ, and are those of AVX2
//! without them.

use std::arch::x86_64::*;
use std::sync::LazyLock;

use super::{avx2, kernel_table, lane_kernels, transposed};
use crate::lanes::Lanes;
use crate::{Kernels, Level};

/// The kernels for the extensions that the CPU has.
pub(crate) fn kernels() -> &'static Kernels {
    static KERNELS: LazyLock<Kernels> = LazyLock::new(|| {
        let mut kernels = kernel_table!(
            Level::Avx512,
            avx2::inner_product_i8,
            avx2::hamming,
            transposed::score_codes
        );
        if is_x86_feature_detected!("avx512vnni") {
            kernels.inner_product_i8 = inner_product_i8;
        }
        if is_x86_feature_detected!("avx512vpopcntdq") {
            kernels.hamming = hamming;
        }
        kernels
    });
    &KERNELS
}

lane_kernels!(
    __m512,
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx2,fma,f16c,popcnt")]
);

#[allow(unsafe_op_in_unsafe_fn, reason = "the trait's precondition is all that intrinsics need")]
impl Lanes for __m512 {
    const LANES: usize = 16;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        _mm512_set1_ps(x)
    }

    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        _mm512_loadu_ps(p)
    }

    #[inline(always)]
    unsafe fn load_first(p: *const f32, n: usize) -> Self {
        _mm512_maskz_loadu_ps((1 << n) - 1, p)
    }

    #[inline(always)]
    unsafe fn widen(p: *const [u8; 2]) -> Self {
        _mm512_cvtph_ps(_mm256_loadu_si256(p.cast()))
    }

    #[inline(always)]
    unsafe fn widen_first(p: *const [u8; 2], n: usize) -> Self {
        _mm512_cvtph_ps(_mm256_maskz_loadu_epi16((1 << n) - 1, p.cast()))
    }

    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        _mm512_storeu_ps(p, self);
    }

    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        _mm512_add_ps(self, b)
    }

    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        _mm512_sub_ps(self, b)
    }

    #[inline(always)]
    unsafe fn mul(self, b: Self) -> Self {
        _mm512_mul_ps(self, b)
    }

    #[inline(always)]
    unsafe fn mul_add(self, b: Self, c: Self) -> Self {
        _mm512_fmadd_ps(self, b, c)
    }

    #[inline(always)]
    unsafe fn abs(self) -> Self {
        _mm512_abs_ps(self)
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        _mm512_reduce_add_ps(self)
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
    crate::integer::hamming(a, b)
}
