//! Calls of models, which may take long: on a thread, while the backend looks for interrupts.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use memory::OutOfMemory;
use models::{Endpoint, Error};
use threads::{Stopped, Workers};

use crate::pg::error::Report;
use crate::pg::reserve;

/// Why a call failed.
pub enum Failed {
    /// The model could not do it.
    Model(Error),
    /// Something else.
    Other(Report),
}

impl From<Failed> for Report {
    fn from(failed: Failed) -> Report {
        match failed {
            Failed::Model(error) => error.into(),
            Failed::Other(report) => report,
        }
    }
}

impl From<OutOfMemory> for Failed {
    fn from(error: OutOfMemory) -> Failed {
        Failed::Other(error.into())
    }
}

/// What ends the thread of a call early.
enum Ended {
    Model(Error),
    Thread(Stopped),
}

impl From<Stopped> for Ended {
    fn from(stopped: Stopped) -> Self {
        Ended::Thread(stopped)
    }
}

/// Tells a call to stop, should the statement end before it.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// What `job` gives, done with `endpoint` on a thread, or by the backend if it is done `at_once`, sooner
/// than a thread would start. PostgreSQL raises an error if the statement is to end meanwhile; `job`
/// returns soon after its flag is set.
///
/// # Errors
/// Those of the job, and where there is no memory for it.
pub fn call<T: Send>(
    endpoint: &Endpoint,
    at_once: bool,
    job: impl Fn(&Endpoint, &Arc<AtomicBool>) -> Result<T, Error> + Sync,
) -> Result<T, Failed> {
    let (stop, backend) = (Arc::new(AtomicBool::new(false)), thread::current().id());
    if at_once {
        return job(endpoint, &stop).map_err(Failed::Model);
    }
    let mut tick = |_| {
        let stopping = StopOnDrop(&stop);
        if reserve::check().is_err() {
            return false;
        }
        pgrx::check_for_interrupts!();
        mem::forget(stopping);
        true
    };
    let run = |_| {
        // Where there is no thread for it, the backend could not be interrupted.
        if thread::current().id() == backend {
            return Err(Ended::Thread(Stopped::OutOfMemory));
        }
        job(endpoint, &stop).map_err(Ended::Model)
    };
    let made: Result<Vec<T>, Ended> = Workers::new(1, &mut tick).make(1, run);
    let bug = |message: &str| Failed::Other(Report::internal(message));
    match made.map(|mut made| made.pop()) {
        Ok(Some(made)) => Ok(made),
        Ok(None) => Err(bug("call of a model gave nothing")),
        Err(Ended::Model(error)) => Err(Failed::Model(error)),
        Err(Ended::Thread(Stopped::Panicked(message))) => Err(bug(&message)),
        Err(Ended::Thread(Stopped::OutOfMemory | Stopped::Cancelled)) => Err(OutOfMemory.into()),
    }
}
