//! Rows in the order of their distances, where an index finds them by lower bounds of these.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use memory::{Grow, OutOfMemory};
use pages::HeapTid;

/// A row that an index has found.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// A number that neither the distance of this row nor that of any found later is below.
    pub bound: f64,
    /// The row, to be returned unless nobody is to see it.
    pub row: Option<Row>,
}

/// A row and the operator's distance.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Where the row is, as the index has it.
    pub tid: HeapTid,
    /// Anything but NaN.
    pub distance: f64,
}

impl Ord for Row {
    /// Ties in heap order.
    fn cmp(&self, other: &Self) -> Ordering {
        self.distance.total_cmp(&other.distance).then_with(|| self.tid.cmp(&other.tid))
    }
}

impl PartialOrd for Row {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Row {}

/// Rows found that wait until no nearer one can come: 16 bytes each, a few where bounds are tight.
///
/// PostgreSQL's executor has such a queue too (`xs_recheckorderby`), but several of its minor
/// releases lose the `ctid` of rows that pass it, and it copies whole rows.
#[derive(Debug)]
pub struct Reorder {
    waiting: BinaryHeap<Reverse<Row>>,
    bound: f64,
    ended: bool,
}

impl Default for Reorder {
    fn default() -> Self {
        Self { waiting: BinaryHeap::new(), bound: f64::NEG_INFINITY, ended: false }
    }
}

impl Reorder {
    /// The next row in order of distance. `find` gives one row after another, none after the last,
    /// and is then called no more.
    ///
    /// # Errors
    /// Those of `find`, and [`OutOfMemory`].
    pub fn next<E: From<OutOfMemory>>(
        &mut self,
        mut find: impl FnMut() -> Result<Option<Found>, E>,
    ) -> Result<Option<Row>, E> {
        loop {
            let nearest = self.waiting.peek().map(|Reverse(row)| row.distance);
            if self.ended || nearest.is_some_and(|distance| distance <= self.bound) {
                return Ok(self.waiting.pop().map(|Reverse(row)| row));
            }
            match find()? {
                Some(Found { bound, row }) => {
                    // A scan in relaxed order finds rows late; those that wait need not.
                    self.bound = self.bound.max(bound);
                    self.waiting.try_extend(row.map(Reverse))?;
                }
                None => self.ended = true,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The order in which rows come that are found with these bounds and distances, and how many
    /// had been found before each.
    fn order(found: &[(f64, Option<f64>)]) -> Vec<(f64, usize)> {
        let mut reorder = Reorder::default();
        let mut at = 0;
        let mut rows = Vec::new();
        loop {
            let next: Result<_, OutOfMemory> = reorder.next(|| {
                let tid = HeapTid { block: at as u32, offset: 1 };
                let next = found.get(at).map(|&(bound, distance)| Found {
                    bound,
                    row: distance.map(|distance| Row { tid, distance }),
                });
                at += 1;
                Ok(next)
            });
            match next.unwrap() {
                Some(row) => rows.push((row.distance, at)),
                None => return rows,
            }
        }
    }

    #[test]
    fn exact_rows_pass_at_once() {
        let rows = [1.0, 1.0, 2.0].map(|distance| (distance, Some(distance)));
        assert_eq!(order(&rows), [(1.0, 1), (1.0, 2), (2.0, 3)]);
    }

    #[test]
    fn rows_wait_until_none_nearer_can_come() {
        let rows = [(1.0, Some(2.5)), (1.5, Some(1.6)), (2.0, None), (3.0, Some(f64::INFINITY))];
        assert_eq!(order(&rows), [(1.6, 3), (2.5, 4), (f64::INFINITY, 5)]);
    }

    #[test]
    fn a_late_row_holds_back_none() {
        let rows = [(2.0, Some(2.5)), (1.0, Some(1.1)), (2.6, Some(2.6))];
        assert_eq!(order(&rows), [(1.1, 2), (2.5, 3), (2.6, 3)]);
    }
}
