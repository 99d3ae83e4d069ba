//! The vectors that are clustered.

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
