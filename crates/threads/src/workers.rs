//! Threads that share a list of jobs while the calling thread watches over them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::spawn;

/// Time between two calls of the tick function.
const TICK: Duration = Duration::from_millis(20);

/// Why jobs were not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The tick function asked to stop.
    Cancelled,
    /// The operating system gave not even one thread.
    NoThread,
    /// A thread panicked with this message: a bug.
    Panicked(String),
}

/// Runs jobs on threads, one list of jobs at a time.
pub struct Workers<'a> {
    threads: usize,
    batch: usize,
    on_tick: &'a mut dyn FnMut(usize) -> bool,
    /// Jobs of finished lists that count as progress.
    done: usize,
    counting: bool,
}

/// Stops the threads when it goes out of scope, also when a tick panics.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

impl<'a> Workers<'a> {
    /// Up to `threads` threads, at least one, beside the calling one. That one calls `on_tick` about
    /// every 20 ms while they work, with the number of jobs done, and stops them when it returns
    /// false or panics.
    pub fn new(threads: usize, on_tick: &'a mut dyn FnMut(usize) -> bool) -> Self {
        Self { threads: threads.max(1), batch: 1, on_tick, done: 0, counting: false }
    }

    /// Lets a thread take `jobs` jobs at a time that follow each other, instead of one.
    pub fn in_batches(self, jobs: usize) -> Self {
        Self { batch: jobs.max(1), ..self }
    }

    /// Number of threads that may work side by side.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Whether the jobs from now on are progress, told to the tick function.
    pub fn count(&mut self, counting: bool) {
        self.counting = counting;
    }

    /// Runs `job` for each of `items` on up to `threads` threads, in order if it is one.
    /// `scratch` makes a thread's working space.
    ///
    /// # Errors
    /// If the tick function says so, if a thread panics or gets no `scratch`, or if there is none.
    pub fn run<S, E: From<Stopped> + Send>(
        &mut self,
        threads: usize,
        items: &[u32],
        scratch: impl Fn() -> Result<S, E> + Sync,
        job: impl Fn(&mut S, u32) + Sync,
    ) -> Result<(), E> {
        self.run_beside(threads, items, scratch, job, || ())
    }

    /// As [`Workers::run`], while the calling thread does `beside`, before it watches over the others.
    fn run_beside<S, E: From<Stopped> + Send, R>(
        &mut self,
        threads: usize,
        items: &[u32],
        scratch: impl Fn() -> Result<S, E> + Sync,
        job: impl Fn(&mut S, u32) + Sync,
        beside: impl FnOnce() -> R,
    ) -> Result<R, E> {
        if items.is_empty() {
            return Ok(beside());
        }
        let batch = self.batch;
        let (next, finished) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let stop = AtomicBool::new(false);
        let work = || -> Result<(), E> {
            let mut scratch = scratch()?;
            loop {
                let start = next.fetch_add(batch, Relaxed);
                let Some(rest) = items.get(start..).filter(|rest| !rest.is_empty()) else {
                    return Ok(());
                };
                for &item in &rest[..batch.min(rest.len())] {
                    if stop.load(Relaxed) {
                        return Ok(());
                    }
                    job(&mut scratch, item);
                    finished.fetch_add(1, Relaxed);
                }
            }
        };
        let wanted = threads.clamp(1, items.len().div_ceil(batch));
        let running = AtomicUsize::new(wanted);
        let caller = thread::current();
        let guarded = || {
            let result = catch_unwind(AssertUnwindSafe(work));
            let result =
                result.unwrap_or_else(|panic| Err(Stopped::Panicked(message(&*panic)).into()));
            if result.is_err() {
                stop.store(true, Relaxed);
            }
            running.fetch_sub(1, Relaxed);
            caller.unpark();
            result
        };
        let mut go_on = true;
        let result = thread::scope(|scope| {
            let _stop_on_drop = StopOnDrop(&stop);
            let spawn = |_| thread::Builder::new().spawn_scoped(scope, guarded).ok();
            let handles: Vec<_> = {
                let _guard = spawn::spawn_guard();
                (0..wanted).map_while(spawn).collect()
            };
            let missing = wanted - handles.len();
            let done_beside = beside();
            while running.load(Relaxed) > missing {
                thread::park_timeout(TICK);
                let done = if self.counting { finished.load(Relaxed) } else { 0 };
                if go_on && !(self.on_tick)(self.done + done) {
                    go_on = false;
                    stop.store(true, Relaxed);
                }
            }
            if handles.is_empty() {
                return Err(Stopped::NoThread.into());
            }
            let results = handles.into_iter().map(|handle| {
                handle
                    .join()
                    .unwrap_or_else(|panic| Err(Stopped::Panicked(message(&*panic)).into()))
            });
            results.fold(Ok(()), Result::and).map(|()| done_beside)
        });
        if self.counting {
            self.done += finished.load(Relaxed);
        }
        if go_on { result } else { Err(Stopped::Cancelled.into()) }
    }

    /// Runs `job` for each of `0..count` on all threads and returns what they made, in order.
    ///
    /// # Errors
    /// As [`Workers::run`], whose `scratch` this has none of.
    pub fn make<T: Send, E: From<Stopped> + Send>(
        &mut self,
        count: u32,
        job: impl Fn(u32) -> T + Sync,
    ) -> Result<Vec<T>, E> {
        self.make_beside(count, job, || ()).map(|(made, ())| made)
    }

    /// As [`Workers::make`], while the calling thread does `beside`, whose result comes second.
    ///
    /// # Errors
    /// As [`Workers::make`].
    pub fn make_beside<T: Send, E: From<Stopped> + Send, R>(
        &mut self,
        count: u32,
        job: impl Fn(u32) -> T + Sync,
        beside: impl FnOnce() -> R,
    ) -> Result<(Vec<T>, R), E> {
        let made: Vec<Mutex<Option<T>>> = (0..count).map(|_| Mutex::new(None)).collect();
        let items: Vec<u32> = (0..count).collect();
        let (threads, scratch) = (self.threads, || Ok::<_, E>(()));
        let make = |(): &mut (), item: u32| {
            let result = job(item);
            *made[item as usize].lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        };
        let done_beside = self.run_beside(threads, &items, scratch, make, beside)?;
        let made = made.into_iter();
        let made = made.filter_map(|m| m.into_inner().unwrap_or_else(PoisonError::into_inner));
        Ok((made.collect(), done_beside))
    }
}

/// What a panic said.
fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "thread panicked".to_owned())
}
