//! Building an index of many rows at once.

use kmeans::{Clusters, Options, assign, train};
use pages::{Error, Form, HeapTid, PAGE_BODY, Result};
use quant::Metric;
use space::{NoSpace, Space, Table};
use threads::{Stopped, Workers};

use crate::geometry::Geometry;
use crate::index::IndexOptions;
use crate::vector::{normalize, write};
use crate::write::{Order, Writer};

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
pub struct Bulk<'h> {
    space: Space<'h>,
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
#[derive(Debug)]
pub(crate) struct Rows {
    /// The tid of each, then its vector as pages hold it.
    records: Table<u8>,
    /// The list of each.
    pub(crate) lists: Table<u32>,
}

impl Rows {
    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Row number `i`: where it is, and its vector as pages hold it.
    pub(crate) fn row(&self, i: u32) -> (HeapTid, &[u8]) {
        let record = self.records.row(i as usize);
        let (tid, vector) = record.split_first_chunk().expect("a record begins with a tid");
        (HeapTid::from_bytes(*tid), vector)
    }
}

impl<'h> Bulk<'h> {
    /// Trains the centroids with `sample`, vectors one after another. `threads` work beside the
    /// calling thread. Rows will lie in `space`.
    ///
    /// # Errors
    /// [`Error::Limit`] for options that do not fit, [`Error::Interrupted`] where `tick` says so.
    pub fn train(
        options: IndexOptions,
        mut sample: Vec<f32>,
        threads: usize,
        space: Space<'h>,
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
        let (trained, waiting) = (rows.len(), Vec::new());
        let records = Table::within_space(HeapTid::SIZE + geometry.vector_size());
        let rows = Rows { records, lists: Table::within_space(1) };
        Ok(Self { space, options, geometry, threads, clusters, trained, rows, waiting })
    }

    /// The number of centroids; zero where there was nothing to train with.
    pub fn lists(&self) -> usize {
        self.clusters.len()
    }

    /// The number of rows taken.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no row was taken.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes a row, whose vector has the index's dimensions and is [`crate::indexable`].
    ///
    /// # Errors
    /// [`Error::Limit`] for more rows than an index holds, or where there is no room for them.
    pub fn push(&mut self, vector: &[f32], tid: HeapTid) -> Result<()> {
        if self.len() >= u32::MAX as usize {
            return Err(Error::Limit("the table has too many rows for one index"));
        }
        let mut record = vec![0; HeapTid::SIZE + self.geometry.vector_size()];
        record[..HeapTid::SIZE].copy_from_slice(&tid.to_bytes());
        write(vector, &self.geometry, &mut record[HeapTid::SIZE..]);
        self.rows.records.push(&record, &mut self.space).map_err(no_space)?;
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
        let lists = if self.clusters.is_empty() {
            vec![0; rows.len()]
        } else {
            let on_tick = &mut |_| true;
            let mut workers = Workers::new(self.threads, on_tick);
            assign(rows, &self.clusters, &mut workers).map_err(failed)?
        };
        for list in lists {
            self.rows.lists.push(&[list], &mut self.space).map_err(no_space)?;
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
        let order = Order::of(&self.rows, centroids.len() / self.options.dims, &mut self.space);
        let order = order.map_err(no_space)?;
        let writer = Writer::new(&self.options, trained, &self.rows, order, &centroids)?;
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

fn no_space(reason: NoSpace) -> Error {
    match reason {
        NoSpace::OutOfMemory => Error::Limit("out of memory while building the index"),
        NoSpace::File(_) => Error::Limit("the temporary file of the build cannot grow"),
    }
}

/// An empty page body.
pub(crate) fn blank() -> Vec<u8> {
    vec![0; PAGE_BODY]
}
