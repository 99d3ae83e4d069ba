//! The first rows of a build, by which the center of the others is chosen.

use memory::{Grow, filled};
use pages::HeapTid;
use vectors::Holder;

use super::sample::{NUMBERS, ROWS, Sample};
use crate::IndexOptions;
use crate::build::BuildError;

/// Rows whose vectors cannot be rounded yet.
#[derive(Debug)]
pub(super) struct Early {
    dims: usize,
    /// One after another.
    vectors: Vec<f32>,
    tids: Vec<HeapTid>,
}

impl Early {
    pub(super) fn new(options: &IndexOptions) -> Self {
        Self { dims: options.dims, vectors: Vec::new(), tids: Vec::new() }
    }

    pub(super) fn push(&mut self, vector: &[f32], tid: HeapTid) -> Result<(), BuildError> {
        self.vectors.try_extend(vector.iter().copied())?;
        Ok(self.tids.try_push(tid)?)
    }

    pub(super) fn len(&self) -> usize {
        self.tids.len()
    }

    /// Whether there are as many as a sample has.
    pub(super) fn is_full(&self) -> bool {
        self.len() >= ROWS.min(NUMBERS / self.dims).max(1)
    }

    /// A point amid the vectors as `holder` rotates them, if it is farther from zero than from half of
    /// them: else there is little to gain, and much to lose where others lie elsewhere.
    pub(super) fn center(&self, holder: &Holder) -> Result<Option<Vec<f32>>, BuildError> {
        let mut turned = filled(self.vectors.len(), 0.0)?;
        let rows = self.vectors.chunks_exact(self.dims).zip(turned.chunks_exact_mut(self.dims));
        rows.for_each(|(x, out)| out.copy_from_slice(holder.turned(x.into()).values()));
        let sample = Sample::of(self.dims, turned);
        let middle = sample.middle();
        let square = kernels::inner_product(&middle, &middle);
        let near = sample.vectors().filter(|x| kernels::l2_squared(x, &middle) < square).count();
        Ok((2 * near > self.len()).then_some(middle))
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = (&[f32], HeapTid)> {
        self.vectors.chunks_exact(self.dims).zip(self.tids.iter().copied())
    }
}
