//! Building an index of many rows at once.

use std::ops::RangeInclusive;

use gpu::{Device, NoDevice, Provider};
use kmeans::{Clusters, Options, assign, train, train_on, training_bytes};
use memory::{collected, copied, filled, with_room};
use pages::{Error, HeapTid, PAGE_BODY, Result};
use quant::{SplitMix64, trimmed_mean};
use space::{Array, NoSpace, Space};
use threads::{Stopped, Workers};
use vectors::Form;

use crate::device::{Unfinished, stopped, unfinished};
use crate::index::{IndexOptions, lists_for};
use crate::rows::Rows;
use crate::write::{Order, Writer};

/// Rows that are assigned to lists at a time, and pages that are made, where memory allows.
const ROWS_PER_TURN: RangeInclusive<usize> = 128..=4_096;
const PAGES_PER_TURN: RangeInclusive<usize> = 16..=512;
/// Rows of the sample for each list: as many as memory allows, but never so few that centroids
/// would be single rows.
const SAMPLE_PER_LIST: usize = 128;
const LEAST_PER_LIST: usize = 16;
/// Rows of the sample that tell the middle of all.
const ROWS_OF_MIDDLE: usize = 512;

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
    pub(crate) space: Space<'h>,
    pub(crate) options: IndexOptions,
    pub(crate) rows: Rows,
    /// Bytes that a device takes of the memory for a training, in all and for each row of the sample.
    pub(crate) of_device: (usize, usize),
}

impl<'h> Bulk<'h> {
    /// An index without rows yet. Rows will lie in half of `space` and in its file, the other half is
    /// for training and writing. Centroids lie in memory, whatever there is of it.
    ///
    /// # Errors
    /// [`Error::Limit`] for options that do not fit.
    pub fn new(options: IndexOptions, mut space: Space<'h>) -> Result<Self> {
        let geometry = options.geometry()?;
        space.take(space.limit() / 2);
        let rows = Rows::new(geometry, options.metric, options.seed);
        Ok(Self { space, options, rows, of_device: (0, 0) })
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
        self.rows.push(vector, tid, &mut self.space).map_err(no_space)
    }

    /// As [`Bulk::write_with`], without a device.
    ///
    /// # Errors
    /// As for [`Bulk::write_with`].
    pub fn write(
        self,
        threads: usize,
        tick: Tick<'_>,
        append: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<usize> {
        self.write_with(&mut NoDevice, threads, tick, append)
    }

    /// Trains centroids with a sample of the rows, assigns all of them, makes all pages, in order,
    /// and hands them to `append`. `threads` work beside the calling thread. The device of `provider`,
    /// if it has one for this build, trains and assigns; threads do it where no device can, and again
    /// after a failure of the device. Returns the rows that centroids were trained with.
    ///
    /// # Errors
    /// [`Error::Limit`] for more pages than can be numbered, [`Error::Interrupted`] where `tick`
    /// says so, and what `append` returns.
    pub fn write_with(
        mut self,
        provider: &mut dyn Provider,
        threads: usize,
        tick: Tick<'_>,
        append: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<usize> {
        if self.options.lists == 0 {
            self.options.lists = lists_for(self.len());
        }
        let on_device = self.on_device(provider, threads, tick)?;
        let Trained { rows: trained, middle, clusters } = match on_device {
            Some(trained) => trained,
            None => {
                let trained = self.train(None, threads, tick).map_err(stopped)?;
                self.assign(&trained.clusters, threads, tick)?;
                trained
            }
        };
        let centroids = self.centroids(&clusters)?;
        drop(clusters);
        let lists = centroids.len() / self.options.dims;
        let order = Order::of(&self.rows, lists, &mut self.space).map_err(no_space)?;
        let points = (&middle[..], &centroids[..]);
        let writer = Writer::new(&self.options, trained as u64, &self.rows, order, points)?;
        // Those of two turns are there at a time.
        let pages = bounded(self.work() / 4 / PAGE_BODY, PAGES_PER_TURN);
        writer.write(threads, pages, tick, append)?;
        Ok(trained)
    }

    /// Bytes of memory for what is done with the rows.
    pub(crate) fn work(&self) -> usize {
        self.space.limit() / 2
    }

    /// Bytes that a training takes in all, and for each row of the sample.
    pub(crate) fn bytes_of_training(&self) -> (usize, usize) {
        let (lists, dims) = (self.options.lists, self.options.dims);
        let fixed = training_bytes(0, dims, lists);
        let of_row = dims * size_of::<f32>() + training_bytes(1, dims, lists) - fixed;
        let (more, more_of_row) = self.of_device;
        (fixed.saturating_add(more), of_row.saturating_add(more_of_row))
    }

    /// Rows that centroids are trained with.
    pub(crate) fn sample_rows(&self) -> usize {
        let lists = self.options.lists;
        let (fixed, of_row) = self.bytes_of_training();
        let most = self.work().saturating_sub(fixed) / of_row;
        let count = lists.saturating_mul(SAMPLE_PER_LIST).min(most);
        count.max(lists.saturating_mul(LEAST_PER_LIST)).min(self.len())
    }

    /// Vectors to train centroids with, as lists are made of them.
    fn sample(&mut self, threads: usize, tick: Tick<'_>) -> Result<Array<f32>> {
        let count = self.sample_rows();
        let random = &mut SplitMix64::new(self.options.seed);
        let mut wanted = count as u64;
        let mut chosen = with_room(count)?;
        for row in 0..self.len() {
            // Each row that is left has the same chance.
            if random.next_u64() % ((self.len() - row) as u64) < wanted {
                wanted -= 1;
                chosen.push(row as u32);
            }
        }
        let mut sample = self.space.array(count * self.options.dims).map_err(no_space)?;
        let mut on_tick = |_| tick(Phase::Training, 0, 0);
        let workers = &mut Workers::new(threads, &mut on_tick);
        self.rows.widen_all(&chosen, &mut sample, workers).map_err(failed)?;
        Ok(sample)
    }

    /// Trains centroids. The sample lies in the file where memory is too small for it and the training.
    pub(crate) fn train(
        &mut self,
        device: Option<&mut dyn Device>,
        threads: usize,
        tick: Tick<'_>,
    ) -> std::result::Result<Trained, Unfinished> {
        let IndexOptions { dims, lists, .. } = self.options;
        let before = self.space.left();
        self.space.give_back(self.work());
        self.space.take(training_bytes(self.sample_rows(), dims, lists));
        let sample = self.sample(threads, tick)?;
        let rows = kmeans::Rows::new(&sample, self.options.dims);
        let mut on_tick = |_| tick(Phase::Training, 0, 0);
        let training =
            Options { clusters: self.options.lists, spherical: false, seed: self.options.seed };
        let workers = &mut Workers::new(threads, &mut on_tick);
        let clusters = match device {
            Some(device) => train_on(device, rows, &training, workers).map_err(unfinished),
            None => train(rows, &training, workers).map_err(|error| failed(error).into()),
        };
        // Both the sample and the work of the training are gone, and other work is to come.
        let (rows, middle) = (rows.len(), middle(&sample, dims)?);
        drop(sample);
        self.space.restore(before);
        Ok(Trained { rows, middle, clusters: clusters? })
    }

    /// Rows that are assigned at a time.
    pub(crate) fn rows_per_turn(&self) -> usize {
        bounded(self.work() / 4 / (self.options.dims * size_of::<f32>()), ROWS_PER_TURN)
    }

    /// Finds the lists of all rows.
    fn assign(&mut self, clusters: &Clusters, threads: usize, tick: Tick<'_>) -> Result<()> {
        let (total, dims) = (self.len(), self.options.dims);
        let per_turn = self.rows_per_turn();
        for start in (0..total).step_by(per_turn) {
            let turn = collected((start..total.min(start + per_turn)).map(|row| row as u32))?;
            let mut on_tick = |_| tick(Phase::Assigning, start, total);
            let mut workers = Workers::new(threads, &mut on_tick);
            let mut vectors = filled(turn.len() * dims, 0.0)?;
            self.rows.widen_all(&turn, &mut vectors, &mut workers).map_err(failed)?;
            let rows = kmeans::Rows::new(&vectors, dims);
            for list in assign(rows, clusters, &mut workers).map_err(failed)? {
                self.rows.lists.push(&[list], &mut self.space).map_err(no_space)?;
            }
        }
        Ok(())
    }

    /// The centroids as numbers; of an index without rows, one.
    fn centroids(&self, clusters: &Clusters) -> Result<Vec<f32>> {
        let mut centroids = copied(clusters.centroids())?;
        if centroids.is_empty() {
            centroids = filled(self.options.dims, 0.0)?;
        }
        if self.rows.geometry.form == Form::Bits {
            centroids.iter_mut().for_each(|x| *x = f32::from(*x >= 0.5));
        }
        Ok(centroids)
    }
}

/// What comes of a training.
pub(crate) struct Trained {
    /// Rows that it saw.
    rows: usize,
    /// A point amid them.
    middle: Vec<f32>,
    pub(crate) clusters: Clusters,
}

/// A point amid the vectors of `sample`, by some of them.
fn middle(sample: &[f32], dims: usize) -> Result<Vec<f32>> {
    let step = (sample.len() / dims).div_ceil(ROWS_OF_MIDDLE).max(1);
    let mut some = with_room(sample.len().min(ROWS_OF_MIDDLE * dims))?;
    let vectors = sample.chunks_exact(dims).step_by(step);
    vectors.for_each(|vector| some.extend_from_slice(vector));
    Ok(trimmed_mean(&some, dims, &mut filled(some.len() / dims, 0.0)?))
}

fn bounded(count: usize, range: RangeInclusive<usize>) -> usize {
    count.clamp(*range.start(), *range.end())
}

/// What stopped the threads of a build.
pub(crate) fn failed(stopped: Stopped) -> Error {
    match stopped {
        Stopped::Cancelled => Error::Interrupted,
        Stopped::OutOfMemory => Error::OutOfMemory,
        Stopped::Panicked(message) => Error::Internal(message),
    }
}

pub(crate) fn no_space(reason: NoSpace) -> Error {
    match reason {
        NoSpace::OutOfMemory => Error::OutOfMemory,
        NoSpace::File(_) => Error::Limit("the temporary file of the build cannot grow"),
    }
}

/// An empty page body.
pub(crate) fn blank() -> memory::Result<Vec<u8>> {
    filled(PAGE_BODY, 0)
}
