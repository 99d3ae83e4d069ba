//! The sums that distances between vectors of numbers are made of.

use kernels::CosineTerms;
use kernels::sparse::{self, Sparse};

/// A query and a vector.
pub(super) trait Sums {
    /// The squared Euclidean distance.
    fn l2_squared(&self) -> f64;
    /// The inner product.
    fn inner_product(&self) -> f64;
    /// The cosine distance; not a number where one of both is zero.
    fn cosine(&self) -> f64;
    /// The taxicab distance.
    fn l1(&self) -> f64;
}

/// A vector of little-endian floats.
pub(super) struct OfFloats<'a> {
    pub(super) q: &'a [f32],
    pub(super) b: &'a [[u8; 4]],
}

impl Sums for OfFloats<'_> {
    fn l2_squared(&self) -> f64 {
        kernels::l2_squared_f32(self.q, self.b).into()
    }

    fn inner_product(&self) -> f64 {
        kernels::inner_product_f32(self.q, self.b).into()
    }

    fn cosine(&self) -> f64 {
        cosine(kernels::cosine_terms_f32(self.q, self.b))
    }

    fn l1(&self) -> f64 {
        kernels::l1_f32(self.q, self.b).into()
    }
}

/// A vector of little-endian halves times `scale`.
pub(super) struct OfHalves<'a> {
    pub(super) q: &'a [f32],
    pub(super) b: &'a [[u8; 2]],
    pub(super) scale: f32,
}

impl Sums for OfHalves<'_> {
    fn l2_squared(&self) -> f64 {
        kernels::l2_squared_f16(self.q, self.b, self.scale).into()
    }

    fn inner_product(&self) -> f64 {
        kernels::inner_product_f16(self.q, self.b, self.scale).into()
    }

    fn cosine(&self) -> f64 {
        cosine(kernels::cosine_terms_f16(self.q, self.b, self.scale))
    }

    fn l1(&self) -> f64 {
        kernels::l1_f16(self.q, self.b, self.scale).into()
    }
}

/// A vector of integers of 8 bits, and a query of such.
pub(super) struct OfBytes<'a> {
    pub(super) q: &'a [i8],
    pub(super) b: &'a [i8],
}

impl Sums for OfBytes<'_> {
    fn l2_squared(&self) -> f64 {
        kernels::l2_squared(self.q, self.b).into()
    }

    fn inner_product(&self) -> f64 {
        kernels::inner_product(self.q, self.b).into()
    }

    fn cosine(&self) -> f64 {
        cosine(kernels::cosine_terms(self.q, self.b))
    }

    fn l1(&self) -> f64 {
        kernels::l1(self.q, self.b).into()
    }
}

/// A sparse vector.
pub(super) struct OfSparse<'a> {
    pub(super) q: Sparse<'a>,
    pub(super) b: Sparse<'a>,
}

impl Sums for OfSparse<'_> {
    fn l2_squared(&self) -> f64 {
        sparse::l2_squared(self.q, self.b).into()
    }

    fn inner_product(&self) -> f64 {
        sparse::inner_product(self.q, self.b).into()
    }

    fn cosine(&self) -> f64 {
        cosine(sparse::cosine_terms(self.q, self.b))
    }

    fn l1(&self) -> f64 {
        sparse::l1(self.q, self.b).into()
    }
}

/// As the operator does it.
fn cosine<Sum: Into<f64>>(terms: CosineTerms<Sum>) -> f64 {
    let norms = terms.norm_a.into() * terms.norm_b.into();
    1.0 - (terms.dot.into() / norms.sqrt()).clamp(-1.0, 1.0)
}
