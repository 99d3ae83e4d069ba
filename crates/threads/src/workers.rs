//! Threads that share a list of jobs while the calling thread watches over them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use memory::OutOfMemory;

use crate::spawn;

/// Time between two calls of the tick function.
const TICK: Duration = Duration::from_millis(20);

/// Why jobs were not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The tick function asked to stop.
    Cancelled,
    /// The operating system gave no more memory.
    OutOfMemory,
    /// A thread panicked with this message: a bug.
    Panicked(String),
}

impl From<OutOfMemory> for Stopped {
    fn from(_: OutOfMemory) -> Self {
        Self::OutOfMemory
    }
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
    /// Up to `threads` threads beside the calling one. That one calls `on_tick` about every 20 ms
    /// while they work, with the number of jobs done, and stops them when it returns false or panics.
    /// Without a thread, also where the operating system gives none, it does the jobs itself, and
    /// calls `on_tick` between them.
    pub fn new(threads: usize, on_tick: &'a mut dyn FnMut(usize) -> bool) -> Self {
        Self { threads, batch: 1, on_tick, done: 0, counting: false }
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

    /// Calls the tick function, between work that the calling thread does.
    ///
    /// # Errors
    /// [`Stopped::Cancelled`] if it says so.
    pub fn tick(&mut self) -> Result<(), Stopped> {
        if (self.on_tick)(self.done) { Ok(()) } else { Err(Stopped::Cancelled) }
    }

    /// Runs `job` for each of `items` on up to `threads` threads, in order if it is one.
    /// `scratch` makes a thread's working space.
    ///
    /// # Errors
    /// If the tick function says so, if a thread panics or gets no `scratch`, and those of `job`.
    pub fn run<S, E: From<Stopped> + Send>(
        &mut self,
        threads: usize,
        items: &[u32],
        scratch: impl Fn() -> Result<S, E> + Sync,
        job: impl Fn(&mut S, u32) -> Result<(), E> + Sync,
    ) -> Result<(), E> {
        self.run_beside(threads, items, scratch, job, || ())
    }

    /// As [`Workers::run`], while the calling thread does `beside`, before it watches over the others.
    fn run_beside<S, E: From<Stopped> + Send, R>(
        &mut self,
        threads: usize,
        items: &[u32],
        scratch: impl Fn() -> Result<S, E> + Sync,
        job: impl Fn(&mut S, u32) -> Result<(), E> + Sync,
        beside: impl FnOnce() -> R,
    ) -> Result<R, E> {
        if items.is_empty() {
            return Ok(beside());
        }
        let batch = self.batch;
        let (next, finished) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let stop = AtomicBool::new(false);
        // Does jobs as long as there are some, and `go_on` holds.
        let work = |go_on: &mut dyn FnMut() -> bool| -> Result<(), E> {
            let mut scratch = scratch()?;
            loop {
                let start = next.fetch_add(batch, Relaxed);
                let Some(rest) = items.get(start..).filter(|rest| !rest.is_empty()) else {
                    return Ok(());
                };
                for &item in &rest[..batch.min(rest.len())] {
                    if !go_on() {
                        return Ok(());
                    }
                    job(&mut scratch, item)?;
                    finished.fetch_add(1, Relaxed);
                }
            }
        };
        let wanted = threads.min(self.threads).min(items.len().div_ceil(batch));
        let running = AtomicUsize::new(wanted);
        // No thread works before all have begun: what the C library needs for each is left to it.
        let (begun, gate) = (AtomicUsize::new(0), Mutex::new(()));
        let caller = thread::current();
        let guarded = || {
            begun.fetch_add(1, Relaxed);
            caller.unpark();
            drop(gate.lock().unwrap_or_else(PoisonError::into_inner));
            let result = catch_unwind(AssertUnwindSafe(|| work(&mut || !stop.load(Relaxed))));
            let result =
                result.unwrap_or_else(|panic| Err(Stopped::Panicked(message(&*panic)).into()));
            if result.is_err() {
                stop.store(true, Relaxed);
            }
            running.fetch_sub(1, Relaxed);
            caller.unpark();
            result
        };
        let (counting, done_before) = (self.counting, self.done);
        let tick = || {
            let done = if counting { finished.load(Relaxed) } else { 0 };
            (self.on_tick)(done_before + done)
        };
        let (mut tick, mut go_on) = (tick, true);
        let result = thread::scope(|scope| {
            let _stop_on_drop = StopOnDrop(&stop);
            let spawn = |number| {
                let _guard = spawn::spawn_guard()?;
                let handle = thread::Builder::new().spawn_scoped(scope, guarded).ok()?;
                while begun.load(Relaxed) <= number {
                    thread::park_timeout(TICK);
                }
                Some(handle)
            };
            let handles: Vec<_> = {
                let _closed = gate.lock().unwrap_or_else(PoisonError::into_inner);
                (0..wanted).map_while(spawn).collect()
            };
            let missing = wanted - handles.len();
            let done_beside = beside();
            if handles.is_empty() {
                let mut latest = Instant::now();
                work(&mut || {
                    if latest.elapsed() >= TICK {
                        go_on = tick();
                        latest = Instant::now();
                    }
                    go_on
                })?;
                return Ok(done_beside);
            }
            while running.load(Relaxed) > missing {
                thread::park_timeout(TICK);
                if go_on && !tick() {
                    go_on = false;
                    stop.store(true, Relaxed);
                }
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

    /// Runs `job` for each chunk of `size` items of `data`, of which the last may be shorter, with its
    /// number, on all threads.
    ///
    /// # Errors
    /// As [`Workers::run`].
    ///
    /// # Panics
    /// If `size` is zero.
    pub fn chunks<T: Send, S, E: From<Stopped> + Send>(
        &mut self,
        data: &mut [T],
        size: usize,
        scratch: impl Fn() -> Result<S, E> + Sync,
        job: impl Fn(&mut S, usize, &mut [T]) -> Result<(), E> + Sync,
    ) -> Result<(), E> {
        self.chunks_beside(data, size, scratch, job, || ())
    }

    /// As [`Workers::chunks`], while the calling thread does `beside`.
    fn chunks_beside<T: Send, S, E: From<Stopped> + Send, R>(
        &mut self,
        data: &mut [T],
        size: usize,
        scratch: impl Fn() -> Result<S, E> + Sync,
        job: impl Fn(&mut S, usize, &mut [T]) -> Result<(), E> + Sync,
        beside: impl FnOnce() -> R,
    ) -> Result<R, E> {
        let chunks = data.chunks_mut(size);
        let jobs = memory::collected(0..chunks.len() as u32).map_err(refused::<E>)?;
        let chunks = Mutex::new(chunks.enumerate());
        let job = |scratch: &mut S, _| {
            let next = chunks.lock().unwrap_or_else(PoisonError::into_inner).next();
            // There is one for each job.
            next.map_or(Ok(()), |(number, chunk)| job(scratch, number, chunk))
        };
        self.run_beside(self.threads, &jobs, scratch, job, beside)
    }

    /// Runs `job` for each of `0..count` on all threads and returns what they made, in order.
    ///
    /// # Errors
    /// As [`Workers::run`], whose `scratch` this has none of.
    pub fn make<T: Send, E: From<Stopped> + Send>(
        &mut self,
        count: u32,
        job: impl Fn(u32) -> Result<T, E> + Sync,
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
        job: impl Fn(u32) -> Result<T, E> + Sync,
        beside: impl FnOnce() -> R,
    ) -> Result<(Vec<T>, R), E> {
        let mut made: Vec<Option<T>> =
            memory::collected((0..count).map(|_| None)).map_err(refused::<E>)?;
        let make = |(): &mut (), number: usize, place: &mut [Option<T>]| {
            // One place, whose number is below `count`.
            let result = job(number as u32)?;
            place[0] = Some(result);
            Ok::<_, E>(())
        };
        let done_beside = self.chunks_beside(&mut made, 1, || Ok(()), make, beside)?;
        Ok((memory::collected(made.into_iter().flatten()).map_err(refused)?, done_beside))
    }
}

/// The error of a list of jobs that gets no memory.
fn refused<E: From<Stopped>>(error: OutOfMemory) -> E {
    Stopped::from(error).into()
}

/// What a panic said.
fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "thread panicked".to_owned())
}
