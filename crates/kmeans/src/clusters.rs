//! The clusters of a training, and the search for the nearest.

use std::ops::Range;

use memory::{OutOfMemory, Result};

use crate::rows::halves_of;

/// Half the square of a distance comes from a product of the vectors unless it is less than this part of
/// the halves of their squares: rounding of these would leave too little of it.
const CANCELLED: f32 = 1.0 / 16_384.0;

/// Centroids of clusters, in groups of neighbors.
#[derive(Clone, Debug, PartialEq)]
pub struct Clusters {
    pub(crate) dims: usize,
    /// One after another, group by group.
    pub(crate) centroids: Vec<f32>,
    /// |c|² / 2 of each centroid.
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
        centroids: Vec<f32>,
        parents: Vec<f32>,
        starts: Vec<u32>,
    ) -> Result<Self> {
        let (halves, parent_halves) = (halves_of(&centroids, dims)?, halves_of(&parents, dims)?);
        Ok(Self { dims, centroids, halves, parents, parent_halves, starts })
    }

    /// The number of clusters.
    pub fn len(&self) -> usize {
        self.halves.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.halves.is_empty()
    }

    /// Dimensions of a centroid.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// The centroid of a cluster.
    ///
    /// # Panics
    /// If there is no such cluster.
    pub fn centroid(&self, cluster: usize) -> &[f32] {
        &self.centroids[cluster * self.dims..][..self.dims]
    }

    /// All centroids, one after another.
    pub fn centroids(&self) -> &[f32] {
        &self.centroids
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
            vectors: &self.centroids[range.start * self.dims..range.end * self.dims],
            halves: &self.halves[range],
            dims: self.dims,
        }
    }
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

    /// Half the square of the distance between each of `rows`, which come with half their own squares, and
    /// each vector.
    pub(crate) fn distances(&self, rows: &[(&[f32], f32)], distances: &mut Vec<f32>) -> Result<()> {
        let views: Vec<&[f32]> = rows.iter().map(|row| row.0).collect();
        distances.clear();
        distances.try_reserve(rows.len() * self.len()).map_err(|_| OutOfMemory)?;
        distances.resize(rows.len() * self.len(), 0.0);
        kernels::inner_products(&views, self.vectors, self.dims, distances);
        for ((row, own), distances) in
            rows.iter().zip(distances.chunks_exact_mut(self.len().max(1)))
        {
            let mut cancelled = false;
            for (distance, half) in distances.iter_mut().zip(self.halves) {
                let squares = own + half;
                *distance = squares - *distance;
                cancelled |= *distance < CANCELLED * squares;
            }
            if cancelled {
                self.measure_cancelled((row, *own), distances);
            }
        }
        Ok(())
    }

    /// Computes those of the distances to a row anew, from the differences of the vectors, of which their
    /// product tells too little.
    fn measure_cancelled(&self, (row, own): (&[f32], f32), distances: &mut [f32]) {
        let vectors = self.vectors.chunks_exact(self.dims);
        for ((distance, half), vector) in distances.iter_mut().zip(self.halves).zip(vectors) {
            if *distance < CANCELLED * (own + half) {
                *distance = kernels::l2_squared(row, vector) / 2.0;
            }
        }
    }
}
