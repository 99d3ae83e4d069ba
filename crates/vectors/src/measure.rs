//! The operators' distances between a query and vectors of numbers, from their sums.

use kernels::CosineTerms;
use kernels::sparse::{self, Sparse};
use quant::{Metric, Narrowed};

/// A distance to a vector as it is stored, and its reduced distance (see [`Metric`]). Not numbers where
/// infinite values met, and under cosine where a vector is zero.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// The operator's distance.
    pub distance: f64,
    /// The reduced distance.
    pub reduced: f32,
}

impl Measured {
    /// The distance that `sums` make.
    pub fn of(metric: Metric, sums: &impl Sums) -> Self {
        let (distance, reduced) = match metric {
            Metric::L2 => {
                let squared = sums.l2_squared();
                (squared.sqrt(), squared)
            }
            Metric::InnerProduct => {
                let negative = -sums.inner_product();
                (negative, negative)
            }
            Metric::Cosine => {
                let distance = sums.cosine();
                (distance, 2.0 * distance)
            }
            Metric::L1 | Metric::Hamming | Metric::Jaccard => {
                let distance = sums.l1();
                (distance, distance)
            }
        };
        Self { distance, reduced: reduced as f32 }
    }

    /// What may be ordered by: takes off the distance what narrowing may have added, and puts what is
    /// not a number last. Also tells whether the distance is the operator's.
    pub fn bounded(self, metric: Metric, lost: Lost, dims: usize) -> (Self, bool) {
        let exact = lost.error == 0.0;
        let distance = if exact {
            self.distance
        } else {
            let Lost { query, norm, error } = lost;
            let (q, x, error) = (query.into(), norm.into(), error.into());
            Narrowed { distance: self.distance, q, x, error, dims }.least(metric)
        };
        // The operator may say otherwise, or that it is not a number.
        let certain = exact && !distance.is_nan();
        let distance = if distance.is_nan() { f64::INFINITY } else { distance };
        let reduced = if self.reduced.is_nan() { f32::INFINITY } else { self.reduced };
        (Self { distance, reduced }, certain)
    }
}

/// What bounds the error of a distance to a vector as it is stored.
#[derive(Debug, Clone, Copy)]
pub struct Lost {
    /// Euclidean norm of the query.
    pub query: f32,
    /// Euclidean norm of the vector.
    pub norm: f32,
    /// Upper bound of what the form lost of the vector, see [`StoredInfo`](crate::StoredInfo).
    pub error: f32,
}

/// The sums of a query and a vector.
pub trait Sums {
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
#[derive(Debug)]
pub struct OfFloats<'a> {
    /// The query.
    pub q: &'a [f32],
    /// The vector.
    pub b: &'a [[u8; 4]],
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
#[derive(Debug)]
pub struct OfHalves<'a> {
    /// The query.
    pub q: &'a [f32],
    /// The vector.
    pub b: &'a [[u8; 2]],
    /// What its halves are multiplied by.
    pub scale: f32,
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
#[derive(Debug)]
pub struct OfBytes<'a> {
    /// The query.
    pub q: &'a [i8],
    /// The vector.
    pub b: &'a [i8],
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
#[derive(Debug)]
pub struct OfSparse<'a> {
    /// The query.
    pub q: Sparse<'a>,
    /// The vector.
    pub b: Sparse<'a>,
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
