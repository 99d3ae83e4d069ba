//! Rows in the order of their distances, where an index finds them by lower bounds of these, and
//! some of them late.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use memory::{Grow, OutOfMemory};
use pages::HeapTid;

use crate::pg::error::Report;

/// What an index has found.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<T> {
    /// A number that the distance of this row is not below. It falls only where an index goes on
    /// with a wider search, which finds rows late.
    pub bound: f64,
    /// The row, to be returned unless nobody is to see it.
    pub row: Option<Row<T>>,
}

/// A row and the operator's distance.
#[derive(Clone, Copy, Debug)]
pub struct Row<T> {
    /// Where the row is: ties come in heap order.
    pub tid: HeapTid,
    /// Anything but NaN.
    pub distance: f64,
    /// What else is known of it.
    pub payload: T,
}

/// What takes memory beyond its size.
pub trait Payload {
    /// Bytes of it.
    fn bytes(&self) -> usize;
}

impl Payload for () {
    fn bytes(&self) -> usize {
        0
    }
}

impl<T: Payload> Row<T> {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.payload.bytes()
    }
}

impl<T> Ord for Row<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.distance.total_cmp(&other.distance).then_with(|| self.tid.cmp(&other.tid))
    }
}

impl<T> PartialOrd for Row<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Row<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Row<T> {}

/// How rows are returned.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// Whether rows found late, which are nearer than one that was returned, come after all
    /// others; else they come at once.
    pub strict: bool,
    /// Rows that are wanted, where that is known; else 0. In strict order they are gathered before
    /// the first is returned: if the search has to go on to find as many, these are the nearest of
    /// all that it found.
    pub wanted: usize,
    /// Whether all is gathered from the start, as many will not be returned that the search finds;
    /// else once one of them was not.
    pub eager: bool,
    /// Bytes that rows may take. Beyond, no further ones are gathered, and late ones come at once.
    pub room: usize,
}

/// Rows found that wait until no nearer one can come: a few where bounds are tight.
///
/// PostgreSQL's executor has such a queue too (`xs_recheckorderby`), but several of its minor
/// releases lose the `ctid` of rows that pass it, and it takes no row that is late.
#[derive(Debug)]
pub struct Reorder<T> {
    order: Order,
    /// Rows to be gathered now.
    gather: usize,
    returned: usize,
    /// While rows are gathered, those that the search has passed.
    gathered: BinaryHeap<Row<T>>,
    waiting: BinaryHeap<Reverse<Row<T>>>,
    late: BinaryHeap<Reverse<Row<T>>>,
    bytes: usize,
    /// Rows that were late so far.
    late_count: u64,
    bound: f64,
    /// The greatest distance returned.
    last: f64,
    ended: bool,
}

impl<T: Payload> Reorder<T> {
    /// Nothing was found yet.
    pub fn new(order: Order) -> Self {
        Self {
            order,
            gather: if order.strict && order.eager { order.wanted } else { 0 },
            returned: 0,
            gathered: BinaryHeap::new(),
            waiting: BinaryHeap::new(),
            late: BinaryHeap::new(),
            bytes: 0,
            late_count: 0,
            bound: f64::NEG_INFINITY,
            last: f64::NEG_INFINITY,
            ended: false,
        }
    }

    /// Rows that were found too late to keep the order.
    pub fn late(&self) -> u64 {
        self.late_count
    }

    /// The next row. `find` gives one row after another, none after the last, and is then called
    /// no more.
    ///
    /// # Errors
    /// Those of `find`, and that memory is used up.
    pub fn next(
        &mut self,
        mut find: impl FnMut() -> Result<Option<Candidate<T>>, Report>,
    ) -> Result<Option<Row<T>>, Report> {
        loop {
            let is_full = self.bytes > self.order.room;
            let gathers = !self.ended && !is_full && self.gathered.len() < self.gather;
            if !gathers {
                self.gather = 0;
                self.waiting.try_extend(self.gathered.drain().map(Reverse))?;
                let nearest = self.waiting.peek().map(|Reverse(row)| row.distance);
                if nearest.is_some_and(|distance| self.ended || is_full || distance <= self.bound)
                    || self.ended
                {
                    return Ok(self.give());
                }
            }
            match find()? {
                Some(found) => self.take(found)?,
                None => self.ended = true,
            }
        }
    }

    fn give(&mut self) -> Option<Row<T>> {
        let Reverse(row) = self.waiting.pop().or_else(|| self.late.pop())?;
        self.last = self.last.max(row.distance);
        self.returned += 1;
        self.bytes = self.bytes.saturating_sub(row.bytes());
        Some(row)
    }

    fn take(&mut self, Candidate { bound, row }: Candidate<T>) -> Result<(), OutOfMemory> {
        self.bound = if self.order.strict { bound } else { bound.max(self.bound) };
        if row.is_none() && self.order.strict && self.gather == 0 {
            self.gather = self.order.wanted.saturating_sub(self.returned);
        }
        let gathers = self.gather > 0;
        if gathers {
            while self.waiting.peek().is_some_and(|Reverse(row)| row.distance <= self.bound) {
                self.gathered.try_extend(self.waiting.pop().map(|Reverse(row)| row))?;
            }
            while self.gathered.peek().is_some_and(|row| row.distance > self.bound) {
                self.waiting.try_extend(self.gathered.pop().map(Reverse))?;
            }
        }
        let Some(row) = row else { return Ok(()) };
        let is_late = self.order.strict && row.distance < self.last;
        self.late_count += u64::from(is_late);
        self.bytes += row.bytes();
        if is_late && self.bytes <= self.order.room {
            self.late.try_push(Reverse(row))
        } else if gathers && row.distance <= self.bound {
            self.gathered.try_push(row)
        } else {
            self.waiting.try_push(Reverse(row))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Order = Order { strict: true, wanted: 0, eager: true, room: usize::MAX };

    /// The order in which rows come that are found with these bounds and distances, and how many
    /// had been found before each.
    fn order(order: Order, found: &[(f64, Option<f64>)]) -> Vec<(f64, usize)> {
        let mut reorder = Reorder::new(order);
        let mut at = 0;
        let mut rows = Vec::new();
        loop {
            let next = reorder.next(|| {
                let tid = HeapTid { block: at as u32, offset: 1 };
                let next = found.get(at).map(|&(bound, distance)| Candidate {
                    bound,
                    row: distance.map(|distance| Row { tid, distance, payload: () }),
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
        assert_eq!(order(STRICT, &rows), [(1.0, 1), (1.0, 2), (2.0, 3)]);
    }

    #[test]
    fn rows_wait_until_none_nearer_can_come() {
        let rows = [(1.0, Some(2.5)), (1.5, Some(1.6)), (2.0, None), (3.0, Some(f64::INFINITY))];
        assert_eq!(order(STRICT, &rows), [(1.6, 3), (2.5, 4), (f64::INFINITY, 5)]);
    }

    /// A search that goes on after two rows.
    const LATE: [(f64, Option<f64>); 6] = [
        (1.0, Some(1.0)),
        (2.0, Some(2.0)),
        (0.5, Some(0.5)),
        (1.5, Some(1.5)),
        (2.5, Some(2.5)),
        (3.0, Some(3.0)),
    ];

    #[test]
    fn late_rows_come_last_in_strict_order_and_at_once_in_relaxed_order() {
        let distances = |by| order(by, &LATE).iter().map(|row| row.0).collect::<Vec<_>>();
        assert_eq!(distances(STRICT), [1.0, 2.0, 2.5, 3.0, 0.5, 1.5]);
        let relaxed = Order { strict: false, ..STRICT };
        assert_eq!(distances(relaxed), [1.0, 2.0, 0.5, 1.5, 2.5, 3.0]);
    }

    #[test]
    fn none_is_late_among_rows_that_are_gathered() {
        for (wanted, found) in [(3, 4), (4, 5), (5, 5), (6, 6), (7, 7)] {
            let rows = order(Order { wanted, ..STRICT }, &LATE);
            assert_eq!(
                rows.iter().map(|row| row.0).collect::<Vec<_>>(),
                [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
            );
            assert_eq!(rows[0].1, found);
        }
    }

    #[test]
    fn rows_are_gathered_once_one_is_not_returned() {
        let lazy = Order { wanted: 4, eager: false, ..STRICT };
        assert_eq!(order(lazy, &LATE)[0], (1.0, 1));
        let mut found = LATE.to_vec();
        found.insert(1, (1.0, None));
        found.insert(0, (0.1, None));
        // As where all is gathered from the start, but for the two that are not returned.
        let rows = order(lazy, &found);
        assert_eq!((rows[0], rows[5]), ((0.5, 7), (3.0, 8)));
    }

    #[test]
    fn beyond_its_room_nothing_waits() {
        let rows = order(Order { wanted: 5, room: 0, ..STRICT }, &LATE);
        assert_eq!(rows.len(), 6);
        assert_eq!(rows[0], (1.0, 1));
    }
}
