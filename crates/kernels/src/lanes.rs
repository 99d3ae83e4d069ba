//! The vector operations that the kernels are written in.

use half::{bf16, f16};

/// The lanes of the widest register of floats.
pub(crate) const MAX_LANES: usize = 16;

/// A register of lanes, each with one element of a vector.
///
/// # Safety
/// Every method requires that the CPU has the instruction set of the implementing type, and must
/// be inlined into a function that enables it. Pointers need no alignment.
pub(crate) trait Lanes: Copy {
    /// The number of lanes.
    const LANES: usize;

    /// A register of sums, not necessarily one for each lane.
    type Sums: Copy;

    /// What the sums add up to.
    type Sum;

    /// Sums of nothing.
    unsafe fn zero() -> Self::Sums;

    /// `self - b`.
    unsafe fn sub(self, b: Self) -> Self;

    /// `sums + self * b`, rounded once where the instruction set has a fused operation.
    unsafe fn mul_add(self, b: Self, sums: Self::Sums) -> Self::Sums;

    /// `sums + |self|`.
    unsafe fn abs_add(self, sums: Self::Sums) -> Self::Sums;

    /// `a + b`.
    unsafe fn add(a: Self::Sums, b: Self::Sums) -> Self::Sums;

    /// The sum of all sums, in a fixed order.
    unsafe fn total(sums: Self::Sums) -> Self::Sum;
}

/// Lanes of `f32`. A `load` of one type of elements reads `LANES` of them; a `load_first` reads
/// `n`, with `0 < n < LANES`, nothing past them, and has zeros in the other lanes.
///
/// # Safety
/// As for [`Lanes`]; and what a method reads or writes must exist.
pub(crate) trait FloatLanes: Lanes<Sum = f32> {
    unsafe fn load(p: *const f32) -> Self;
    unsafe fn load_first(p: *const f32, n: usize) -> Self;

    unsafe fn load_f16(p: *const f16) -> Self;
    unsafe fn load_first_f16(p: *const f16, n: usize) -> Self;

    unsafe fn load_bf16(p: *const bf16) -> Self;
    unsafe fn load_first_bf16(p: *const bf16, n: usize) -> Self;

    /// `LANES` integers of 8 bits.
    unsafe fn load_i8(p: *const i8) -> Self;

    /// `LANES` integers of 4 bits, two a byte, the lower half first.
    unsafe fn load_i4(p: *const u8) -> Self;

    /// `self * factor` in each lane.
    unsafe fn scale(self, factor: f32) -> Self;

    /// Writes all lanes to `p`.
    unsafe fn store(self, p: *mut f32);
}

/// Lanes of `i16`, which hold differences of `i8` elements, with sums of `i32`. Loads are as for
/// [`FloatLanes`].
///
/// # Safety
/// As for [`Lanes`]; and what a method reads must exist.
pub(crate) trait IntLanes: Lanes<Sum = i32> {
    unsafe fn load(p: *const i8) -> Self;
    unsafe fn load_first(p: *const i8, n: usize) -> Self;
}
