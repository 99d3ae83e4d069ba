//! Vectors as callers give them and as distances are computed from.

use std::borrow::Cow;

use kernels::sparse::{self, Sparse};
use quant::Metric;

/// A vector, in the form of the column that an index is on.
#[derive(Debug, Clone, Copy)]
pub enum Vector<'a> {
    /// All numbers, or all bits as 0 and 1.
    Dense(&'a [f32]),
    /// Those that are not zero, at indices below the number of dimensions.
    Sparse(Sparse<'a>),
}

impl<'a> From<&'a [f32]> for Vector<'a> {
    fn from(vector: &'a [f32]) -> Self {
        Self::Dense(vector)
    }
}

impl<'a> From<&'a Vec<f32>> for Vector<'a> {
    fn from(vector: &'a Vec<f32>) -> Self {
        Self::Dense(vector)
    }
}

impl<'a, const N: usize> From<&'a [f32; N]> for Vector<'a> {
    fn from(vector: &'a [f32; N]) -> Self {
        Self::Dense(vector)
    }
}

impl<'a> From<&'a VectorBuf> for Vector<'a> {
    fn from(vector: &'a VectorBuf) -> Self {
        vector.view()
    }
}

impl<'a> From<Sparse<'a>> for Vector<'a> {
    fn from(vector: Sparse<'a>) -> Self {
        Self::Sparse(vector)
    }
}

impl<'a> Vector<'a> {
    /// The numbers that are held, wherever they stand.
    pub(crate) fn values(self) -> &'a [f32] {
        match self {
            Self::Dense(values) | Self::Sparse(Sparse { values, .. }) => values,
        }
    }

    /// The elements of a sparse vector; none of another.
    pub(crate) fn elements(self) -> Sparse<'a> {
        match self {
            Self::Dense(_) => Sparse { indices: &[], values: &[] },
            Self::Sparse(elements) => elements,
        }
    }

    /// A copy.
    pub(crate) fn to_buf(self) -> VectorBuf {
        self.map(<[f32]>::to_vec)
    }

    /// A copy scaled to length one; a zero vector stays as it is.
    pub(crate) fn to_unit(self) -> VectorBuf {
        self.map(|values| unit(values, norm(values)))
    }

    fn map(self, values: impl FnOnce(&[f32]) -> Vec<f32>) -> VectorBuf {
        match self {
            Self::Dense(dense) => VectorBuf::Dense(values(dense)),
            Self::Sparse(sparse) => {
                let indices = sparse.indices.to_vec();
                VectorBuf::Sparse { indices, values: values(sparse.values) }
            }
        }
    }

    /// The vector in the space of `dims` dimensions in which neighbors are coded: itself, or its
    /// sketch.
    pub(crate) fn in_coded_space(self, dims: usize) -> Cow<'a, [f32]> {
        match self {
            Self::Dense(vector) => vector.into(),
            Self::Sparse(vector) => {
                let mut sketch = vec![0.0; dims];
                crate::sparse::sketch(vector, &mut sketch);
                sketch.into()
            }
        }
    }
}

/// A vector that is owned.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum VectorBuf {
    Dense(Vec<f32>),
    Sparse { indices: Vec<u32>, values: Vec<f32> },
}

impl VectorBuf {
    pub(crate) fn view(&self) -> Vector<'_> {
        match self {
            Self::Dense(vector) => Vector::Dense(vector),
            Self::Sparse { indices, values } => Vector::Sparse(Sparse { indices, values }),
        }
    }

    pub(crate) fn values(&self) -> &[f32] {
        self.view().values()
    }

    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        match self {
            Self::Dense(values) | Self::Sparse { values, .. } => values,
        }
    }
}

/// Euclidean norm.
pub(crate) fn norm(vector: &[f32]) -> f32 {
    let squares: f64 = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
    squares.sqrt() as f32
}

/// `vector` scaled to length one; a zero vector stays as it is.
pub(crate) fn unit(vector: &[f32], norm: f32) -> Vec<f32> {
    let factor = if norm > 0.0 { 1.0 / f64::from(norm) } else { 0.0 };
    vector.iter().map(|&x| (f64::from(x) * factor) as f32).collect()
}

/// Rank between two vectors of one form (under cosine: of length one).
pub(crate) fn rank<'a>(metric: Metric, a: impl Into<Vector<'a>>, b: impl Into<Vector<'a>>) -> f32 {
    match (a.into(), b.into()) {
        (Vector::Dense(a), Vector::Dense(b)) => rank_dense(metric, a, b),
        (Vector::Sparse(a), Vector::Sparse(b)) => match metric {
            Metric::L2 | Metric::Cosine => sparse::l2_squared(a, b),
            Metric::InnerProduct => -sparse::inner_product(a, b),
            Metric::L1 | Metric::Hamming | Metric::Jaccard => sparse::l1(a, b),
        },
        (Vector::Dense(_), Vector::Sparse(_)) | (Vector::Sparse(_), Vector::Dense(_)) => {
            f32::INFINITY
        }
    }
}

fn rank_dense(metric: Metric, a: &[f32], b: &[f32]) -> f32 {
    match metric {
        // Of bits, each a number: those that differ.
        Metric::L2 | Metric::Cosine | Metric::Hamming => kernels::l2_squared(a, b),
        Metric::InnerProduct => -kernels::inner_product(a, b),
        Metric::L1 => kernels::l1(a, b),
        Metric::Jaccard => {
            let terms = kernels::cosine_terms(a, b);
            if terms.dot == 0.0 {
                return 1.0;
            }
            1.0 - terms.dot / (terms.norm_a + terms.norm_b - terms.dot)
        }
    }
}

/// The same where `b` is given as halves times `scale`; not for bits.
pub(crate) fn rank_f16(metric: Metric, a: &[f32], b: &[[u8; 2]], scale: f32) -> f32 {
    match metric {
        Metric::L2 | Metric::Cosine => kernels::l2_squared_f16(a, b, scale),
        Metric::InnerProduct => -kernels::inner_product_f16(a, b, scale),
        Metric::L1 | Metric::Hamming | Metric::Jaccard => kernels::l1_f16(a, b, scale),
    }
}
