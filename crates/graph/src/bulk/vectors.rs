//! The vectors that a graph is built over, made from the rows by threads.

use quant::{Metric, Rotation, Sq8Coder, Sq8Set};
use space::{Array, Item, Space};
use threads::Workers;
use vectors::bits::reduced_distance_bits;
use vectors::{reduced_distance, sparse};

use super::rows::Rows;
use crate::build::{BuildError, Distances};

/// Elements of a job.
const ELEMENTS_PER_JOB: usize = 64;

/// All vectors, rotated and in eight bits.
pub(super) struct Coded {
    coder: Sq8Coder,
    rows: Array<i8>,
}

impl Coded {
    pub(super) fn new(
        rows: &Rows,
        rotation: &Rotation,
        coder: Sq8Coder,
        space: &mut Space,
        workers: &mut Workers,
    ) -> Result<Self, BuildError> {
        let dims = rotation.dims();
        let row_len = Sq8Coder::row_len(dims);
        let mut coded = array(rows.len(), row_len, space)?;
        let scratch = || (vec![0.0; dims], vec![0.0; dims]);
        for_each_row(&mut coded, row_len, workers, scratch, |(vector, rotated), i, row| {
            rows.normalized(i, vector);
            rotation.apply(vector, rotated);
            coder.encode(rotated, row);
        })?;
        Ok(Self { coder, rows: coded })
    }

    /// The vectors, to be compared and decoded.
    pub(super) fn set(&self) -> Sq8Set<'_> {
        Sq8Set::new(&self.coder, &self.rows)
    }
}

/// Vectors of bits, compared as they are in their rows.
pub(super) struct BitDistances<'a> {
    rows: &'a Rows,
    metric: Metric,
}

impl<'a> BitDistances<'a> {
    pub(super) fn new(rows: &'a Rows, metric: Metric) -> Self {
        Self { rows, metric }
    }
}

impl Distances for BitDistances<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn distance(&self, a: u32, b: u32) -> f32 {
        reduced_distance_bits(
            self.metric,
            self.rows.stored(a as usize),
            self.rows.stored(b as usize),
        )
    }

    fn leniency(&self) -> f32 {
        prune::leniency(self.metric)
    }

    fn prefetch(&self, i: u32) {
        kernels::prefetch(self.rows.stored(i as usize));
    }
}

/// Sparse vectors, compared as they are in their rows.
pub(super) struct SparseDistances<'a> {
    rows: &'a Rows,
    metric: Metric,
}

impl<'a> SparseDistances<'a> {
    pub(super) fn new(rows: &'a Rows, metric: Metric) -> Self {
        Self { rows, metric }
    }

    fn uncapped(&self, metric: Metric, a: u32, b: u32) -> f32 {
        let (a, b) = (self.rows.stored(a as usize), self.rows.stored(b as usize));
        match (sparse::view(a), sparse::view(b)) {
            (Some(a), Some(b)) => reduced_distance(metric, a, b),
            _ => reduced_distance(metric, &sparse::unpack(a, 1.0), &sparse::unpack(b, 1.0)),
        }
    }
}

impl Distances for SparseDistances<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn distance(&self, a: u32, b: u32) -> f32 {
        let distance = match self.metric {
            Metric::Cosine => {
                let norm = |i: u32| self.rows.info(i as usize).norm;
                2.0 + 2.0 * self.uncapped(Metric::InnerProduct, a, b) / (norm(a) * norm(b))
            }
            Metric::L2 | Metric::InnerProduct | Metric::L1 | Metric::Hamming | Metric::Jaccard => {
                self.uncapped(self.metric, a, b)
            }
        };
        // Infinity for NaN.
        distance.min(f32::INFINITY)
    }

    fn leniency(&self) -> f32 {
        prune::leniency(self.metric)
    }

    fn prefetch(&self, i: u32) {
        kernels::prefetch(self.rows.stored(i as usize));
    }
}

/// All vectors as floats.
pub(super) fn widened(
    rows: &Rows,
    dims: usize,
    space: &mut Space,
    workers: &mut Workers,
) -> Result<Array<f32>, BuildError> {
    let mut flat = array(rows.len(), dims, space)?;
    for_each_row(&mut flat, dims, workers, || (), |(), i, out| rows.normalized(i, out))?;
    Ok(flat)
}

fn array<T: Item>(count: usize, len: usize, space: &mut Space) -> Result<Array<T>, BuildError> {
    Ok(space.array(count.checked_mul(len).ok_or(BuildError::OutOfMemory)?)?)
}

/// Has `job` write each row of `array`, which are `len` items long.
fn for_each_row<T: Send, S>(
    array: &mut [T],
    len: usize,
    workers: &mut Workers,
    scratch: impl Fn() -> S + Sync,
    job: impl Fn(&mut S, usize, &mut [T]) + Sync,
) -> Result<(), BuildError> {
    workers.chunks(
        array,
        len * ELEMENTS_PER_JOB,
        || Ok(scratch()),
        |scratch, part, rows| {
            for (row, out) in rows.chunks_exact_mut(len).enumerate() {
                job(scratch, part * ELEMENTS_PER_JOB + row, out);
            }
            Ok(())
        },
    )
}
