//! Distances between sparse vectors.
//!
//! Terms are exact or nearly so and are summed in double precision, and the sum is rounded once:
//! a sum beyond the range of `f32` is infinite. The walk through two vectors is bound by the
//! comparisons of their indices, which leaves nothing to gain from narrower sums.

use crate::CosineTerms;

/// A vector of which only some elements are not zero.
///
/// Where `indices` and `values` differ in length, what lies beyond the shorter is ignored. Indices
/// that do not ascend give a number without meaning.
#[derive(Clone, Copy, Debug)]
pub struct Sparse<'a> {
    /// Where the elements lie, ascending, each once.
    pub indices: &'a [u32],
    /// The elements.
    pub values: &'a [f32],
}

/// How many times longer one vector must be for a search in it to beat a walk through it.
const SKEW: usize = 16;

/// What the elements of two vectors at one index add to a distance, whichever is which.
trait Term {
    /// Whether an element without a partner adds anything.
    const ALONE: bool;

    fn of(x: f64, y: f64) -> f64;
}

struct L2Squared;

impl Term for L2Squared {
    const ALONE: bool = true;

    #[inline(always)]
    fn of(x: f64, y: f64) -> f64 {
        (x - y) * (x - y)
    }
}

struct InnerProduct;

impl Term for InnerProduct {
    const ALONE: bool = false;

    #[inline(always)]
    fn of(x: f64, y: f64) -> f64 {
        x * y
    }
}

struct L1;

impl Term for L1 {
    const ALONE: bool = true;

    #[inline(always)]
    fn of(x: f64, y: f64) -> f64 {
        (x - y).abs()
    }
}

/// The squared Euclidean distance.
pub fn l2_squared(a: Sparse<'_>, b: Sparse<'_>) -> f32 {
    distance::<L2Squared>(a, b)
}

/// The inner product.
pub fn inner_product(a: Sparse<'_>, b: Sparse<'_>) -> f32 {
    distance::<InnerProduct>(a, b)
}

/// The taxicab distance.
pub fn l1(a: Sparse<'_>, b: Sparse<'_>) -> f32 {
    distance::<L1>(a, b)
}

/// Whether both have an element at one index.
pub fn overlap(a: Sparse<'_>, b: Sparse<'_>) -> bool {
    let (a, b) = (a.trimmed().indices, b.trimmed().indices);
    let (short, mut long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    short.iter().any(|&index| {
        long = &long[count_below(long, index)..];
        long.first() == Some(&index)
    })
}

/// The inner product and both squared norms.
pub fn cosine_terms(a: Sparse<'_>, b: Sparse<'_>) -> CosineTerms {
    CosineTerms {
        dot: inner_product(a, b),
        norm_a: crate::inner_product(a.values, a.values),
        norm_b: crate::inner_product(b.values, b.values),
    }
}

fn distance<T: Term>(a: Sparse<'_>, b: Sparse<'_>) -> f32 {
    let (a, b) = (a.trimmed(), b.trimmed());
    let (short, long) = if a.values.len() < b.values.len() { (a, b) } else { (b, a) };
    let sum = if long.values.len() / SKEW > short.values.len() {
        search::<T>(short, long)
    } else {
        merge::<T>(short, long)
    };
    sum as f32
}

/// Walks through both. Which vector comes next is hard to predict, so steps do without branches,
/// and elements without partners wait for the next that has one.
fn merge<T: Term>(mut a: Sparse<'_>, mut b: Sparse<'_>) -> f64 {
    let (mut i, mut j, mut sum) = (0, 0, 0.0);
    while let (Some(&at), Some(&bt)) = (a.indices.get(i), b.indices.get(j)) {
        if at == bt {
            sum += alone::<T>(&a.values[..i]) + alone::<T>(&b.values[..j]);
            sum += T::of(a.values[i].into(), b.values[j].into());
            (a, b) = (a.from(i + 1), b.from(j + 1));
            (i, j) = (0, 0);
            continue;
        }
        i += usize::from(at < bt);
        j += usize::from(bt < at);
    }
    sum + alone::<T>(a.values) + alone::<T>(b.values)
}

/// Walks through `short` and searches each index in `long`.
fn search<T: Term>(short: Sparse<'_>, mut long: Sparse<'_>) -> f64 {
    let mut sum = 0.0;
    for (&index, &x) in short.indices.iter().zip(short.values) {
        let before = count_below(long.indices, index);
        sum += alone::<T>(&long.values[..before]);
        long = long.from(before);
        let found = long.indices.first() == Some(&index);
        let y = if found { long.values[0] } else { 0.0 };
        sum += T::of(x.into(), y.into());
        long = long.from(usize::from(found));
    }
    sum + alone::<T>(long.values)
}

/// What elements without partners add.
fn alone<T: Term>(values: &[f32]) -> f64 {
    if !T::ALONE {
        return 0.0;
    }
    let (fours, rest) = values.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for four in fours {
        sums = std::array::from_fn(|i| sums[i] + T::of(four[i].into(), 0.0));
    }
    let rest = rest.iter().map(|&x| T::of(x.into(), 0.0));
    sums.into_iter().chain(rest).sum()
}

/// How many of `indices`, which ascend, are below `target`: by steps that double, for it is often
/// near, then by halving.
fn count_below(indices: &[u32], target: u32) -> usize {
    let mut step = 1;
    while indices.get(step).is_some_and(|&index| index < target) {
        step *= 2;
    }
    let (from, to) = (step / 2, indices.len().min(step));
    from + indices[from..to].partition_point(|&index| index < target)
}

impl Sparse<'_> {
    /// The elements that have both an index and a value.
    fn trimmed(self) -> Self {
        let n = self.indices.len().min(self.values.len());
        Self { indices: &self.indices[..n], values: &self.values[..n] }
    }

    /// Without the first `n` elements.
    fn from(self, n: usize) -> Self {
        Self { indices: &self.indices[n..], values: &self.values[n..] }
    }
}
