//! Building an index of many rows at once.

use kmeans::{Clusters, Options, assign, train};
use pages::{Error, Form, HeapTid, PAGE_BODY, Result};
use threads::{Stopped, Workers};

use crate::geometry::Geometry;
use crate::index::IndexOptions;
use crate::vector::{normalize, write};
use crate::write::Writer;
use quant::Metric;

/// Rows that are assigned to lists at a time.
const ROWS_PER_TURN: usize = 4_096;

/// What a build is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Centroids are being trained.
    Training,
    /// Pages are being written; their numbers are told.
    Pages,
}

/// Told what a build does, how much of it is done, and how much there is to do, as far as known.
/// The build stops when it returns false.
pub(crate) type Tick<'a> = &'a mut dyn FnMut(Phase, usize, usize) -> bool;

/// An index being built: trained, then filled with rows, then written.
#[derive(Debug)]
pub struct Bulk {
    options: IndexOptions,
    geometry: Geometry,
    threads: usize,
    clusters: Clusters,
    trained: usize,
    rows: Rows,
    /// Rows that wait to be assigned, as lists are made of them.
    waiting: Vec<f32>,
}

/// The rows of an index being built, in the order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) tids: Vec<HeapTid>,
    /// One after another, as pages hold them.
    pub(crate) vectors: Vec<u8>,
    /// The list of each.
    pub(crate) lists: Vec<u32>,
}

impl Bulk {
    /// Trains the centroids with `sample`, vectors one after another. `threads` work beside the
    /// calling thread.
    ///
    /// # Errors
    /// [`Error::Limit`] for options that do not fit, [`Error::Interrupted`] where `tick` says so.
    pub fn train(
        options: IndexOptions,
        mut sample: Vec<f32>,
        threads: usize,
        tick: Tick<'_>,
    ) -> Result<Self> {
        let geometry = options.geometry()?;
        if options.metric == Metric::Cosine {
            sample.chunks_exact_mut(options.dims).for_each(normalize);
        }
        let rows = kmeans::Rows::new(&sample, options.dims);
        let mut on_tick = |_| tick(Phase::Training, 0, 0);
        let training = Options { clusters: options.lists, spherical: false, seed: options.seed };
        let mut workers = Workers::new(threads, &mut on_tick);
        let clusters = train(rows, &training, &mut workers).map_err(failed)?;
        let (trained, rows, waiting) = (rows.len(), Rows::default(), Vec::new());
        Ok(Self { options, geometry, threads, clusters, trained, rows, waiting })
    }

    /// Takes a row, whose vector has the index's dimensions and is [`crate::indexable`].
    ///
    /// # Errors
    /// [`Error::Limit`] for more rows than an index holds.
    pub fn push(&mut self, vector: &[f32], tid: HeapTid) -> Result<()> {
        if self.rows.tids.len() >= u32::MAX as usize {
            return Err(Error::Limit("the table has too many rows for one index"));
        }
        let size = self.geometry.vector_size();
        let start = self.rows.vectors.len();
        self.rows.vectors.resize(start + size, 0);
        write(vector, &self.geometry, &mut self.rows.vectors[start..]);
        self.rows.tids.push(tid);
        let start = self.waiting.len();
        self.waiting.extend_from_slice(vector);
        if self.options.metric == Metric::Cosine {
            normalize(&mut self.waiting[start..]);
        }
        if self.waiting.len() >= ROWS_PER_TURN * self.options.dims {
            self.assign()?;
        }
        Ok(())
    }

    /// Finds the lists of the rows that wait.
    fn assign(&mut self) -> Result<()> {
        let rows = kmeans::Rows::new(&self.waiting, self.options.dims);
        if self.clusters.is_empty() {
            self.rows.lists.resize(self.rows.tids.len(), 0);
        } else {
            let on_tick = &mut |_| true;
            let mut workers = Workers::new(self.threads, on_tick);
            self.rows.lists.extend(assign(rows, &self.clusters, &mut workers).map_err(failed)?);
        }
        self.waiting.clear();
        Ok(())
    }

    /// Makes all pages, in order, and hands them to `append`.
    ///
    /// # Errors
    /// [`Error::Limit`] for more pages than can be numbered, [`Error::Interrupted`] where `tick`
    /// says so, and what `append` returns.
    pub fn write(
        mut self,
        tick: Tick<'_>,
        append: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        self.assign()?;
        let centroids = self.centroids();
        let trained = self.trained as u64;
        let writer = Writer::new(&self.options, trained, &self.rows, &centroids)?;
        writer.write(self.threads, tick, append)
    }

    /// The centroids as numbers; of an index without rows, one.
    fn centroids(&self) -> Vec<f32> {
        let clusters = &self.clusters;
        let mut centroids: Vec<f32> =
            (0..clusters.len()).flat_map(|list| clusters.centre(list)).copied().collect();
        if centroids.is_empty() {
            centroids.resize(self.options.dims, 0.0);
        }
        if self.geometry.form == Form::Bits {
            centroids.iter_mut().for_each(|x| *x = f32::from(*x >= 0.5));
        }
        centroids
    }
}

/// What stopped the threads of a build.
pub(crate) fn failed(stopped: Stopped) -> Error {
    match stopped {
        Stopped::Cancelled => Error::Interrupted,
        Stopped::NoThread => Error::Limit("could not start a thread to build the index"),
        Stopped::Panicked(message) => Error::Internal(message),
    }
}

/// An empty page body.
pub(crate) fn blank() -> Vec<u8> {
    vec![0; PAGE_BODY]
}
