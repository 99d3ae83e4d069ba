//! Floating-point distances, written once for all instruction sets and both operand types.
//!
//! Each sum is kept in [`UNROLL`] registers, which hides the latency of the additions; the rest
//! of the vector is loaded into zeroed lanes, which add nothing. As the order of operations does
//! not depend on the type of the second operand, `f32` and half operands of the same value give
//! the same bits.

use crate::lanes::Lanes;

/// Registers per sum: four chains of fused multiply-adds saturate two loads per cycle.
const UNROLL: usize = 4;

/// What the cosine distance is made of: `1 - dot / sqrt(norm_a * norm_b)`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CosineTerms {
    /// The inner product of both vectors.
    pub dot: f32,
    /// The squared Euclidean norm of the first vector.
    pub norm_a: f32,
    /// The squared Euclidean norm of the second vector.
    pub norm_b: f32,
}

/// The second operand of a distance: elements that can be loaded as `f32` lanes.
pub(crate) trait Operand: Copy {
    fn len(self) -> usize;

    /// Elements `i..i + V::LANES`.
    ///
    /// # Safety
    /// They exist, and `V` may be used.
    unsafe fn load<V: Lanes>(self, i: usize) -> V;

    /// Elements `i..i + n`, then zeros.
    ///
    /// # Safety
    /// They exist, `0 < n < V::LANES`, and `V` may be used.
    unsafe fn load_first<V: Lanes>(self, i: usize, n: usize) -> V;
}

/// Elements as they are.
#[derive(Clone, Copy)]
pub(crate) struct Floats<'a>(pub &'a [f32]);

impl Operand for Floats<'_> {
    #[inline(always)]
    fn len(self) -> usize {
        self.0.len()
    }

    #[inline(always)]
    unsafe fn load<V: Lanes>(self, i: usize) -> V {
        // SAFETY: the caller promises that the elements exist.
        unsafe { V::load(self.0.as_ptr().add(i)) }
    }

    #[inline(always)]
    unsafe fn load_first<V: Lanes>(self, i: usize, n: usize) -> V {
        // SAFETY: the caller promises that the elements exist.
        unsafe { V::load_first(self.0.as_ptr().add(i), n) }
    }
}

/// Little-endian halves times a power of two, which rounds nothing.
#[derive(Clone, Copy)]
pub(crate) struct Halves<'a> {
    pub halves: &'a [[u8; 2]],
    pub scale: f32,
}

impl Operand for Halves<'_> {
    #[inline(always)]
    fn len(self) -> usize {
        self.halves.len()
    }

    #[inline(always)]
    unsafe fn load<V: Lanes>(self, i: usize) -> V {
        // SAFETY: the caller promises that the elements exist.
        unsafe { V::widen(self.halves.as_ptr().add(i)).mul(V::splat(self.scale)) }
    }

    #[inline(always)]
    unsafe fn load_first<V: Lanes>(self, i: usize, n: usize) -> V {
        // SAFETY: the caller promises that the elements exist.
        unsafe { V::widen_first(self.halves.as_ptr().add(i), n).mul(V::splat(self.scale)) }
    }
}

/// What one pair of elements adds to `N` sums.
trait Terms<const N: usize> {
    /// # Safety
    /// `V` may be used.
    unsafe fn add<V: Lanes>(sums: [V; N], a: V, b: V) -> [V; N];
}

struct L2Squared;

impl Terms<1> for L2Squared {
    #[inline(always)]
    unsafe fn add<V: Lanes>([sum]: [V; 1], a: V, b: V) -> [V; 1] {
        // SAFETY: the caller may use `V`.
        unsafe {
            let difference = a.sub(b);
            [difference.mul_add(difference, sum)]
        }
    }
}

struct InnerProduct;

impl Terms<1> for InnerProduct {
    #[inline(always)]
    unsafe fn add<V: Lanes>([sum]: [V; 1], a: V, b: V) -> [V; 1] {
        // SAFETY: the caller may use `V`.
        unsafe { [a.mul_add(b, sum)] }
    }
}

struct Cosine;

impl Terms<3> for Cosine {
    #[inline(always)]
    unsafe fn add<V: Lanes>([dot, norm_a, norm_b]: [V; 3], a: V, b: V) -> [V; 3] {
        // SAFETY: the caller may use `V`.
        unsafe { [a.mul_add(b, dot), a.mul_add(a, norm_a), b.mul_add(b, norm_b)] }
    }
}

struct L1;

impl Terms<1> for L1 {
    #[inline(always)]
    unsafe fn add<V: Lanes>([sum]: [V; 1], a: V, b: V) -> [V; 1] {
        // SAFETY: the caller may use `V`.
        unsafe { [sum.add(a.sub(b).abs())] }
    }
}

/// Adds up the terms of all pairs of elements.
///
/// # Safety
/// `V` may be used.
#[inline(always)]
unsafe fn fold<V: Lanes, T: Terms<N>, const N: usize>(a: &[f32], b: impl Operand) -> [f32; N] {
    let n = a.len().min(b.len());
    let a = Floats(a);
    // SAFETY: all loads end at or before `n`, which both operands reach.
    unsafe {
        let mut sums = [[V::splat(0.0); N]; UNROLL];
        let mut i = 0;
        while i + UNROLL * V::LANES <= n {
            for (k, sums) in sums.iter_mut().enumerate() {
                let at = i + k * V::LANES;
                *sums = T::add(*sums, a.load::<V>(at), b.load::<V>(at));
            }
            i += UNROLL * V::LANES;
        }
        for sums in &mut sums {
            if i + V::LANES <= n {
                *sums = T::add(*sums, a.load::<V>(i), b.load::<V>(i));
                i += V::LANES;
            }
        }
        if i < n {
            let last = &mut sums[UNROLL - 1];
            *last = T::add(*last, a.load_first::<V>(i, n - i), b.load_first::<V>(i, n - i));
        }
        let [first, second, third, fourth] = sums;
        std::array::from_fn(|t| first[t].add(second[t]).add(third[t].add(fourth[t])).sum())
    }
}

/// The squared Euclidean distance.
///
/// # Safety
/// `V` may be used.
#[inline(always)]
pub(crate) unsafe fn l2_squared<V: Lanes>(a: &[f32], b: impl Operand) -> f32 {
    // SAFETY: passed on to the caller.
    let [sum] = unsafe { fold::<V, L2Squared, 1>(a, b) };
    sum
}

/// The inner product.
///
/// # Safety
/// `V` may be used.
#[inline(always)]
pub(crate) unsafe fn inner_product<V: Lanes>(a: &[f32], b: impl Operand) -> f32 {
    // SAFETY: passed on to the caller.
    let [sum] = unsafe { fold::<V, InnerProduct, 1>(a, b) };
    sum
}

/// The inner product and both squared norms.
///
/// # Safety
/// `V` may be used.
#[inline(always)]
pub(crate) unsafe fn cosine_terms<V: Lanes>(a: &[f32], b: impl Operand) -> CosineTerms {
    // SAFETY: passed on to the caller.
    let [dot, norm_a, norm_b] = unsafe { fold::<V, Cosine, 3>(a, b) };
    CosineTerms { dot, norm_a, norm_b }
}

/// The taxicab distance.
///
/// # Safety
/// `V` may be used.
#[inline(always)]
pub(crate) unsafe fn l1<V: Lanes>(a: &[f32], b: impl Operand) -> f32 {
    // SAFETY: passed on to the caller.
    let [sum] = unsafe { fold::<V, L1, 1>(a, b) };
    sum
}

/// Writes the values of `b` to `out`.
///
/// # Safety
/// `V` may be used.
#[inline(always)]
pub(crate) unsafe fn widen<V: Lanes>(b: Halves<'_>, out: &mut [f32]) {
    let n = b.len().min(out.len());
    let mut i = 0;
    // SAFETY: loads and stores end at or before `n`; the buffer holds the lanes of every level.
    unsafe {
        while i + V::LANES <= n {
            b.load::<V>(i).store(out.as_mut_ptr().add(i));
            i += V::LANES;
        }
        if i < n {
            let mut rest = [0.0; 16];
            b.load_first::<V>(i, n - i).store(rest.as_mut_ptr());
            out[i..n].copy_from_slice(&rest[..n - i]);
        }
    }
}
