//! Vectors as callers give them.

use std::borrow::Cow;

use kernels::sparse::Sparse;
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
    /// The numbers that are stored, wherever they stand.
    pub fn values(self) -> &'a [f32] {
        match self {
            Self::Dense(values) | Self::Sparse(Sparse { values, .. }) => values,
        }
    }

    /// The elements of a sparse vector; none of another.
    pub fn elements(self) -> Sparse<'a> {
        match self {
            Self::Dense(_) => Sparse { indices: &[], values: &[] },
            Self::Sparse(elements) => elements,
        }
    }

    /// A copy.
    pub fn to_buf(self) -> VectorBuf {
        match self {
            Self::Dense(dense) => VectorBuf::Dense(dense.to_vec()),
            Self::Sparse(Sparse { indices, values }) => {
                VectorBuf::Sparse { indices: indices.to_vec(), values: values.to_vec() }
            }
        }
    }

    /// A copy scaled to length one; a zero vector stays as it is.
    pub fn to_unit(self) -> VectorBuf {
        let mut unit = self.to_buf();
        normalize(unit.values_mut());
        unit
    }

    /// The vector in the space of `dims` dimensions in which neighbors are coded: itself, or its
    /// sketch.
    pub fn in_coded_space(self, dims: usize) -> Cow<'a, [f32]> {
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
pub enum VectorBuf {
    /// As [`Vector::Dense`].
    Dense(Vec<f32>),
    /// As [`Vector::Sparse`].
    Sparse {
        /// Where the elements are, ascending.
        indices: Vec<u32>,
        /// What they are.
        values: Vec<f32>,
    },
}

impl VectorBuf {
    /// The same, borrowed.
    pub fn view(&self) -> Vector<'_> {
        match self {
            Self::Dense(vector) => Vector::Dense(vector),
            Self::Sparse { indices, values } => Vector::Sparse(Sparse { indices, values }),
        }
    }

    /// As [`Vector::values`].
    pub fn values(&self) -> &[f32] {
        self.view().values()
    }

    /// The same, to be changed.
    pub fn values_mut(&mut self) -> &mut [f32] {
        match self {
            Self::Dense(values) | Self::Sparse { values, .. } => values,
        }
    }
}

/// Whether an index holds vectors such as this: under cosine, zero vectors have no place.
pub fn indexable<'a>(metric: Metric, vector: impl Into<Vector<'a>>) -> bool {
    metric != Metric::Cosine || vector.into().values().iter().any(|&x| x != 0.0)
}

/// Euclidean norm.
pub fn norm(vector: &[f32]) -> f32 {
    squared_norm(vector).sqrt() as f32
}

/// The squared norm, in sums side by side.
fn squared_norm(vector: &[f32]) -> f64 {
    let (chunks, rest) = vector.as_chunks::<4>();
    let square = |x: f32| f64::from(x) * f64::from(x);
    let sums = chunks.iter().fold([0.0; 4], |sums: [f64; 4], chunk| {
        std::array::from_fn(|lane| sums[lane] + square(chunk[lane]))
    });
    sums.into_iter().chain(rest.iter().copied().map(square)).sum()
}

/// Scales `vector` to length one; a zero vector stays as it is.
pub fn normalize(vector: &mut [f32]) {
    let norm = squared_norm(vector).sqrt();
    let factor = if norm > 0.0 { 1.0 / norm } else { 0.0 };
    vector.iter_mut().for_each(|x| *x = (f64::from(*x) * factor) as f32);
}
