//! What a build asks of the vectors.

use quant::{Metric, Sq8Set};

/// A set of vectors that can be compared with one another.
pub trait Distances: Sync {
    /// Number of vectors.
    fn len(&self) -> usize;

    /// Whether there is no vector.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How far the vectors number `a` and `b` are from one another: symmetric, smaller is
    /// nearer, never NaN.
    fn distance(&self, a: u32, b: u32) -> f32;

    /// What the diversity rule multiplies distances between neighbors by.
    fn leniency(&self) -> f32;

    /// Says that vector number `i` will be compared soon.
    fn prefetch(&self, i: u32) {
        let _ = i;
    }
}

/// Vectors coded in 8 bits. (L1 is not kept by the rotation they need; see [`FlatDistances`].)
#[derive(Debug)]
pub struct Sq8Distances<'a> {
    vectors: Sq8Set<'a>,
    metric: Metric,
}

impl<'a> Sq8Distances<'a> {
    /// The distances of `metric` between `vectors`; for cosine these have length one.
    ///
    /// # Panics
    /// If no rotation keeps the metric.
    pub fn new(vectors: Sq8Set<'a>, metric: Metric) -> Self {
        assert!(metric.keeps_rotation());
        Self { vectors, metric }
    }
}

impl Distances for Sq8Distances<'_> {
    fn len(&self) -> usize {
        self.vectors.len()
    }

    #[inline]
    fn distance(&self, a: u32, b: u32) -> f32 {
        let (a, b) = (a as usize, b as usize);
        if self.metric == Metric::InnerProduct {
            number(-self.vectors.inner_product(a, b))
        } else {
            number(self.vectors.l2_squared(a, b))
        }
    }

    fn leniency(&self) -> f32 {
        prune::leniency(self.metric)
    }

    fn prefetch(&self, i: u32) {
        self.vectors.prefetch(i as usize);
    }
}

/// Vectors as they are, one after another.
#[derive(Debug)]
pub struct FlatDistances<'a> {
    vectors: &'a [f32],
    dims: usize,
    metric: Metric,
}

impl<'a> FlatDistances<'a> {
    /// The distances of `metric` between the vectors of `dims` numbers that `vectors` is made
    /// of; for cosine these have length one.
    ///
    /// # Panics
    /// If `dims` is zero.
    pub fn new(vectors: &'a [f32], dims: usize, metric: Metric) -> Self {
        assert!(dims > 0);
        Self { vectors, dims, metric }
    }

    fn vector(&self, i: u32) -> &[f32] {
        &self.vectors[i as usize * self.dims..][..self.dims]
    }
}

impl Distances for FlatDistances<'_> {
    fn len(&self) -> usize {
        self.vectors.len() / self.dims
    }

    fn distance(&self, a: u32, b: u32) -> f32 {
        let (a, b) = (self.vector(a), self.vector(b));
        number(match self.metric {
            Metric::L2 | Metric::Cosine => kernels::l2_squared(a, b),
            Metric::InnerProduct => -kernels::inner_product(a, b),
            Metric::L1 | Metric::Hamming | Metric::Jaccard => kernels::l1(a, b),
        })
    }

    fn leniency(&self) -> f32 {
        prune::leniency(self.metric)
    }

    fn prefetch(&self, i: u32) {
        kernels::prefetch(self.vector(i));
    }
}

/// Some of the vectors, numbered by their positions in `elements`.
pub(super) struct Subset<'a, D> {
    pub(super) data: &'a D,
    pub(super) elements: &'a [u32],
}

impl<D: Distances> Distances for Subset<'_, D> {
    fn len(&self) -> usize {
        self.elements.len()
    }

    fn distance(&self, a: u32, b: u32) -> f32 {
        self.data.distance(self.elements[a as usize], self.elements[b as usize])
    }

    fn leniency(&self) -> f32 {
        self.data.leniency()
    }

    fn prefetch(&self, i: u32) {
        self.data.prefetch(self.elements[i as usize]);
    }
}

/// Infinity for NaN, which arises where numbers overflow.
fn number(x: f32) -> f32 {
    x.min(f32::INFINITY)
}
