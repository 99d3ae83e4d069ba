//! Jobs that fail, panic or are stopped, with threads and without.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use threads::{Stopped, Workers};

/// Runs a thousand jobs that take a little while, on so many threads.
fn run(
    threads: usize,
    on_tick: &mut dyn FnMut(usize) -> bool,
    job: impl Fn(u32) -> Result<(), Stopped> + Sync,
) -> Result<(), Stopped> {
    let items: Vec<u32> = (0..1_000).collect();
    Workers::new(threads, on_tick).run(threads, &items, || Ok(()), |(), item| job(item))
}

#[test]
fn without_threads_the_caller_works() {
    let (caller, done) = (thread::current().id(), AtomicU32::new(0));
    let result = run(0, &mut |_| true, |_| {
        assert_eq!(thread::current().id(), caller);
        done.fetch_add(1, Relaxed);
        Ok(())
    });
    assert_eq!((result, done.into_inner()), (Ok(()), 1_000));
}

#[test]
fn jobs_stop_when_the_caller_says_so() {
    for threads in 0..3 {
        let done = AtomicU32::new(0);
        let result = run(threads, &mut |_| false, |_| {
            done.fetch_add(1, Relaxed);
            thread::sleep(Duration::from_millis(1));
            Ok(())
        });
        assert_eq!(result, Err(Stopped::Cancelled), "{threads} threads");
        assert!(done.into_inner() < 1_000, "{threads} threads");
    }
}

#[test]
fn a_job_that_fails_ends_the_others() {
    for threads in 0..3 {
        let job = |item| if item == 7 { Err(Stopped::OutOfMemory) } else { Ok(()) };
        assert_eq!(
            run(threads, &mut |_| true, job),
            Err(Stopped::OutOfMemory),
            "{threads} threads"
        );
    }
}

#[test]
fn a_panic_of_a_thread_is_an_error() {
    for threads in 1..3 {
        let result = run(threads, &mut |_| true, |item| {
            assert!(item != 7, "bad luck");
            Ok(())
        });
        assert_eq!(result, Err(Stopped::Panicked("bad luck".into())), "{threads} threads");
    }
}

#[test]
fn chunks_are_handed_out_once() {
    for threads in 0..3 {
        let mut numbers = vec![0; 1_000];
        let mut on_tick = |_| true;
        let mut workers = Workers::new(threads, &mut on_tick);
        let job = |(): &mut (), chunk: usize, numbers: &mut [usize]| {
            numbers.iter_mut().for_each(|number| *number += 1 + chunk);
            Ok::<_, Stopped>(())
        };
        assert_eq!(workers.chunks(&mut numbers, 7, || Ok(()), job), Ok(()));
        assert!(numbers.iter().enumerate().all(|(i, &number)| number == 1 + i / 7));
        let made = workers.make(100, |i| if i == 99 { Err(Stopped::OutOfMemory) } else { Ok(i) });
        assert_eq!(made, Err(Stopped::OutOfMemory));
        assert_eq!(workers.make(100, Ok::<_, Stopped>), Ok((0..100).collect()));
    }
}
