//! The devices of builds, as the settings say.

#![allow(unsafe_code)] // names an index

use gpu::{CpuDevice, Device, Job, Provider, Refusal};
use pgrx::PgSqlErrorCode::{
    ERRCODE_FEATURE_NOT_SUPPORTED, ERRCODE_INSUFFICIENT_RESOURCES, ERRCODE_SUCCESSFUL_COMPLETION,
    ERRCODE_SYSTEM_ERROR,
};
use pgrx::pg_sys::Relation;

use super::open::{Unavailable, open_device};
use super::settings::{self, GpuBuild};
use crate::pg::error::Report;
use crate::pg::lock::DeviceLock;
use crate::pg::relation;

/// Numbers in the rows of an index that the CPU builds as a GPU, at most: a call compares some rows with
/// all, and cannot be cancelled.
const MOST_EMULATED: usize = 200_000_000;

/// The device of one build.
pub struct Devices {
    index: String,
    threads: usize,
    asked: GpuBuild,
    /// Held while a GPU is used.
    lock: Option<DeviceLock>,
}

impl Devices {
    /// For the build of an index by so many threads.
    ///
    /// # Safety
    /// `index` is open.
    pub unsafe fn new(index: Relation, threads: usize) -> Self {
        // SAFETY: the index is open.
        let index = unsafe { relation::qualified_name(index) };
        Self { index, threads, asked: settings::gpu_build(), lock: None }
    }

    /// The GPU that the settings name, if no other build has it.
    fn open_gpu(&mut self, job: &Job) -> Result<Box<dyn Device>, Unavailable> {
        let unusual = |reason: String| Unavailable { reason, is_usual: false };
        let number = settings::device();
        self.lock = DeviceLock::try_take(number);
        if self.lock.is_none() {
            return Err(unusual(format!("GPU {number} is building another index")));
        }
        let device = open_device(number, settings::memory_limit())?;
        if !device.fits(job.shape, job.neighbors, job.centroids) {
            return Err(unusual(format!("{} has too little free memory", device.name())));
        }
        Ok(device)
    }

    /// The CPU in place of a GPU.
    fn emulated(&self, job: &Job) -> Result<Box<dyn Device>, Unavailable> {
        if job.rows.saturating_mul(job.shape.dims) > MOST_EMULATED {
            let reason = "the CPU takes too long for so many rows".to_owned();
            return Err(Unavailable { reason, is_usual: false });
        }
        Ok(Box::new(CpuDevice::new(self.threads)))
    }

    /// Tells that the build does without a GPU, or ends the statement if that is not wanted.
    fn without(&self, error: Report, reason: &str, is_usual: bool) {
        if self.asked == GpuBuild::On {
            error
                .detail(sentence(reason))
                .hint("Set vector_ext.gpu_build to \"auto\" or \"off\".")
                .raise();
        }
        let message = format!("building index {} without a GPU", self.index);
        if is_usual {
            pgrx::debug1!("{message}: {reason}");
        } else {
            Report::new(ERRCODE_SUCCESSFUL_COMPLETION, message).detail(sentence(reason)).notice();
        }
    }

    fn error(&self, code: pgrx::PgSqlErrorCode) -> Report {
        Report::new(code, format!("could not build index {} on a GPU", self.index))
    }
}

impl Provider for Devices {
    fn open(&mut self, job: &Job) -> Option<Box<dyn Device>> {
        let opened = match self.asked {
            GpuBuild::Off => return None,
            GpuBuild::Auto if job.rows < settings::min_rows() => return None,
            GpuBuild::Auto | GpuBuild::On => self.open_gpu(job),
            GpuBuild::Emulate => self.emulated(job),
        };
        match opened {
            Ok(device) => Some(device),
            Err(Unavailable { reason, is_usual }) => {
                self.lock = None;
                self.without(self.error(ERRCODE_FEATURE_NOT_SUPPORTED), &reason, is_usual);
                None
            }
        }
    }

    fn accepted(&mut self, job: &Job, name: &str) {
        let (index, rows, dims) = (&self.index, job.rows, job.shape.dims);
        let message =
            format!("building index {index} on {name}: {rows} vectors of {dims} dimensions");
        Report::new(ERRCODE_SUCCESSFUL_COMPLETION, message).notice();
    }

    fn closed(&mut self) {
        self.lock = None;
    }

    fn refused(&mut self, why: &Refusal) {
        self.lock = None;
        if self.asked == GpuBuild::Off {
            return;
        }
        let code = match why {
            Refusal::Unsuited => ERRCODE_FEATURE_NOT_SUPPORTED,
            Refusal::TooManyRows | Refusal::Memory(_) => ERRCODE_INSUFFICIENT_RESOURCES,
            Refusal::Device(_) => ERRCODE_SYSTEM_ERROR,
        };
        self.without(self.error(code), &why.to_string(), matches!(why, Refusal::Unsuited));
    }
}

/// A sentence that says `what`.
fn sentence(what: &str) -> String {
    let mut letters = what.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}
