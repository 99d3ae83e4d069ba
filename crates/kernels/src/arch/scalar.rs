//! Plain Rust: the twin that the other levels are tested against, and the fallback.

use half::{bf16, f16};

use super::{kernel_table, lane_kernels};
use crate::codes::{BitQuery, CodeShape, score_each};
use crate::lanes::{FloatLanes, IntLanes};
use crate::{Kernels, Level, bits};

pub(crate) static KERNELS: Kernels = kernel_table!(
    Level::Scalar, [f32; 8], [i16; 8],
    inner_product_i8: bits::inner_product_i8,
    hamming: bits::hamming,
    jaccard_terms: bits::jaccard_terms,
    score_codes: score_codes,
    score_block: crate::codes::score_block
);

lane_kernels!([f32; 8]);

fn score_codes(q: &BitQuery, codes: &[u8], shape: CodeShape, stride: usize, scores: &mut [i32]) {
    score_each(q, codes, shape, stride, scores);
}

/// Eight elements, which the compiler keeps in registers of the target's baseline. There is no
/// fused operation: it would be a library call.
impl Lanes for [f32; 8] {
    const LANES: usize = 8;
    type Sums = Self;
    type Sum = f32;

    #[inline(always)]
    unsafe fn zero() -> Self {
        [0.0; 8]
    }

    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        std::array::from_fn(|i| self[i] - b[i])
    }

    #[inline(always)]
    unsafe fn mul_add(self, b: Self, sums: Self) -> Self {
        std::array::from_fn(|i| self[i] * b[i] + sums[i])
    }

    #[inline(always)]
    unsafe fn abs_add(self, sums: Self) -> Self {
        std::array::from_fn(|i| self[i].abs() + sums[i])
    }

    #[inline(always)]
    unsafe fn add(a: Self, b: Self) -> Self {
        std::array::from_fn(|i| a[i] + b[i])
    }

    #[inline(always)]
    unsafe fn total([a, b, c, d, e, f, g, h]: Self) -> f32 {
        ((a + e) + (c + g)) + ((b + f) + (d + h))
    }
}

impl FloatLanes for [f32; 8] {
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        // SAFETY: passed on to the caller.
        unsafe { read(p) }
    }

    #[inline(always)]
    unsafe fn load_first(p: *const f32, n: usize) -> Self {
        // SAFETY: passed on to the caller.
        unsafe { read_first(p, n) }
    }

    #[inline(always)]
    unsafe fn load_f16(p: *const f16) -> Self {
        // SAFETY: passed on to the caller.
        unsafe { read(p) }.map(widen)
    }

    #[inline(always)]
    unsafe fn load_first_f16(p: *const f16, n: usize) -> Self {
        // SAFETY: passed on to the caller.
        unsafe { read_first(p, n) }.map(widen)
    }

    #[inline(always)]
    unsafe fn load_bf16(p: *const bf16) -> Self {
        // SAFETY: passed on to the caller.
        unsafe { read(p) }.map(widen_bf16)
    }

    #[inline(always)]
    unsafe fn load_first_bf16(p: *const bf16, n: usize) -> Self {
        // SAFETY: passed on to the caller.
        unsafe { read_first(p, n) }.map(widen_bf16)
    }

    #[inline(always)]
    unsafe fn load_i8(p: *const i8) -> Self {
        // SAFETY: passed on to the caller.
        unsafe { read(p) }.map(f32::from)
    }

    #[inline(always)]
    unsafe fn load_i4(p: *const u8) -> Self {
        // SAFETY: the caller promises eight halves of bytes.
        let eight = u32::from_le_bytes(unsafe { p.cast::<[u8; 4]>().read_unaligned() });
        std::array::from_fn(|i| ((eight << (28 - 4 * i)) as i32 >> 28) as f32)
    }

    #[inline(always)]
    unsafe fn scale(self, factor: f32) -> Self {
        self.map(|x| x * factor)
    }

    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        // SAFETY: the caller promises room for eight elements.
        unsafe { p.cast::<Self>().write_unaligned(self) }
    }
}

/// Eight integers, as above.
impl Lanes for [i16; 8] {
    const LANES: usize = 8;
    type Sums = [i32; 8];
    type Sum = i32;

    #[inline(always)]
    unsafe fn zero() -> [i32; 8] {
        [0; 8]
    }

    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        std::array::from_fn(|i| self[i].wrapping_sub(b[i]))
    }

    #[inline(always)]
    unsafe fn mul_add(self, b: Self, sums: [i32; 8]) -> [i32; 8] {
        std::array::from_fn(|i| sums[i].wrapping_add(i32::from(self[i]) * i32::from(b[i])))
    }

    #[inline(always)]
    unsafe fn abs_add(self, sums: [i32; 8]) -> [i32; 8] {
        std::array::from_fn(|i| sums[i].wrapping_add(i32::from(self[i]).abs()))
    }

    #[inline(always)]
    unsafe fn add(a: [i32; 8], b: [i32; 8]) -> [i32; 8] {
        std::array::from_fn(|i| a[i].wrapping_add(b[i]))
    }

    #[inline(always)]
    unsafe fn total(sums: [i32; 8]) -> i32 {
        sums.into_iter().fold(0, i32::wrapping_add)
    }
}

impl IntLanes for [i16; 8] {
    #[inline(always)]
    unsafe fn load(p: *const i8) -> Self {
        // SAFETY: passed on to the caller.
        unsafe { read(p) }.map(i16::from)
    }

    #[inline(always)]
    unsafe fn load_first(p: *const i8, n: usize) -> Self {
        // SAFETY: passed on to the caller.
        unsafe { read_first(p, n) }.map(i16::from)
    }
}

/// # Safety
/// Eight elements can be read at `p`.
#[inline(always)]
unsafe fn read<E: Copy>(p: *const E) -> [E; 8] {
    // SAFETY: passed on to the caller.
    unsafe { p.cast::<[E; 8]>().read_unaligned() }
}

/// # Safety
/// `n` elements can be read at `p`, and `n < 8`.
#[inline(always)]
unsafe fn read_first<E: Copy + Default>(p: *const E, n: usize) -> [E; 8] {
    let mut x = [E::default(); 8];
    // SAFETY: as bytes, which need no alignment.
    unsafe { p.cast::<u8>().copy_to_nonoverlapping(x.as_mut_ptr().cast(), n * size_of::<E>()) };
    x
}

/// A half as `f32`, exactly. The exponent is rebased by a multiplication, which also normalises
/// subnormal halves; infinities and NaNs get the largest exponent.
#[inline(always)]
fn widen(half: f16) -> f32 {
    const REBASE: f32 = f32::from_bits((127 + 112) << 23);
    let half = u32::from(half.to_bits());
    let magnitude = (f32::from_bits((half & 0x7fff) << 13) * REBASE).to_bits();
    let special = if half & 0x7c00 == 0x7c00 { 0x7f80_0000 } else { 0 };
    f32::from_bits(magnitude | special | (half & 0x8000) << 16)
}

/// The upper half of an `f32`, with zeros below it.
#[inline(always)]
fn widen_bf16(half: bf16) -> f32 {
    f32::from_bits(u32::from(half.to_bits()) << 16)
}
