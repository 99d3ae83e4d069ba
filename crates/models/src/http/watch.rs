//! When a call is given up.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything waits before it looks again.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// Why a call was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GivenUp {
    Stopped,
    TimedOut,
}

impl From<GivenUp> for io::Error {
    fn from(reason: GivenUp) -> Self {
        match reason {
            GivenUp::Stopped => Self::other("stopped"),
            GivenUp::TimedOut => Self::new(io::ErrorKind::TimedOut, "timed out"),
        }
    }
}

/// A flag and a time, at which all that waits for a call ends.
#[derive(Debug)]
pub(super) struct Watch {
    stop: Arc<AtomicBool>,
    deadline: Mutex<Instant>,
}

impl Watch {
    pub(super) fn new(stop: &Arc<AtomicBool>) -> Self {
        Self { stop: Arc::clone(stop), deadline: Mutex::new(Instant::now()) }
    }

    /// Begins a call that may take so long.
    pub(super) fn begin(&self, timeout: Duration) {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now() + timeout;
    }

    /// The time that is left to the call.
    pub(super) fn left(&self) -> Result<Duration, GivenUp> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(GivenUp::Stopped);
        }
        let deadline = *self.deadline.lock().unwrap_or_else(PoisonError::into_inner);
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(GivenUp::TimedOut) } else { Ok(left) }
    }

    /// Waits so long.
    pub(super) fn sleep(&self, time: Duration) -> Result<(), GivenUp> {
        let end = Instant::now() + time;
        loop {
            self.left()?;
            match end.saturating_duration_since(Instant::now()) {
                Duration::ZERO => return Ok(()),
                left => thread::sleep(left.min(TICK)),
            }
        }
    }

    /// Has a thread do what cannot be interrupted, and abandons the thread when the call is given up.
    /// `work` is told how long it may take.
    pub(super) fn abandonable<T: Send + 'static>(
        &self,
        work: impl FnOnce(Duration) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let left = self.left()?;
        let (sender, receiver) = mpsc::sync_channel(1);
        thread::Builder::new().spawn(move || sender.send(work(left)))?;
        loop {
            match receiver.recv_timeout(TICK) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Timeout) => drop(self.left()?),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(io::Error::other("a thread of the call ended early"));
                }
            }
        }
    }
}
