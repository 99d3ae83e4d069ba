//! Where builds get their device.

use std::fmt;

use crate::{Device, DeviceError, Shape};

/// Why a build does without a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Devices do not compare such vectors, or not by such a distance.
    Unsuited,
    /// Comparing all rows with each other would take too long.
    TooManyRows,
    /// The build needs so many bytes of memory in all, more than it may use.
    Memory(u64),
    /// A call failed.
    Device(DeviceError),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsuited => f.write_str("the type or the distance is not supported on a device"),
            Self::TooManyRows => f.write_str("too many rows to compare all with each other"),
            Self::Memory(bytes) => {
                let megabytes = bytes.div_ceil(1 << 20);
                write!(f, "the build on a device needs {megabytes} MB of maintenance_work_mem")
            }
            Self::Device(error) => error.fmt(f),
        }
    }
}

/// What a device is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// Rows of the index.
    pub rows: usize,
    /// The largest set.
    pub shape: Shape,
    /// The largest number of neighbors that are found.
    pub neighbors: usize,
    /// The number of centroids.
    pub centroids: usize,
}

/// Gives a build its device, and is told if it is not used.
pub trait Provider {
    /// The device for a build, or `None` if the host wants a build without one.
    fn open(&mut self, job: &Job) -> Option<Box<dyn Device>>;

    /// Told that the build begins on the device of that name.
    fn accepted(&mut self, job: &Job, name: &str) {
        let _ = (job, name);
    }

    /// Told that the device has done its work and was dropped.
    fn closed(&mut self) {}

    /// Told why the build does without a device; it goes on when this returns. Called after the
    /// device was dropped.
    fn refused(&mut self, why: &Refusal);
}

/// Provides no device.
#[derive(Clone, Copy, Debug)]
pub struct NoDevice;

impl Provider for NoDevice {
    fn open(&mut self, _job: &Job) -> Option<Box<dyn Device>> {
        None
    }

    fn refused(&mut self, _why: &Refusal) {}
}
