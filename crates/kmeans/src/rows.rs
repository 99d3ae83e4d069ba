//! The vectors that are clustered.

use std::ops::Range;

use memory::{Result, collected};
use threads::{Stopped, Workers};

/// Rows that a thread measures at a time.
const BLOCK: usize = 1024;

/// Vectors of equal length, one after another.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    numbers: &'a [f32],
    dims: usize,
    /// Numbers from the beginning of a vector to that of the next.
    stride: usize,
}

impl<'a> Rows<'a> {
    /// The vectors of `dims` dimensions, at least one, in `numbers`; all of them finite.
    ///
    /// # Panics
    /// If `dims` is zero or the last vector is not whole.
    pub fn new(numbers: &'a [f32], dims: usize) -> Self {
        assert!(dims > 0 && numbers.len().is_multiple_of(dims));
        Self { numbers, dims, stride: dims }
    }

    /// The vectors from one to another, one after another, if no others lie between them.
    pub(crate) fn numbers(self, of: Range<usize>) -> Option<&'a [f32]> {
        let follow = self.stride == self.dims;
        follow.then(|| &self.numbers[of.start * self.dims..of.end * self.dims])
    }

    /// One vector of each `step`, at least one, that follow each other.
    pub(crate) fn one_of(self, step: usize) -> Self {
        Self { stride: self.stride * step, ..self }
    }

    /// The number of vectors.
    pub fn len(&self) -> usize {
        self.numbers.len().div_ceil(self.stride)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Dimensions of each.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// The vector at `index`.
    ///
    /// # Panics
    /// If there is none.
    pub fn row(&self, index: usize) -> &'a [f32] {
        &self.numbers[index * self.stride..][..self.dims]
    }
}

/// Rows, and half the square of the length of each.
pub(crate) struct Measured<'a> {
    rows: Rows<'a>,
    halves: Vec<Vec<f32>>,
}

impl<'a> Measured<'a> {
    pub(crate) fn new(
        rows: Rows<'a>,
        workers: &mut Workers<'_>,
    ) -> std::result::Result<Self, Stopped> {
        let block = |block: u32| {
            let first = block as usize * BLOCK;
            let rows = (first..rows.len().min(first + BLOCK)).map(|i| rows.row(i));
            Ok::<_, Stopped>(collected(rows.map(half_square))?)
        };
        Ok(Self { rows, halves: workers.make(rows.len().div_ceil(BLOCK) as u32, block)? })
    }

    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The row at `index`, and half the square of its length.
    pub(crate) fn row(&self, index: usize) -> (&'a [f32], f32) {
        (self.rows.row(index), self.halves[index / BLOCK][index % BLOCK])
    }
}

/// |x|² / 2.
pub(crate) fn half_square(vector: &[f32]) -> f32 {
    kernels::inner_product(vector, vector) / 2.0
}

/// |c|² / 2 of each vector.
pub(crate) fn halves_of(vectors: &[f32], dims: usize) -> Result<Vec<f32>> {
    collected(vectors.chunks_exact(dims).map(half_square))
}
