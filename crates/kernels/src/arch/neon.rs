//! AArch64 Advanced SIMD, which every AArch64 CPU has.

use std::arch::aarch64::*;

use super::{kernel_table, lane_kernels};
use crate::codes::{BitQuery, CodeShape, score_each};
use crate::lanes::Lanes;
use crate::{Kernels, Level, integer};

pub(crate) static KERNELS: Kernels =
    kernel_table!(Level::Neon, inner_product_i8, hamming, score_codes);

lane_kernels!(float32x4_t, #[target_feature(enable = "neon")]);

#[target_feature(enable = "neon")]
fn score_codes(q: &BitQuery, codes: &[u8], shape: CodeShape, stride: usize, scores: &mut [i32]) {
    score_each(q, codes, shape, stride, scores);
}

#[allow(unsafe_op_in_unsafe_fn, reason = "the trait's precondition is all that intrinsics need")]
impl Lanes for float32x4_t {
    const LANES: usize = 4;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        vdupq_n_f32(x)
    }

    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        vld1q_f32(p)
    }

    #[inline(always)]
    unsafe fn load_first(p: *const f32, n: usize) -> Self {
        let mut x = [0.0; 4];
        p.copy_to_nonoverlapping(x.as_mut_ptr(), n);
        vld1q_f32(x.as_ptr())
    }

    #[inline(always)]
    unsafe fn widen(p: *const [u8; 2]) -> Self {
        vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p.cast())))
    }

    #[inline(always)]
    unsafe fn widen_first(p: *const [u8; 2], n: usize) -> Self {
        let mut halves = [[0; 2]; 4];
        p.copy_to_nonoverlapping(halves.as_mut_ptr(), n);
        Self::widen(halves.as_ptr())
    }

    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        vst1q_f32(p, self);
    }

    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        vaddq_f32(self, b)
    }

    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        vsubq_f32(self, b)
    }

    #[inline(always)]
    unsafe fn mul(self, b: Self) -> Self {
        vmulq_f32(self, b)
    }

    #[inline(always)]
    unsafe fn mul_add(self, b: Self, c: Self) -> Self {
        vfmaq_f32(c, self, b)
    }

    #[inline(always)]
    unsafe fn abs(self) -> Self {
        vabsq_f32(self)
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        vaddvq_f32(self)
    }
}

#[target_feature(enable = "neon")]
fn inner_product_i8(a: &[i8], b: &[i8]) -> i32 {
    let n = a.len().min(b.len());
    let (a, a_rest) = a[..n].as_chunks::<8>();
    let (b, b_rest) = b[..n].as_chunks::<8>();
    let mut sum = vdupq_n_s32(0);
    for (a, b) in a.iter().zip(b) {
        // SAFETY: both are eight bytes.
        let (a, b) = unsafe { (vld1_s8(a.as_ptr()), vld1_s8(b.as_ptr())) };
        sum = vpadalq_s16(sum, vmull_s8(a, b));
    }
    vaddvq_s32(sum) + integer::inner_product_i8(a_rest, b_rest)
}

#[target_feature(enable = "neon")]
fn hamming(a: &[u8], b: &[u8]) -> u32 {
    integer::hamming(a, b)
}
