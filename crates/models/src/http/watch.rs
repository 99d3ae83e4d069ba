//! When a call is given up.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything waits before it looks again.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// How many abandoned threads a process has at most, before it starts no more.
const MOST_ABANDONED: usize = 8;

/// Threads that still run after their calls were given up.
static ABANDONED: AtomicUsize = AtomicUsize::new(0);

/// As many threads are abandoned as may be.
#[derive(Debug)]
pub(super) struct TooManyAbandoned;

impl fmt::Display for TooManyAbandoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MOST_ABANDONED} calls that were given up still wait for a name or a connection")
    }
}

impl std::error::Error for TooManyAbandoned {}

/// What a thread and its call share: the first of them to end sets it.
struct Ending(Arc<AtomicBool>);

/// Dropped by the thread, also when its work panics.
impl Drop for Ending {
    fn drop(&mut self) {
        if self.0.swap(true, Ordering::AcqRel) {
            ABANDONED.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// Counts a thread as abandoned, unless it has ended.
fn abandon(ending: &AtomicBool) {
    ABANDONED.fetch_add(1, Ordering::AcqRel);
    if ending.swap(true, Ordering::AcqRel) {
        ABANDONED.fetch_sub(1, Ordering::AcqRel);
    }
}

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
    ///
    /// # Errors
    /// Those of `work`; [`GivenUp`]; [`TooManyAbandoned`]; and where there is no memory for a thread.
    pub(super) fn abandonable<T: Send + 'static>(
        &self,
        work: impl FnOnce(Duration) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let left = self.left()?;
        if ABANDONED.load(Ordering::Acquire) >= MOST_ABANDONED {
            return Err(io::Error::other(TooManyAbandoned));
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        let ending = Arc::new(AtomicBool::new(false));
        threads::spawn({
            let ending = Ending(Arc::clone(&ending));
            move || {
                let _ending = ending;
                // An abandoned thread has nobody to tell.
                let _ = sender.send(work(left));
            }
        })?;
        loop {
            match receiver.recv_timeout(TICK) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Timeout) => {
                    self.left().inspect_err(|_| abandon(&ending))?;
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(io::Error::other("a thread of the call ended early"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::any::Any;

    use super::*;
    use crate::{Endpoint, ErrorKind, Input};

    static GUARDED: AtomicUsize = AtomicUsize::new(0);
    static HAS_ROOM: AtomicBool = AtomicBool::new(true);

    fn guard() -> Option<Box<dyn Any>> {
        GUARDED.fetch_add(1, Ordering::Relaxed);
        HAS_ROOM.load(Ordering::Relaxed).then(|| Box::new(()) as _)
    }

    fn watch(timeout: Duration) -> Watch {
        let watch = Watch::new(&Arc::default());
        watch.begin(timeout);
        watch
    }

    /// What a call of a server that is not there ends with.
    fn failure() -> crate::Error {
        let options = [("provider", "tei"), ("url", "http://127.0.0.1:1")];
        let options = options.map(|(name, value)| (name.to_string(), value.to_string()));
        let endpoint = Endpoint::new("texts", &options, &[]).expect("valid options");
        endpoint.embed(&[Input::Text("tea")], &Arc::default()).expect_err("no server")
    }

    /// One test, because the guard and the number of threads are the process's.
    #[test]
    fn threads_start_under_the_guard_and_few_are_abandoned() {
        threads::set_spawn_guard(guard);
        let long = watch(Duration::from_mins(10));
        assert_eq!(long.abandonable(|_| Ok(7)).expect("is done"), 7);
        assert_eq!(GUARDED.load(Ordering::Relaxed), 1);

        HAS_ROOM.store(false, Ordering::Relaxed);
        let refused = long.abandonable(|_| Ok(7)).expect_err("no memory");
        assert_eq!(refused.kind(), io::ErrorKind::OutOfMemory);
        assert_eq!(failure().kind, ErrorKind::Memory);
        HAS_ROOM.store(true, Ordering::Relaxed);

        let (release, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        for _ in 0..MOST_ABANDONED {
            let gate = Arc::clone(&gate);
            let late = watch(TICK).abandonable(move |_| {
                let gate = gate.lock().unwrap_or_else(PoisonError::into_inner);
                gate.recv().map_err(io::Error::other)
            });
            assert_eq!(late.expect_err("is late").kind(), io::ErrorKind::TimedOut);
        }
        assert!(long.abandonable(|_| Ok(7)).is_err(), "one more");
        let error = failure();
        assert_eq!(error.kind, ErrorKind::Connection);
        assert!(error.message.contains("8 calls that were given up still wait"), "{error}");
        assert!(error.hint.is_some_and(|hint| hint.contains("name server")));

        // The threads end when there is nothing more to wait for.
        drop(release);
        while ABANDONED.load(Ordering::Acquire) > 0 {
            thread::yield_now();
        }
        assert_eq!(long.abandonable(|_| Ok(7)).expect("is done"), 7);
    }
}
