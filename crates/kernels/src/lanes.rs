//! The vector operations that the floating-point kernels are written in.

/// A register of `f32` lanes.
///
/// # Safety
/// Every method requires that the CPU has the instruction set of the implementing type, and must
/// be inlined into a function that enables it. Pointers need no alignment.
pub(crate) trait Lanes: Copy {
    /// The number of lanes.
    const LANES: usize;

    /// All lanes set to `x`.
    unsafe fn splat(x: f32) -> Self;

    /// The elements at `p`; `LANES` of them must be readable.
    unsafe fn load(p: *const f32) -> Self;

    /// The `n` elements at `p`, then zeros; `0 < n < LANES`, and nothing past them is read.
    unsafe fn load_first(p: *const f32, n: usize) -> Self;

    /// The IEEE halves at `p`, widened; `LANES` of them must be readable.
    unsafe fn widen(p: *const [u8; 2]) -> Self;

    /// The `n` halves at `p`, widened, then zeros; `0 < n < LANES`, and nothing past them is read.
    unsafe fn widen_first(p: *const [u8; 2], n: usize) -> Self;

    /// Writes all lanes to `p`; `LANES` elements must be writable.
    unsafe fn store(self, p: *mut f32);

    /// `self + b`.
    unsafe fn add(self, b: Self) -> Self;

    /// `self - b`.
    unsafe fn sub(self, b: Self) -> Self;

    /// `self * b`.
    unsafe fn mul(self, b: Self) -> Self;

    /// `self * b + c`, rounded once where the instruction set has a fused operation.
    unsafe fn mul_add(self, b: Self, c: Self) -> Self;

    /// The absolute value.
    unsafe fn abs(self) -> Self;

    /// The sum of all lanes, in a fixed order.
    unsafe fn sum(self) -> f32;
}
