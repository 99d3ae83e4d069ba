//! Loops of threads that end when another thread is done, or fails.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether loops of other threads shall end. A scope waits for its threads: the thread that would
/// end their loops must do so also if it panics, or the test hangs.
#[derive(Default)]
pub struct Done(AtomicBool);

/// Says that all is done when it is dropped, also by a panic.
pub struct AtEnd<'a>(&'a Done);

impl Done {
    /// Whether all is done.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Ends the loops.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Ends the loops when the value returned is dropped.
    pub fn at_end(&self) -> AtEnd<'_> {
        AtEnd(self)
    }

    /// Calls `act` with 1, 2, … until all is done, at least once; returns how often. Should `act`
    /// panic, the other loops end, too.
    pub fn repeat(&self, mut act: impl FnMut(i32)) -> i32 {
        let _end = self.at_end();
        let mut rounds = 0;
        loop {
            rounds += 1;
            act(rounds);
            if self.is_set() {
                return rounds;
            }
        }
    }
}

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.set();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::Done;

    #[test]
    fn a_panic_ends_all_loops() {
        let done = &Done::default();
        let failed = thread::scope(|scope| {
            let failing = scope.spawn(|| done.repeat(|round| assert!(round < 3)));
            scope.spawn(|| done.repeat(|_| thread::yield_now()));
            failing.join().is_err()
        });
        assert!(failed && done.is_set());
    }
}
