//! Training and assigning on a device.

use gpu::{Device, DeviceError, Job, Measure, Provider, Refusal, Shape};
use kmeans::{Assigner, Failure, Rows};
use memory::{Grow, collected, filled};
use pages::{Error, Result};
use threads::Workers;

use crate::bulk::{Bulk, Phase, Tick, Trained, failed, no_space};

/// Why a device has not finished.
pub(crate) enum Unfinished {
    /// The build cannot go on.
    Stopped(Error),
    /// The device failed.
    Device(DeviceError),
}

impl<E: Into<Error>> From<E> for Unfinished {
    fn from(error: E) -> Self {
        Self::Stopped(error.into())
    }
}

/// What made k-means on a device fail.
pub(crate) fn unfinished(failure: Failure) -> Unfinished {
    match failure {
        Failure::Stopped(stopped) => Unfinished::Stopped(failed(stopped)),
        Failure::Device(error) => Unfinished::Device(error),
    }
}

/// The error of a build without a device.
pub(crate) fn stopped(unfinished: Unfinished) -> Error {
    match unfinished {
        Unfinished::Stopped(error) => error,
        Unfinished::Device(error) => Error::Internal(error.to_string()),
    }
}

impl Bulk<'_> {
    /// Trains, and finds the lists of all rows, on the device of `provider`; none if that has no device,
    /// or it was refused or failed.
    pub(crate) fn on_device(
        &mut self,
        provider: &mut dyn Provider,
        threads: usize,
        tick: Tick<'_>,
    ) -> Result<Option<Trained>> {
        if self.is_empty() {
            return Ok(None);
        }
        if !self.options.metric.keeps_rotation() {
            provider.refused(&Refusal::Unsuited);
            return Ok(None);
        }
        let (dims, lists) = (self.options.dims, self.options.lists);
        let rows = self.sample_rows().max(self.rows_per_turn().min(self.len()));
        let shape = Shape { rows, dims, measure: Measure::L2 };
        let job = Job { rows: self.len(), shape, neighbors: 0, centroids: lists };
        let left = self.space.left();
        let Some(mut device) = provider.open(&job) else { return Ok(None) };
        let of_row = device.host_bytes(Shape { rows: 1, ..shape });
        self.of_device = (self.len().saturating_mul(size_of::<u32>()), of_row);
        let (fixed, of_row) = self.bytes_of_training();
        let needed = self.sample_rows().saturating_mul(of_row).saturating_add(fixed);
        let done = if needed > self.work() {
            // Half of the memory is for this.
            Err(Refusal::Memory((needed as u64).saturating_mul(2)))
        } else {
            provider.accepted(&job, &device.name());
            match self.train_and_assign(&mut *device, threads, tick) {
                Ok(done) => Ok(done),
                Err(Unfinished::Stopped(error)) => return Err(error),
                Err(Unfinished::Device(error)) => Err(Refusal::Device(error)),
            }
        };
        drop(device);
        self.of_device = (0, 0);
        match done {
            Ok((trained, lists)) => {
                provider.closed();
                for list in lists {
                    self.rows.lists.push(&[list], &mut self.space).map_err(no_space)?;
                }
                Ok(Some(trained))
            }
            Err(why) => {
                self.space.restore(left);
                provider.refused(&why);
                Ok(None)
            }
        }
    }

    fn train_and_assign(
        &mut self,
        device: &mut dyn Device,
        threads: usize,
        tick: Tick<'_>,
    ) -> std::result::Result<(Trained, Vec<u32>), Unfinished> {
        let trained = self.train(Some(&mut *device), threads, tick)?;
        let (total, dims) = (self.len(), self.options.dims);
        let per_turn = self.rows_per_turn();
        let mut lists = memory::with_room(total)?;
        let room = per_turn.min(total);
        let mut assigner = Assigner::new(device, room, &trained.clusters).map_err(unfinished)?;
        for start in (0..total).step_by(per_turn) {
            let turn = collected((start..total.min(start + per_turn)).map(|row| row as u32))?;
            let mut on_tick = |_| tick(Phase::Assigning, start, total);
            let mut workers = Workers::new(threads, &mut on_tick);
            let mut vectors = filled(turn.len() * dims, 0.0)?;
            self.rows.widen_all(&turn, &mut vectors, &mut workers).map_err(failed)?;
            let rows = Rows::new(&vectors, dims);
            let found = assigner.assign(rows, &mut workers).map_err(unfinished)?;
            lists.try_extend(found)?;
        }
        Ok((trained, lists))
    }
}
