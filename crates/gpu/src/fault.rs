//! A device that fails, and what gives it to builds, for tests.

use std::cell::Cell;
use std::ops::Range;

use crate::{CpuDevice, Device, DeviceError, Job, Provider, Refusal, Result, Shape};

/// Gives builds the CPU, with two threads, and keeps what they say.
#[derive(Debug, Default)]
pub struct FaultProvider {
    /// As for [`FaultDevice::new`]; no call fails if there is none.
    pub fails: Option<usize>,
    /// What the device was wanted for.
    pub jobs: Vec<Job>,
    /// Why it was not used.
    pub refusals: Vec<Refusal>,
}

impl Provider for FaultProvider {
    fn open(&mut self, job: &Job) -> Option<Box<dyn Device>> {
        self.jobs.push(*job);
        let device = CpuDevice::new(2);
        Some(match self.fails {
            None => Box::new(device),
            Some(fails) => Box::new(FaultDevice::new(device, fails)),
        })
    }

    fn refused(&mut self, why: &Refusal) {
        self.refusals.push(why.clone());
    }
}

/// Passes calls on to a device, except one, which fails.
#[derive(Debug)]
pub struct FaultDevice<D> {
    device: D,
    /// Fallible calls until one fails.
    left: Cell<usize>,
}

impl<D: Device> FaultDevice<D> {
    /// `device`, whose fallible call number `fails`, from 0, fails, and all after it.
    pub fn new(device: D, fails: usize) -> Self {
        Self { device, left: Cell::new(fails) }
    }

    /// Whether a call has failed.
    pub fn has_failed(&self) -> bool {
        self.left.get() == 0
    }

    fn check(&self) -> Result<()> {
        match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(DeviceError::Failed("this call was to fail".to_owned())),
        }
    }
}

impl<D: Device> Device for FaultDevice<D> {
    fn name(&self) -> String {
        self.device.name()
    }

    fn granule(&self) -> usize {
        self.device.granule()
    }

    fn fits(&self, shape: Shape, neighbors: usize, centroids: usize) -> bool {
        self.device.fits(shape, neighbors, centroids)
    }

    fn host_bytes(&self, shape: Shape) -> usize {
        self.device.host_bytes(shape)
    }

    fn begin(&mut self, shape: Shape, center: &[f32]) -> Result<()> {
        self.check()?;
        self.device.begin(shape, center)
    }

    fn upload(&mut self, first: usize, rows: &[f32]) -> Result<()> {
        self.check()?;
        self.device.upload(first, rows)
    }

    fn select(&mut self, rows: Option<&[u32]>) -> Result<()> {
        self.check()?;
        self.device.select(rows)
    }

    fn neighbors(
        &mut self,
        of: Range<usize>,
        k: usize,
        ids: &mut [u32],
        distances: &mut [f32],
    ) -> Result<()> {
        self.check()?;
        self.device.neighbors(of, k, ids, distances)
    }

    fn prune(
        &mut self,
        width: usize,
        ids: &[u32],
        distances: &[f32],
        limit: usize,
        leniency: f32,
        chosen: &mut [u16],
    ) -> Result<()> {
        self.check()?;
        self.device.prune(width, ids, distances, limit, leniency, chosen)
    }

    fn set_centroids(&mut self, centroids: &[f32]) -> Result<()> {
        self.check()?;
        self.device.set_centroids(centroids)
    }

    fn assign(&mut self, of: Range<usize>, nearest: &mut [u32]) -> Result<()> {
        self.check()?;
        self.device.assign(of, nearest)
    }

    fn sums(&mut self, members: &[u32], starts: &[u32], sums: &mut [f64]) -> Result<()> {
        self.check()?;
        self.device.sums(members, starts, sums)
    }

    fn end(&mut self) {
        self.device.end();
    }
}
