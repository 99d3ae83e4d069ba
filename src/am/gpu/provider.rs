//! The devices of builds, as the settings say.

#![allow(unsafe_code)] // names an index

use std::cell::Cell;

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

thread_local! {
    /// Whether a GPU has failed in this backend. It is not tried again: its context may be unusable.
    static HAS_FAILED: Cell<bool> = const { Cell::new(false) };
}

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
        if HAS_FAILED.get() {
            return Err(unusual("a GPU has failed in this session".to_owned()));
        }
        let number = settings::device();
        let device = open_device(number, settings::memory_limit())?;
        self.lock = DeviceLock::try_take(number);
        if self.lock.is_none() {
            return Err(unusual(format!("GPU {number} is building another index")));
        }
        if !device.fits(job.shape, job.neighbors, job.centroids) {
            return Err(unusual(format!("{} has too little free memory", device.name())));
        }
        Ok(device)
    }

    fn announce(&self, device: &dyn Device, job: &Job) {
        let (rows, dims) = (job.rows, job.shape.dims);
        let (index, name) = (&self.index, device.name());
        let message =
            format!("building index {index} on {name}: {rows} vectors of {dims} dimensions");
        Report::new(ERRCODE_SUCCESSFUL_COMPLETION, message).notice();
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
    fn open(&mut self, job: &Job) -> Option<Box<dyn Device + '_>> {
        let opened = match self.asked {
            GpuBuild::Off => return None,
            GpuBuild::Auto if job.rows < settings::min_rows() => return None,
            GpuBuild::Auto | GpuBuild::On => self.open_gpu(job),
            GpuBuild::Emulate => Ok(Box::new(CpuDevice::new(self.threads)) as Box<dyn Device>),
        };
        match opened {
            Ok(device) => {
                self.announce(&*device, job);
                Some(device)
            }
            Err(Unavailable { reason, is_usual }) => {
                self.without(self.error(ERRCODE_FEATURE_NOT_SUPPORTED), &reason, is_usual);
                self.lock = None;
                None
            }
        }
    }

    fn refused(&mut self, why: &Refusal) {
        self.lock = None;
        let code = match why {
            Refusal::Unsuited => {
                pgrx::debug1!("building index {} without a GPU: {why}", self.index);
                return;
            }
            Refusal::TooManyRows | Refusal::Memory(_) => ERRCODE_INSUFFICIENT_RESOURCES,
            Refusal::Device(_) => {
                HAS_FAILED.set(self.asked != GpuBuild::Emulate);
                ERRCODE_SYSTEM_ERROR
            }
        };
        if self.asked != GpuBuild::Off {
            self.without(self.error(code), &why.to_string(), false);
        }
    }
}

/// A sentence that says `what`.
fn sentence(what: &str) -> String {
    let mut letters = what.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}
