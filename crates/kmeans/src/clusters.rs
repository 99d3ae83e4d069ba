//! The clusters of a training, and the search for the nearest.

use std::ops::Range;

use memory::{OutOfMemory, Result, collected};

/// Centres of clusters, in groups of neighbors.
#[derive(Clone, Debug, PartialEq)]
pub struct Clusters {
    pub(crate) dims: usize,
    /// One after another, group by group.
    pub(crate) centres: Vec<f32>,
    /// |c|² / 2 of each centre.
    pub(crate) halves: Vec<f32>,
    /// The mean of the rows of each group.
    pub(crate) parents: Vec<f32>,
    pub(crate) parent_halves: Vec<f32>,
    /// The first cluster of each group, and the number of clusters.
    pub(crate) starts: Vec<u32>,
}

impl Clusters {
    pub(crate) fn new(
        dims: usize,
        centres: Vec<f32>,
        parents: Vec<f32>,
        starts: Vec<u32>,
    ) -> Result<Self> {
        let (halves, parent_halves) = (halves_of(&centres, dims)?, halves_of(&parents, dims)?);
        Ok(Self { dims, centres, halves, parents, parent_halves, starts })
    }

    /// The number of clusters.
    pub fn len(&self) -> usize {
        self.halves.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.halves.is_empty()
    }

    /// Dimensions of a centre.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// The centre of a cluster.
    ///
    /// # Panics
    /// If there is no such cluster.
    pub fn centre(&self, cluster: usize) -> &[f32] {
        &self.centres[cluster * self.dims..][..self.dims]
    }

    /// All centres, one after another.
    pub fn centres(&self) -> &[f32] {
        &self.centres
    }

    /// The number of groups.
    pub fn groups(&self) -> usize {
        self.parent_halves.len()
    }

    /// The clusters of a group.
    ///
    /// # Panics
    /// If there is no such group.
    pub fn group(&self, group: usize) -> Range<usize> {
        self.starts[group] as usize..self.starts[group + 1] as usize
    }

    /// The mean of a group.
    ///
    /// # Panics
    /// If there is no such group.
    pub fn parent(&self, group: usize) -> &[f32] {
        &self.parents[group * self.dims..][..self.dims]
    }

    pub(crate) fn parents(&self) -> Side<'_> {
        Side { vectors: &self.parents, halves: &self.parent_halves, dims: self.dims }
    }

    pub(crate) fn members(&self, group: usize) -> Side<'_> {
        let range = self.group(group);
        Side {
            vectors: &self.centres[range.start * self.dims..range.end * self.dims],
            halves: &self.halves[range],
            dims: self.dims,
        }
    }
}

/// |c|² / 2 of each vector.
pub(crate) fn halves_of(vectors: &[f32], dims: usize) -> Result<Vec<f32>> {
    collected(vectors.chunks_exact(dims).map(|c| kernels::inner_product(c, c) / 2.0))
}

/// Vectors that rows are compared with.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a> {
    vectors: &'a [f32],
    halves: &'a [f32],
    dims: usize,
}

impl Side<'_> {
    pub(crate) fn len(&self) -> usize {
        self.halves.len()
    }

    /// For each of `rows` and each vector c: |c|² / 2 - ⟨x, c⟩, which is smaller for nearer ones:
    /// it is half the squared distance less what all vectors share.
    pub(crate) fn scores(&self, rows: &[&[f32]], scores: &mut Vec<f32>) -> Result<()> {
        scores.clear();
        scores.try_reserve(rows.len() * self.len()).map_err(|_| OutOfMemory)?;
        scores.resize(rows.len() * self.len(), 0.0);
        kernels::inner_products(rows, self.vectors, self.dims, scores);
        for scores in scores.chunks_exact_mut(self.len().max(1)) {
            for (score, half) in scores.iter_mut().zip(self.halves) {
                *score = half - *score;
            }
        }
        Ok(())
    }
}
