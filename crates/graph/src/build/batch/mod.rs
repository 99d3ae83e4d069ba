//! Building a graph at once from the nearest neighbors of all elements, which a device finds.
//!
//! 1. The nearest elements of each are found by comparing all with all.
//! 2. Of these each keeps what the rule of [`prune`] says.
//! 3. Each is offered to those that it keeps, and all choose again.
//! 4. What cannot be reached from the entry is linked as after any build.
//!
//! Lists of nearest neighbors lead nowhere between clusters of more elements than a list has. A build that
//! inserts one element after another has longer links from its beginning, when elements were few. Here, a
//! quarter of the elements, a sixteenth, and so on, choose neighbors among themselves first, and what they
//! choose are further candidates among more elements. The elements of upper levels are such samples.

mod lists;
mod reverse;
mod scales;

use gpu::{Device, DeviceError, MAX_CANDIDATES, MAX_NEIGHBORS, Measure, Pace, Refusal, Shape};
use memory::filled;
use quant::Metric;
use space::{Array, Space};
use threads::Workers;

use super::connect::connect;
use super::distances::Distances;
use super::strata::Strata;
use super::{BuildError, BuildOptions, Graph, NO_NEIGHBOR, UpperLevel};
use lists::Carried;
use scales::Scale;

/// Nearest neighbors that are found of each element, at least; with half as many, less is found.
const LEAST_NEIGHBORS: usize = 64;
/// Bytes of vectors that are uploaded at a time.
const UPLOAD: usize = 8 << 20;
/// Bytes of candidates that a device is given at a time, at most.
const CANDIDATES: usize = 8 << 20;
/// Bytes of a candidate.
const CANDIDATE: usize = size_of::<(u32, f32)>();
/// Multiplications and additions that are too many: minutes on the fastest devices.
const MOST_OPERATIONS: f64 = 2e16;

/// Why there is no graph.
#[derive(Debug)]
pub(crate) enum BatchError {
    /// The build cannot go on.
    Build(BuildError),
    /// The device failed.
    Device(DeviceError),
}

impl<E: Into<BuildError>> From<E> for BatchError {
    fn from(error: E) -> Self {
        Self::Build(error.into())
    }
}

/// The vectors of a build, for a device.
pub(crate) struct Source<'a> {
    pub(crate) shape: Shape,
    /// A point amid them; zeros for products.
    pub(crate) center: Vec<f32>,
    /// Writes the vector of an element.
    pub(crate) vector: &'a (dyn Fn(usize, &mut [f32]) + Sync),
}

/// What devices call a metric, if they know it.
pub(crate) fn measure(metric: Metric) -> Option<Measure> {
    match metric {
        Metric::L2 | Metric::Cosine => Some(Measure::L2),
        Metric::InnerProduct => Some(Measure::InnerProduct),
        Metric::L1 | Metric::Hamming | Metric::Jaccard => None,
    }
}

/// Nearest neighbors that are found of each element.
pub(crate) fn neighbors(options: &BuildOptions) -> usize {
    let least = LEAST_NEIGHBORS.max(2 * options.m).min(MAX_NEIGHBORS);
    options.ef_construction.clamp(least, MAX_NEIGHBORS)
}

/// Why no device should build a graph over such a set, if there is a reason. `left` of the `limit` bytes of
/// memory are not in use.
pub(crate) fn refusal(
    shape: Shape,
    options: &BuildOptions,
    host_bytes: usize,
    (left, limit): (usize, usize),
) -> Option<Refusal> {
    let operations = 2.0 * (shape.rows as f64).powi(2) * shape.dims as f64;
    if operations > MOST_OPERATIONS {
        return Some(Refusal::TooManyRows);
    }
    let needed = bytes(shape, options).saturating_add(host_bytes);
    // With that which is in use.
    let all = needed.saturating_add(limit - left.min(limit));
    (needed > left).then_some(Refusal::Memory(all as u64))
}

/// Bytes of this process's memory that a build takes, beside what the device takes of it.
fn bytes(shape: Shape, options: &BuildOptions) -> usize {
    let list = 2 * options.m * size_of::<(u32, f32)>();
    // Chosen and offered, and those of a quarter of the elements twice.
    let lists = 2 * list + 2 * list / 4 + size_of::<usize>() + super::SMALL_BYTES;
    let candidates = shape.rows.saturating_mul(MAX_CANDIDATES * CANDIDATE).min(CANDIDATES);
    shape.rows.saturating_mul(lists).saturating_add(UPLOAD + 2 * candidates)
}

/// Builds the graph of all elements of `data`, whose vectors `source` has too.
///
/// `on_tick` is called on the calling thread between the calls of the device, which take a tenth of a
/// second at most.
pub(crate) fn build_batch<D: Distances>(
    data: &D,
    source: &Source<'_>,
    device: &mut dyn Device,
    options: &BuildOptions,
    space: &mut Space,
    on_tick: &mut dyn FnMut(usize) -> bool,
) -> Result<Graph, BatchError> {
    let options = &BuildOptions { m: options.m.clamp(2, 100), ..*options };
    let count = u32::try_from(data.len()).ok().filter(|&count| count < NO_NEIGHBOR);
    let strata = Strata::new(count.ok_or(BuildError::TooManyElements)?, options.seed)?;
    let mut batch = Batch::new(device, options, on_tick);
    batch.upload(source)?;
    let mut upper = Vec::new();
    let mut level0 = Array::in_memory(0)?;
    let mut carried = Carried::none();
    for scale in scales::of(&strata, options.seed)?.into_iter().rev() {
        let Scale { elements, level } = scale;
        let lists = batch.link(elements.as_deref(), data, &carried, level.is_some(), space)?;
        match (elements, level) {
            (Some(elements), Some(_)) => {
                carried = Carried::new(&elements, &lists)?;
                let mut neighbors = Array::in_memory(lists.ids.len())?;
                neighbors.copy_from_slice(&lists.ids);
                upper.push(UpperLevel { elements, neighbors });
            }
            (Some(elements), None) => carried = Carried::new(&elements, &lists)?,
            (None, _) => level0 = lists.ids,
        }
    }
    drop(carried);
    batch.device.end();
    upper.reverse();
    let mut graph = Graph::new(strata, 2 * options.m, level0, upper);
    let mut on_tick = |_| on_tick(data.len());
    let mut workers = Workers::new(options.threads, &mut on_tick);
    connect(&mut graph, data, options.ef_construction, &mut workers)?;
    Ok(graph)
}

/// A build under way.
struct Batch<'a> {
    device: &'a mut dyn Device,
    options: &'a BuildOptions,
    on_tick: &'a mut dyn FnMut(usize) -> bool,
    /// Elements told as done.
    done: usize,
}

impl<'a> Batch<'a> {
    fn new(
        device: &'a mut dyn Device,
        options: &'a BuildOptions,
        on_tick: &'a mut dyn FnMut(usize) -> bool,
    ) -> Self {
        Self { device, options, on_tick, done: 0 }
    }

    /// Slots of a list.
    fn degree(&self) -> usize {
        2 * self.options.m
    }

    /// Divides lists into blocks whose candidates fit their room, however many there are.
    fn pace(&self) -> Pace {
        Pace::new(self.device.granule()).at_most(CANDIDATES / (MAX_CANDIDATES * CANDIDATE))
    }

    fn tick(&mut self) -> Result<(), BatchError> {
        if (self.on_tick)(self.done) { Ok(()) } else { Err(BuildError::Cancelled.into()) }
    }

    fn upload(&mut self, source: &Source<'_>) -> Result<(), BatchError> {
        let Shape { rows, dims, .. } = source.shape;
        self.device.begin(source.shape, &source.center).map_err(BatchError::Device)?;
        let per_turn = (UPLOAD / (dims * size_of::<f32>())).clamp(1, rows.max(1));
        let mut buffer = filled(per_turn * dims, 0.0)?;
        for first in (0..rows).step_by(per_turn) {
            let vectors = &mut buffer[..per_turn.min(rows - first) * dims];
            let mut on_tick = |_| (self.on_tick)(0);
            Workers::new(self.options.threads, &mut on_tick).chunks(
                vectors,
                dims * 64,
                || Ok::<_, BuildError>(()),
                |(), part, vectors| {
                    for (i, vector) in vectors.chunks_exact_mut(dims).enumerate() {
                        (source.vector)(first + part * 64 + i, vector);
                    }
                    Ok(())
                },
            )?;
            self.device.upload(first, vectors).map_err(BatchError::Device)?;
            self.tick()?;
        }
        Ok(())
    }
}
