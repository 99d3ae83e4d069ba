//! Building an index from all rows of a table: rows are collected in memory, the graph is built
//! over them by threads, pages are written once, in order.

mod rows;
mod write;

use pages::{Error, HeapTid, PAGE_BODY, Result};
use quant::{Metric, Rotation, Sq8Set};

use crate::build::{
    BuildError, BuildOptions, FlatDistances, Sq8Distances, build_graph, bytes_per_element,
};
use crate::{Hnsw, IndexOptions};
use rows::Rows;
use write::Writer;

/// What a build is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Connecting elements.
    Graph,
    /// Writing pages.
    Pages,
}

/// Tells the host what was done, of how much; false asks to stop.
type Tick<'a> = dyn FnMut(Phase, usize, usize) -> bool + 'a;

/// Rows between two looks at the host.
const ROWS_PER_TICK: usize = 1_000;

/// The rows of a build.
#[derive(Debug)]
pub struct Bulk {
    options: IndexOptions,
    rows: Rows,
}

impl Bulk {
    /// No rows yet.
    ///
    /// # Errors
    /// [`Error::Limit`] where records of these sizes do not fit a page.
    pub fn new(options: IndexOptions) -> Result<Self> {
        options.empty_meta()?;
        Ok(Self { rows: Rows::new(options.metric, options.dims), options })
    }

    /// Adds a row whose vector has the index's dimensions and is [`crate::indexable`].
    pub fn push(&mut self, vector: &[f32], tid: HeapTid) -> Result<()> {
        self.rows.push(vector, tid)
    }

    /// Rows so far.
    pub fn len(&self) -> usize {
        self.rows.tid_count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that the rows take, and will take when the graph is built.
    pub fn memory(&self) -> usize {
        let vector = match self.options.metric {
            Metric::L1 => 4 * self.options.dims,
            Metric::L2 | Metric::InnerProduct | Metric::Cosine => self.options.dims + 8,
        };
        self.rows.memory() + self.rows.len() * (vector + bytes_per_element(self.options.m))
    }

    /// Builds the graph on `threads` threads and appends all pages, in order from block 0.
    ///
    /// `tick` is called on the calling thread about every 20 ms. When it returns false or panics,
    /// threads are stopped and joined first.
    pub fn write(
        self,
        threads: usize,
        tick: &mut Tick<'_>,
        append: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut meta = self.options.empty_meta()?;
        if self.rows.len() == 0 {
            let mut body = vec![0; PAGE_BODY];
            meta.encode(&mut body);
            return append(&body);
        }
        let total = self.rows.len();
        let options = BuildOptions {
            m: self.options.m,
            ef_construction: self.options.ef_construction,
            threads,
            seed: self.options.seed,
        };
        let mut on_graph = |done| tick(Phase::Graph, done, total);
        let (graph, vectors) = if meta.geometry.coded() {
            let rotated = self.rotated(&mut on_graph)?;
            let distances = Sq8Distances::new(&rotated, self.options.metric);
            let graph = build_graph(&distances, &options, &mut on_graph).map_err(failed)?;
            meta.centre = self.centre();
            meta.centre.truncate(meta.geometry.code_dims());
            (graph, Some(rotated))
        } else {
            let flat = self.rows.widened();
            let distances = FlatDistances::new(&flat, self.options.dims, self.options.metric);
            (build_graph(&distances, &options, &mut on_graph).map_err(failed)?, None)
        };
        let hnsw = Hnsw::new(meta)?;
        Writer::new(&hnsw, &self.rows, &graph, vectors.as_ref())?.write(threads, tick, append)
    }

    fn rotation(&self) -> Rotation {
        Rotation::new(self.options.dims, self.options.seed)
    }

    /// Mean of the vectors, rotated; zero where products would change by it.
    fn centre(&self) -> Vec<f32> {
        let mut centre = vec![0.0; self.options.dims];
        if self.options.metric != Metric::InnerProduct {
            self.rotation().apply(&self.rows.mean(), &mut centre);
        }
        centre
    }

    /// All vectors, rotated, in eight bits.
    fn rotated(&self, on_tick: &mut dyn FnMut(usize) -> bool) -> Result<Sq8Set> {
        let rotation = self.rotation();
        let mut set = Sq8Set::new(self.centre());
        set.reserve(self.rows.len());
        let mut vector = vec![0.0; self.options.dims];
        let mut rotated = vector.clone();
        for element in 0..self.rows.len() {
            if element % ROWS_PER_TICK == 0 && !on_tick(0) {
                return Err(Error::Interrupted);
            }
            self.rows.ranked(element, &mut vector);
            rotation.apply(&vector, &mut rotated);
            set.push(&rotated);
        }
        Ok(set)
    }
}

fn failed(error: BuildError) -> Error {
    match error {
        BuildError::Cancelled => Error::Interrupted,
        BuildError::OutOfMemory => Error::Limit("out of memory while building the graph"),
        BuildError::TooManyElements => Error::Limit("the table has too many rows for one index"),
        BuildError::NoThread => Error::Limit("could not start a thread to build the graph"),
        BuildError::Panicked(message) => Error::Internal(message),
    }
}
