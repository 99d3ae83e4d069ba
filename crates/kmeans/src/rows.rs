//! The vectors that are clustered.

/// Vectors of equal length, one after another.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    numbers: &'a [f32],
    dims: usize,
}

impl<'a> Rows<'a> {
    /// The vectors of `dims` dimensions, at least one, in `numbers`; all of them finite.
    ///
    /// # Panics
    /// If `dims` is zero or the last vector is not whole.
    pub fn new(numbers: &'a [f32], dims: usize) -> Self {
        assert!(dims > 0 && numbers.len().is_multiple_of(dims));
        Self { numbers, dims }
    }

    /// The number of vectors.
    pub fn len(&self) -> usize {
        self.numbers.len() / self.dims
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
        &self.numbers[index * self.dims..][..self.dims]
    }
}
