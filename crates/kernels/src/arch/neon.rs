//! AArch64 Advanced SIMD, which every AArch64 CPU has.

use std::arch::aarch64::*;

use half::{bf16, f16};

use super::{kernel_table, lane_kernels};
use crate::codes::{BitQuery, CodeShape, score_each};
use crate::lanes::{FloatLanes, IntLanes};
use crate::{Kernels, Level, bits};

pub(crate) static KERNELS: Kernels = kernel_table!(
    Level::Neon, float32x4_t, int16x8_t,
    inner_product_i8: inner_product_i8,
    hamming: hamming,
    jaccard_terms: jaccard_terms,
    score_codes: score_codes,
    score_block: crate::codes::score_block
);

lane_kernels!(float32x4_t, #[target_feature(enable = "neon")]);

#[target_feature(enable = "neon")]
fn score_codes(q: &BitQuery, codes: &[u8], shape: CodeShape, stride: usize, scores: &mut [i32]) {
    score_each(q, codes, shape, stride, scores);
}

#[allow(unsafe_op_in_unsafe_fn, reason = "the trait's precondition is all that intrinsics need")]
impl Lanes for float32x4_t {
    const LANES: usize = 4;
    type Sums = Self;
    type Sum = f32;

    #[inline(always)]
    unsafe fn zero() -> Self {
        vdupq_n_f32(0.0)
    }

    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        vsubq_f32(self, b)
    }

    #[inline(always)]
    unsafe fn mul_add(self, b: Self, sums: Self) -> Self {
        vfmaq_f32(sums, self, b)
    }

    #[inline(always)]
    unsafe fn abs_add(self, sums: Self) -> Self {
        vaddq_f32(sums, vabsq_f32(self))
    }

    #[inline(always)]
    unsafe fn add(a: Self, b: Self) -> Self {
        vaddq_f32(a, b)
    }

    #[inline(always)]
    unsafe fn total(sums: Self) -> f32 {
        vaddvq_f32(sums)
    }
}

#[allow(unsafe_op_in_unsafe_fn, reason = "the trait's precondition is all that intrinsics need")]
impl FloatLanes for float32x4_t {
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        vld1q_f32(p)
    }

    #[inline(always)]
    unsafe fn load_first(p: *const f32, n: usize) -> Self {
        vld1q_f32(first::<f32, 4>(p, n).as_ptr())
    }

    #[inline(always)]
    unsafe fn load_f16(p: *const f16) -> Self {
        vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p.cast())))
    }

    #[inline(always)]
    unsafe fn load_first_f16(p: *const f16, n: usize) -> Self {
        Self::load_f16(first::<f16, 4>(p, n).as_ptr())
    }

    #[inline(always)]
    unsafe fn load_bf16(p: *const bf16) -> Self {
        vreinterpretq_f32_u32(vshll_n_u16::<16>(vreinterpret_u16_u8(vld1_u8(p.cast()))))
    }

    #[inline(always)]
    unsafe fn load_first_bf16(p: *const bf16, n: usize) -> Self {
        Self::load_bf16(first::<bf16, 4>(p, n).as_ptr())
    }

    #[inline(always)]
    unsafe fn load_i8(p: *const i8) -> Self {
        let four = vreinterpret_s8_u32(vdup_n_u32(p.cast::<u32>().read_unaligned()));
        vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(four))))
    }

    #[inline(always)]
    unsafe fn load_i4(p: *const u8) -> Self {
        let four = vdupq_n_s32(p.cast::<u16>().read_unaligned().into());
        let to_top = vld1q_s32([28, 24, 20, 16].as_ptr());
        vcvtq_f32_s32(vshrq_n_s32::<28>(vshlq_s32(four, to_top)))
    }

    #[inline(always)]
    unsafe fn scale(self, factor: f32) -> Self {
        vmulq_n_f32(self, factor)
    }

    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        vst1q_f32(p, self);
    }
}

/// Eight elements, two of which add to each sum.
#[allow(unsafe_op_in_unsafe_fn, reason = "the trait's precondition is all that intrinsics need")]
impl Lanes for int16x8_t {
    const LANES: usize = 8;
    type Sums = int32x4_t;
    type Sum = i32;

    #[inline(always)]
    unsafe fn zero() -> int32x4_t {
        vdupq_n_s32(0)
    }

    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        vsubq_s16(self, b)
    }

    #[inline(always)]
    unsafe fn mul_add(self, b: Self, sums: int32x4_t) -> int32x4_t {
        let sums = vmlal_s16(sums, vget_low_s16(self), vget_low_s16(b));
        vmlal_high_s16(sums, self, b)
    }

    #[inline(always)]
    unsafe fn abs_add(self, sums: int32x4_t) -> int32x4_t {
        vpadalq_s16(sums, vabsq_s16(self))
    }

    #[inline(always)]
    unsafe fn add(a: int32x4_t, b: int32x4_t) -> int32x4_t {
        vaddq_s32(a, b)
    }

    #[inline(always)]
    unsafe fn total(sums: int32x4_t) -> i32 {
        vaddvq_s32(sums)
    }
}

#[allow(unsafe_op_in_unsafe_fn, reason = "the trait's precondition is all that intrinsics need")]
impl IntLanes for int16x8_t {
    #[inline(always)]
    unsafe fn load(p: *const i8) -> Self {
        vmovl_s8(vld1_s8(p))
    }

    #[inline(always)]
    unsafe fn load_first(p: *const i8, n: usize) -> Self {
        vmovl_s8(vld1_s8(first::<i8, 8>(p, n).as_ptr()))
    }
}

/// The `n` elements at `p`, then zeros.
///
/// # Safety
/// They exist, and `n < LANES`.
#[inline(always)]
unsafe fn first<E: Copy + Default, const LANES: usize>(p: *const E, n: usize) -> [E; LANES] {
    let mut x = [E::default(); LANES];
    // SAFETY: as bytes, which need no alignment.
    unsafe { p.cast::<u8>().copy_to_nonoverlapping(x.as_mut_ptr().cast(), n * size_of::<E>()) };
    x
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
    vaddvq_s32(sum) + bits::inner_product_i8(a_rest, b_rest)
}

#[target_feature(enable = "neon")]
fn hamming(a: &[u8], b: &[u8]) -> u32 {
    bits::hamming(a, b)
}

#[target_feature(enable = "neon")]
fn jaccard_terms(a: &[u8], b: &[u8]) -> (u32, u32) {
    bits::jaccard_terms(a, b)
}
