//! What a sample of the rows tells of all.

use memory::{collected, filled};
use quant::{Metric, Rotation, SplitMix64, Sq8Coder, Sq8Set, trimmed_mean};

use super::rows::Rows;
use crate::build::{BuildError, Distances, FlatDistances, Sq8Distances};

/// Rows of a sample, as far as it has not too many numbers.
pub(super) const ROWS: usize = 512;
pub(super) const NUMBERS: usize = 1 << 20;
/// Nearest rows that are compared, and how many of them rounded vectors must find.
pub(super) const NEAREST: usize = 10;
const FOUND: f64 = 0.9;

/// Some of `count` elements whose vectors have `dims` numbers, as many as a sample has.
pub(super) fn drawn(count: usize, dims: usize) -> Vec<usize> {
    let size = ROWS.min(NUMBERS / dims).max(NEAREST + 1).min(count);
    let mut random = SplitMix64::new(count as u64);
    let draw = |i: usize| {
        // One of each of `size` ranges.
        let start = i * count / size;
        let len = (i + 1) * count / size - start;
        start + (random.next_u64() % len.max(1) as u64) as usize
    };
    (0..size).map(draw).collect()
}

/// Rotated vectors of some rows, one after another.
pub(super) struct Sample {
    dims: usize,
    vectors: Vec<f32>,
}

impl Sample {
    /// Of rotated vectors of `dims` dimensions, one after another.
    pub(super) fn of(dims: usize, vectors: Vec<f32>) -> Self {
        Self { dims, vectors }
    }

    /// Vectors drawn from all rows, as [`Rows::normalized`] gives them, rotated.
    pub(super) fn draw(rows: &Rows, rotation: &Rotation) -> Result<Self, BuildError> {
        let dims = rotation.dims();
        let elements = drawn(rows.len(), dims);
        let mut vectors = filled(elements.len() * dims, 0.0)?;
        let mut vector = vec![0.0; dims];
        for (&element, out) in elements.iter().zip(vectors.chunks_exact_mut(dims)) {
            rows.normalized(element, &mut vector);
            rotation.apply(&vector, out);
        }
        Ok(Self { dims, vectors })
    }

    pub(super) fn vectors(&self) -> impl Iterator<Item = &[f32]> {
        self.vectors.chunks_exact(self.dims)
    }

    /// A point amid the rows.
    pub(super) fn middle(&self) -> Vec<f32> {
        trimmed_mean(&self.vectors, self.dims, &mut vec![0.0; self.vectors.len() / self.dims])
    }

    /// Whether vectors rounded by `coder` have nearly the same neighbors as these.
    pub(super) fn survives(&self, coder: &Sq8Coder, metric: Metric) -> Result<bool, BuildError> {
        let count = self.vectors.len() / self.dims;
        let row_len = Sq8Coder::row_len(self.dims);
        let mut rows = filled(count * row_len, 0)?;
        for (x, row) in self.vectors.chunks_exact(self.dims).zip(rows.chunks_exact_mut(row_len)) {
            coder.encode(x, row);
        }
        let rounded = Sq8Distances::new(Sq8Set::new(coder, &rows), metric);
        let exact = FlatDistances::new(&self.vectors, self.dims, metric);
        let k = NEAREST.min(count.saturating_sub(1));
        let mut found = 0;
        for i in 0..count as u32 {
            // Rows that are as near as the last count as found.
            let bound = nearest(&exact, i, k)?.last().map_or(0.0, |&(distance, _)| distance);
            let near = nearest(&rounded, i, k)?.into_iter();
            found += near.filter(|&(_, other)| exact.distance(i, other) <= bound).count();
        }
        Ok(found as f64 >= FOUND * (k * count) as f64)
    }
}

/// The `k` nearest others, nearest first.
fn nearest(distances: &impl Distances, i: u32, k: usize) -> Result<Vec<(f32, u32)>, BuildError> {
    let others = (0..distances.len() as u32).filter(|&j| j != i);
    let mut near = collected(others.map(|j| (distances.distance(i, j), j)))?;
    if k < near.len() {
        near.select_nth_unstable_by(k, |a, b| a.0.total_cmp(&b.0));
        near.truncate(k);
    }
    near.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    Ok(near)
}
