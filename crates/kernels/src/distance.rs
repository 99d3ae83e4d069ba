//! Distances, written once for all instruction sets and types of elements.
//!
//! Each sum is kept in [`UNROLL`] registers, which hides the latency of the additions; the rest
//! of the vector is loaded into zeroed lanes, which add nothing. As the order of operations does
//! not depend on the types of the operands, operands of the same value give the same bits, be
//! they `f32` or narrower floats.
//!
//! Narrow floats are widened, multiplied and summed as `f32`: AVX-512's FP16 and BF16 would round
//! sums to halves, or take subnormal numbers for zeros.

use crate::lanes::{FloatLanes, Lanes, MAX_LANES};
use crate::operand::Operand;

/// Registers per sum: four chains of fused multiply-adds saturate two loads per cycle.
const UNROLL: usize = 4;

/// What the cosine distance is made of: `1 - dot / sqrt(norm_a * norm_b)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CosineTerms<Sum = f32> {
    /// The inner product of both vectors.
    pub dot: Sum,
    /// The squared Euclidean norm of the first vector.
    pub norm_a: Sum,
    /// The squared Euclidean norm of the second vector.
    pub norm_b: Sum,
}

/// What one pair of elements adds to `N` sums.
trait Terms<const N: usize> {
    /// # Safety
    /// `V` may be used.
    unsafe fn add<V: Lanes>(sums: [V::Sums; N], a: V, b: V) -> [V::Sums; N];
}

struct L2Squared;

impl Terms<1> for L2Squared {
    #[inline(always)]
    unsafe fn add<V: Lanes>([sum]: [V::Sums; 1], a: V, b: V) -> [V::Sums; 1] {
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
    unsafe fn add<V: Lanes>([sum]: [V::Sums; 1], a: V, b: V) -> [V::Sums; 1] {
        // SAFETY: the caller may use `V`.
        unsafe { [a.mul_add(b, sum)] }
    }
}

struct Cosine;

impl Terms<3> for Cosine {
    #[inline(always)]
    unsafe fn add<V: Lanes>([dot, norm_a, norm_b]: [V::Sums; 3], a: V, b: V) -> [V::Sums; 3] {
        // SAFETY: the caller may use `V`.
        unsafe { [a.mul_add(b, dot), a.mul_add(a, norm_a), b.mul_add(b, norm_b)] }
    }
}

struct L1;

impl Terms<1> for L1 {
    #[inline(always)]
    unsafe fn add<V: Lanes>([sum]: [V::Sums; 1], a: V, b: V) -> [V::Sums; 1] {
        // SAFETY: the caller may use `V`.
        unsafe { [a.sub(b).abs_add(sum)] }
    }
}

/// Adds up the terms of all pairs of elements.
///
/// # Safety
/// `V` may be used.
#[inline(always)]
unsafe fn fold<V: Lanes, T: Terms<N>, const N: usize>(
    a: impl Operand<V>,
    b: impl Operand<V>,
) -> [V::Sum; N] {
    let n = a.len().min(b.len());
    // SAFETY: all loads end at or before `n`, which both operands reach.
    unsafe {
        let mut sums = [[V::zero(); N]; UNROLL];
        let mut i = 0;
        while i + UNROLL * V::LANES <= n {
            for (k, sums) in sums.iter_mut().enumerate() {
                let at = i + k * V::LANES;
                *sums = T::add(*sums, a.load(at), b.load(at));
            }
            i += UNROLL * V::LANES;
        }
        for sums in &mut sums {
            if i + V::LANES <= n {
                *sums = T::add(*sums, a.load(i), b.load(i));
                i += V::LANES;
            }
        }
        if i < n {
            let last = &mut sums[UNROLL - 1];
            *last = T::add(*last, a.load_first(i, n - i), b.load_first(i, n - i));
        }
        let [first, second, third, fourth] = sums;
        std::array::from_fn(|t| {
            let (low, high) = (V::add(first[t], second[t]), V::add(third[t], fourth[t]));
            V::total(V::add(low, high))
        })
    }
}

/// The squared Euclidean distance.
///
/// # Safety
/// `V` may be used.
#[inline(always)]
pub(crate) unsafe fn l2_squared<V: Lanes>(a: impl Operand<V>, b: impl Operand<V>) -> V::Sum {
    // SAFETY: passed on to the caller.
    let [sum] = unsafe { fold::<V, L2Squared, 1>(a, b) };
    sum
}

/// The inner product.
///
/// # Safety
/// `V` may be used.
#[inline(always)]
pub(crate) unsafe fn inner_product<V: Lanes>(a: impl Operand<V>, b: impl Operand<V>) -> V::Sum {
    // SAFETY: passed on to the caller.
    let [sum] = unsafe { fold::<V, InnerProduct, 1>(a, b) };
    sum
}

/// The inner product and both squared norms.
///
/// # Safety
/// `V` may be used.
#[inline(always)]
pub(crate) unsafe fn cosine_terms<V: Lanes>(
    a: impl Operand<V>,
    b: impl Operand<V>,
) -> CosineTerms<V::Sum> {
    // SAFETY: passed on to the caller.
    let [dot, norm_a, norm_b] = unsafe { fold::<V, Cosine, 3>(a, b) };
    CosineTerms { dot, norm_a, norm_b }
}

/// The taxicab distance.
///
/// # Safety
/// `V` may be used.
#[inline(always)]
pub(crate) unsafe fn l1<V: Lanes>(a: impl Operand<V>, b: impl Operand<V>) -> V::Sum {
    // SAFETY: passed on to the caller.
    let [sum] = unsafe { fold::<V, L1, 1>(a, b) };
    sum
}

/// Writes the values of `b` to `out`.
///
/// # Safety
/// `V` may be used.
#[inline(always)]
pub(crate) unsafe fn widen<V: FloatLanes>(b: impl Operand<V>, out: &mut [f32]) {
    let n = b.len().min(out.len());
    let mut i = 0;
    // SAFETY: loads and stores end at or before `n`; the buffer holds the lanes of every level.
    unsafe {
        while i + V::LANES <= n {
            b.load(i).store(out.as_mut_ptr().add(i));
            i += V::LANES;
        }
        if i < n {
            let mut rest = [0.0; MAX_LANES];
            b.load_first(i, n - i).store(rest.as_mut_ptr());
            out[i..n].copy_from_slice(&rest[..n - i]);
        }
    }
}
