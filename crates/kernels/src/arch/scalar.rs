//! Plain Rust: the twin that the other levels are tested against, and the fallback.

use super::{kernel_table, lane_kernels};
use crate::codes::{BitQuery, CodeShape, score_each};
use crate::lanes::Lanes;
use crate::{Kernels, Level, integer};

pub(crate) static KERNELS: Kernels =
    kernel_table!(Level::Scalar, integer::inner_product_i8, integer::hamming, score_codes);

lane_kernels!([f32; 8]);

fn score_codes(q: &BitQuery, codes: &[u8], shape: CodeShape, stride: usize, scores: &mut [i32]) {
    score_each(q, codes, shape, stride, scores);
}

/// Eight elements, which the compiler keeps in registers of the target's baseline. There is no
/// fused operation: it would be a library call.
impl Lanes for [f32; 8] {
    const LANES: usize = 8;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        [x; 8]
    }

    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        // SAFETY: the caller promises eight elements.
        unsafe { p.cast::<Self>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn load_first(p: *const f32, n: usize) -> Self {
        let mut x = [0.0; 8];
        // SAFETY: the caller promises `n` elements, and `n < 8`.
        unsafe { p.copy_to_nonoverlapping(x.as_mut_ptr(), n) };
        x
    }

    #[inline(always)]
    unsafe fn widen(p: *const [u8; 2]) -> Self {
        // SAFETY: the caller promises eight halves.
        unsafe { p.cast::<[[u8; 2]; 8]>().read_unaligned() }.map(widen)
    }

    #[inline(always)]
    unsafe fn widen_first(p: *const [u8; 2], n: usize) -> Self {
        let mut halves = [[0; 2]; 8];
        // SAFETY: the caller promises `n` halves, and `n < 8`.
        unsafe { p.copy_to_nonoverlapping(halves.as_mut_ptr(), n) };
        halves.map(widen)
    }

    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        // SAFETY: the caller promises room for eight elements.
        unsafe { p.cast::<Self>().write_unaligned(self) }
    }

    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        std::array::from_fn(|i| self[i] + b[i])
    }

    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        std::array::from_fn(|i| self[i] - b[i])
    }

    #[inline(always)]
    unsafe fn mul(self, b: Self) -> Self {
        std::array::from_fn(|i| self[i] * b[i])
    }

    #[inline(always)]
    unsafe fn mul_add(self, b: Self, c: Self) -> Self {
        std::array::from_fn(|i| self[i] * b[i] + c[i])
    }

    #[inline(always)]
    unsafe fn abs(self) -> Self {
        self.map(f32::abs)
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        let [a, b, c, d, e, f, g, h] = self;
        ((a + e) + (c + g)) + ((b + f) + (d + h))
    }
}

/// A half as `f32`, exactly. The exponent is rebased by a multiplication, which also normalises
/// subnormal halves; infinities and NaNs get the largest exponent.
#[inline(always)]
fn widen(half: [u8; 2]) -> f32 {
    const REBASE: f32 = f32::from_bits((127 + 112) << 23);
    let half = u32::from(u16::from_le_bytes(half));
    let magnitude = (f32::from_bits((half & 0x7fff) << 13) * REBASE).to_bits();
    let special = if half & 0x7c00 == 0x7c00 { 0x7f80_0000 } else { 0 };
    f32::from_bits(magnitude | special | (half & 0x8000) << 16)
}
