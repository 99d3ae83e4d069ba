//! How many rows a call is given.

use std::ops::Range;
use std::time::{Duration, Instant};

/// A call should take at least half of this, and at most twice.
const GOAL: Duration = Duration::from_millis(40);
/// Rows that a call is given at most: buffers for them stay small.
const MOST: usize = 1 << 14;

/// Divides rows into blocks that take about equally long.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    least: usize,
    most: usize,
    rows: usize,
}

impl Pace {
    /// Begins with blocks of `granule` rows.
    pub fn new(granule: usize) -> Self {
        let least = granule.clamp(1, MOST);
        Self { least, most: MOST, rows: least }
    }

    /// With blocks of at most so many rows, at least one.
    pub fn at_most(self, rows: usize) -> Self {
        let most = rows.clamp(1, self.most);
        Self { least: self.least.min(most), most, rows: self.rows.min(most) }
    }

    /// Calls `call` with one block of `0..count` after another, which it may only fail for.
    ///
    /// # Errors
    /// The first of `call`.
    pub fn run<E>(
        &mut self,
        count: usize,
        mut call: impl FnMut(Range<usize>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut start = 0;
        while start < count {
            let block = start..count.min(start.saturating_add(self.rows));
            let (begun, full) = (Instant::now(), block.len() == self.rows);
            start = block.end;
            call(block)?;
            self.adapt(begun.elapsed(), full);
        }
        Ok(())
    }

    fn adapt(&mut self, took: Duration, full: bool) {
        if took > 2 * GOAL {
            self.rows = (self.rows / 2).max(self.least);
        } else if took < GOAL / 2 && full {
            self.rows = (self.rows * 2).min(self.most);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_all_rows_once() {
        let mut next = 0;
        let run = Pace::new(3).run(100_000, |block| {
            assert!(block.start == next && block.end > next && block.len() <= MOST);
            next = block.end;
            Ok::<_, ()>(())
        });
        assert_eq!((run, next), (Ok(()), 100_000));
        assert_eq!(Pace::new(64).run(0, |_| Err(())), Ok(()));
    }

    #[test]
    fn blocks_grow_and_shrink() {
        let mut pace = Pace::new(100);
        pace.adapt(Duration::from_millis(5), true);
        pace.adapt(Duration::from_millis(5), true);
        assert_eq!(pace.rows, 400);
        pace.adapt(Duration::from_millis(50), true);
        pace.adapt(Duration::from_millis(5), false);
        assert_eq!(pace.rows, 400);
        (0..9).for_each(|_| pace.adapt(Duration::from_millis(500), true));
        assert_eq!(pace.rows, 100);
        (0..99).for_each(|_| pace.adapt(Duration::from_millis(1), true));
        assert_eq!(pace.rows, MOST);
        assert_eq!(pace.at_most(7).rows, 7);
    }
}
