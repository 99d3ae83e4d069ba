//! Building an index from all rows of a table: rows are collected, the graph is built over them by
//! threads, pages are written once, in order.

mod blur;
mod by_hash;
mod device;
mod early;
mod estimate;
mod numbering;
mod pair;
mod rows;
mod sample;
mod vectors;
mod write;

use ::vectors::{Form, SPARSE_ELEMENT};
use gpu::{NoDevice, Provider, Refusal};
use pages::{Error, HeapTid, PAGE_BODY, Result};
use quant::{Metric, Rotation, Sq8Coder};
use space::Space;
use threads::Workers;

use self::vectors::{BitDistances, Coded, SparseDistances, widened};
use crate::build::{
    BuildError, BuildOptions, Distances, FlatDistances, Graph, SMALL_BYTES, Sq8Distances,
    build_graph, list_bytes,
};
use crate::{Hnsw, IndexOptions, Vector};
use device::graph_on_device;
use early::Early;
use estimate::graph_memory;
pub use estimate::{build_memory, index_pages};
use rows::Rows;
use sample::Sample;
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

/// Bytes of sparse vectors up to which a build compares themselves, and not their sketches: the graph
/// is better (evidence: `src/am/hnsw/README.md`).
const SHORT: usize = 256 * SPARSE_ELEMENT;
/// Rows between two looks at the memory in use.
const ROWS_PER_LOOK: usize = 256;

/// The rows of a build.
///
/// They lie in memory as long as the whole build fits the memory of its [`Space`]. When they
/// become too many, they move to the file, as they are read in order only, and the memory is left
/// to the neighbor lists and then to the vectors that the graph is built over.
#[derive(Debug)]
pub struct Bulk<'h> {
    options: IndexOptions,
    rows: Rows,
    /// The first rows, until a center can be chosen where vectors are stored relative to one.
    early: Option<Early>,
    space: Space<'h>,
    in_file: bool,
}

impl<'h> Bulk<'h> {
    /// No rows yet.
    ///
    /// # Errors
    /// [`Error::Limit`] where records of these sizes do not fit a page.
    pub fn new(options: IndexOptions, space: Space<'h>) -> Result<Self> {
        options.empty_meta()?;
        let rows = Rows::new(&options).map_err(failed)?;
        let early = rows.holder().takes_center().then(|| Early::new(&options));
        Ok(Self { options, rows, early, space, in_file: false })
    }

    /// Adds a row whose vector has the index's dimensions and form and is [`crate::indexable`].
    pub fn push<'a>(&mut self, vector: impl Into<Vector<'a>>, tid: HeapTid) -> Result<()> {
        let vector = vector.into();
        if let Some(early) = &mut self.early {
            early.push(vector.values(), tid).map_err(failed)?;
            return if early.is_full() { self.center() } else { Ok(()) };
        }
        self.add(vector, tid)
    }

    /// Chooses the center, if there is one, and adds the rows that it was chosen by.
    fn center(&mut self) -> Result<()> {
        let Some(early) = self.early.take().filter(|early| early.len() > 0) else { return Ok(()) };
        if let Some(mut center) = early.center(self.rows.holder()).map_err(failed)? {
            center.truncate(self.options.empty_meta()?.geometry.center_dims());
            self.rows.set_center(&center);
        }
        early.rows().try_for_each(|(vector, tid)| self.add(vector.into(), tid))
    }

    fn add(&mut self, vector: Vector<'_>, tid: HeapTid) -> Result<()> {
        self.rows.push(vector, tid, &mut self.space).map_err(failed)?;
        let rows = self.rows.tid_count();
        if !self.in_file && rows.is_multiple_of(ROWS_PER_LOOK) && !self.fits() {
            self.in_file = true;
            self.rows.move_to_file(&mut self.space).map_err(failed)?;
        }
        Ok(())
    }

    /// Rows so far.
    pub fn len(&self) -> usize {
        self.rows.tid_count() + self.early.as_ref().map_or(0, Early::len)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether halves tell the rows apart so badly that floats had better hold them: a search would
    /// look at many times as many rows as it is asked for. As far as a sample tells.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn is_blurred(&self) -> Result<bool> {
        if self.options.form != Form::Halves || !self.rows.lossy() {
            return Ok(false);
        }
        blur::is_blurred(&self.rows, self.options.metric, self.options.dims).map_err(failed)
    }

    /// Whether the build of these rows fits the memory.
    fn fits(&self) -> bool {
        let graph = graph_memory(&self.options, self.rows.len() as u64, self.rows.mean_bytes());
        graph + self.rows.bytes() as u64 <= self.space.limit() as u64
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
        self.write_with(&mut NoDevice, threads, tick, append)
    }

    /// As [`Bulk::write`], with the graph made on the device of `provider`, if it has one for this build.
    /// Threads make it where no device can, and after a failure of the device.
    pub fn write_with(
        mut self,
        provider: &mut dyn Provider,
        threads: usize,
        tick: &mut Tick<'_>,
        append: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        self.center()?;
        let mut meta = self.options.empty_meta()?;
        if self.rows.len() == 0 {
            let mut body = vec![0; PAGE_BODY];
            meta.encode(&mut body);
            return append(&body);
        }
        let Self { options, rows, space, in_file, .. } = &mut self;
        rows.finish().map_err(failed)?;
        let total = rows.len();
        space.take(if *in_file { 0 } else { rows.bytes() });
        let mut on_graph = |done| tick(Phase::Graph, done, total);
        let Made { graph, middle, coded } =
            make_graph(options, rows, provider, threads, space, &mut on_graph).map_err(failed)?;
        if let Some(mut middle) = middle {
            middle.truncate(meta.geometry.center_dims());
            meta.center = middle;
            meta.centered = rows.holder().center().is_some();
        }
        let hnsw = Hnsw::new(meta)?;
        let twins = rows.sorted_twins(space).map_err(failed)?;
        let vectors = coded.as_ref().map(Coded::set);
        Writer::new(&hnsw, rows, &twins, &graph, vectors)?.write(threads, tick, append)
    }
}

/// What pages are made of beside the rows.
struct Made {
    graph: Graph,
    /// Where neighbors are coded by residuals: a point amid the rows, rotated.
    middle: Option<Vec<f32>>,
    /// The vectors that the graph was built over, where these were rounded.
    coded: Option<Coded>,
}

impl Made {
    fn uncoded(graph: Graph) -> Self {
        Self { graph, middle: None, coded: None }
    }
}

/// The graph over all rows.
fn make_graph(
    options: &IndexOptions,
    rows: &Rows,
    provider: &mut dyn Provider,
    threads: usize,
    space: &mut Space,
    on_tick: &mut dyn FnMut(usize) -> bool,
) -> std::result::Result<Made, BuildError> {
    // Lists come first: they are written at random, vectors are only read.
    let kept = rows.len() * (list_bytes(options.m) + SMALL_BYTES);
    space.take(kept);
    let IndexOptions { metric, dims, m, ef_construction, seed, .. } = *options;
    let build = BuildOptions { m, ef_construction, threads, seed };
    if options.form == Form::Sparse || !metric.keeps_rotation() {
        provider.refused(&Refusal::Unsuited);
    }
    let workers = &mut Workers::new(threads, on_tick);
    if options.form == Form::Sparse && !metric.keeps_rotation() {
        space.give_back(kept);
        let distances = SparseDistances::new(rows, metric);
        return Ok(Made::uncoded(build_graph(&distances, &build, space, on_tick)?));
    }
    if metric.is_of_bits() {
        space.give_back(kept);
        let distances = BitDistances::new(rows, metric);
        return Ok(Made::uncoded(build_graph(&distances, &build, space, on_tick)?));
    }
    if !metric.keeps_rotation() {
        let flat = widened(rows, dims, space, workers)?;
        space.give_back(kept);
        let distances = FlatDistances::new(&flat, dims, metric);
        return Ok(Made::uncoded(build_graph(&distances, &build, space, on_tick)?));
    }
    let coded_space = options.form.coded_space(dims);
    let rotation = Rotation::new(coded_space, seed);
    let sample = Sample::draw(rows, &rotation)?;
    // Products would change by a center.
    let centered = metric != Metric::InnerProduct;
    let middle = match rows.holder().center() {
        Some(center) => center.to_vec(),
        None if centered => sample.middle(),
        None => vec![0.0; coded_space],
    };
    let coder = Sq8Coder::new(middle.clone());
    let middle = Some(middle);
    if options.form == Form::Sparse && rows.mean_bytes() <= SHORT {
        space.give_back(kept);
        let distances = SparseDistances::new(rows, metric);
        let graph = build_graph(&distances, &build, space, on_tick)?;
        return Ok(Made { graph, middle, coded: None });
    }
    if sample.survives(&coder, metric)? {
        let coded = Coded::new(rows, &rotation, coder, space, workers)?;
        space.give_back(kept);
        let distances = Sq8Distances::new(coded.set(), metric);
        let graph = dense_graph(&distances, rows, options, &build, provider, space, on_tick)?;
        return Ok(Made { graph, middle, coded: Some(coded) });
    }
    let flat = widened(rows, coded_space, space, workers)?;
    space.give_back(kept);
    let distances = FlatDistances::new(&flat, coded_space, metric);
    let graph = dense_graph(&distances, rows, options, &build, provider, space, on_tick)?;
    Ok(Made { graph, middle, coded: None })
}

/// The graph over vectors that a device may compare.
fn dense_graph<D: Distances>(
    distances: &D,
    rows: &Rows,
    options: &IndexOptions,
    build: &BuildOptions,
    provider: &mut dyn Provider,
    space: &mut Space,
    on_tick: &mut dyn FnMut(usize) -> bool,
) -> std::result::Result<Graph, BuildError> {
    if options.form != Form::Sparse
        && let Some(graph) =
            graph_on_device(distances, rows, options, build, provider, space, on_tick)?
    {
        return Ok(graph);
    }
    build_graph(distances, build, space, on_tick)
}

fn failed(error: BuildError) -> Error {
    match error {
        BuildError::Cancelled => Error::Interrupted,
        BuildError::OutOfMemory => Error::OutOfMemory,
        BuildError::File(_) => Error::Limit("the temporary file of the build cannot grow"),
        BuildError::TooManyElements => Error::Limit("the table has too many rows for one index"),
        BuildError::Panicked(message) => Error::Internal(message),
    }
}
