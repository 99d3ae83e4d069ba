//! Building an index of many rows at once.

use kmeans::{Clusters, Options, assign, train};
use pages::{Error, Form, HeapTid, PAGE_BODY, Result};
use quant::{Metric, SplitMix64};
use space::{NoSpace, Space, Table};
use threads::{Stopped, Workers};

use crate::geometry::Geometry;
use crate::index::{IndexOptions, lists_for};
use crate::vector::{Stored, normalize, write};
use crate::write::{Order, Writer};

/// Rows that are assigned to lists at a time.
const ROWS_PER_TURN: usize = 4_096;
/// Rows of the sample for each list: as many as memory allows, but never so few that centroids
/// would be single rows.
const SAMPLE_PER_LIST: usize = 128;
const LEAST_PER_LIST: usize = 16;

/// What a build is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Centroids are being trained.
    Training,
    /// Rows are being assigned to lists; their numbers are told.
    Assigning,
    /// Pages are being written; their numbers are told.
    Pages,
}

/// Told what a build does, how much of it is done, and how much there is to do, as far as known.
/// The build stops when it returns false.
pub(crate) type Tick<'a> = &'a mut dyn FnMut(Phase, usize, usize) -> bool;

/// An index being built: filled with rows, then written.
#[derive(Debug)]
pub struct Bulk<'h> {
    space: Space<'h>,
    options: IndexOptions,
    geometry: Geometry,
    rows: Rows,
    /// A row as it is added.
    record: Vec<u8>,
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
    /// An index without rows yet. Rows will lie in `space`, and the sample takes up to half of it.
    ///
    /// # Errors
    /// [`Error::Limit`] for options that do not fit.
    pub fn new(options: IndexOptions, space: Space<'h>) -> Result<Self> {
        let geometry = options.geometry()?;
        let record = vec![0; HeapTid::SIZE + geometry.vector_size()];
        let rows =
            Rows { records: Table::within_space(record.len()), lists: Table::within_space(1) };
        Ok(Self { space, options, geometry, rows, record })
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
        let (place, stored) = self.record.split_at_mut(HeapTid::SIZE);
        place.copy_from_slice(&tid.to_bytes());
        write(vector, &self.geometry, stored);
        self.rows.records.push(&self.record, &mut self.space).map_err(no_space)
    }

    /// Trains centroids with a sample of the rows, assigns all of them, makes all pages, in order,
    /// and hands them to `append`. `threads` work beside the calling thread. Returns the rows that
    /// centroids were trained with.
    ///
    /// # Errors
    /// [`Error::Limit`] for more pages than can be numbered, [`Error::Interrupted`] where `tick`
    /// says so, and what `append` returns.
    pub fn write(
        mut self,
        threads: usize,
        tick: Tick<'_>,
        append: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<usize> {
        if self.options.lists == 0 {
            self.options.lists = lists_for(self.len());
        }
        let sample = self.sample();
        let trained = sample.len() / self.options.dims;
        let clusters = self.train(sample, threads, tick)?;
        self.assign(&clusters, threads, tick)?;
        let centroids = self.centroids(&clusters);
        drop(clusters);
        let lists = centroids.len() / self.options.dims;
        let order = Order::of(&self.rows, lists, &mut self.space).map_err(no_space)?;
        let writer = Writer::new(&self.options, trained as u64, &self.rows, order, &centroids)?;
        writer.write(threads, tick, append)?;
        Ok(trained)
    }

    /// Vectors to train centroids with, as lists are made of them.
    fn sample(&self) -> Vec<f32> {
        let (lists, dims) = (self.options.lists, self.options.dims);
        let most = self.space.limit() / 2 / (dims * size_of::<f32>());
        let count = lists.saturating_mul(SAMPLE_PER_LIST).min(most);
        let count = count.max(lists.saturating_mul(LEAST_PER_LIST)).min(self.len());
        let random = &mut SplitMix64::new(self.options.seed);
        let mut sample = vec![0.0; count * dims];
        let mut places = sample.chunks_exact_mut(dims);
        let mut wanted = count as u64;
        for row in 0..self.len() {
            // Each row that is left has the same chance.
            if random.next_u64() % ((self.len() - row) as u64) < wanted {
                wanted -= 1;
                if let Some(place) = places.next() {
                    self.widen(row, place);
                }
            }
        }
        sample
    }

    /// Writes the vector of a row, as lists are made of it.
    fn widen(&self, row: usize, out: &mut [f32]) {
        Stored::new(self.rows.row(row as u32).1, &self.geometry).widen(out);
        if self.options.metric == Metric::Cosine {
            normalize(out);
        }
    }

    fn train(&self, sample: Vec<f32>, threads: usize, tick: Tick<'_>) -> Result<Clusters> {
        let rows = kmeans::Rows::new(&sample, self.options.dims);
        let mut on_tick = |_| tick(Phase::Training, 0, 0);
        let training =
            Options { clusters: self.options.lists, spherical: false, seed: self.options.seed };
        train(rows, &training, &mut Workers::new(threads, &mut on_tick)).map_err(failed)
    }

    /// Finds the lists of all rows.
    fn assign(&mut self, clusters: &Clusters, threads: usize, tick: Tick<'_>) -> Result<()> {
        let dims = self.options.dims;
        let mut turn = Vec::new();
        for start in (0..self.len()).step_by(ROWS_PER_TURN) {
            turn.resize(ROWS_PER_TURN.min(self.len() - start) * dims, 0.0);
            for (i, place) in turn.chunks_exact_mut(dims).enumerate() {
                self.widen(start + i, place);
            }
            let total = self.len();
            let mut on_tick = |_| tick(Phase::Assigning, start, total);
            let mut workers = Workers::new(threads, &mut on_tick);
            let rows = kmeans::Rows::new(&turn, dims);
            for list in assign(rows, clusters, &mut workers).map_err(failed)? {
                self.rows.lists.push(&[list], &mut self.space).map_err(no_space)?;
            }
        }
        Ok(())
    }

    /// The centroids as numbers; of an index without rows, one.
    fn centroids(&self, clusters: &Clusters) -> Vec<f32> {
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
