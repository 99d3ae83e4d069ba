//! Entries in the order of their exact distances, although few vectors are read.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use memory::{Grow, Result};
use pages::HeapTid;

use crate::block::Entry;
use crate::query::Exact;

/// Something that belongs to an entry, ordered by distance, then by row, so that the order does not
/// depend on the layout of a heap.
#[derive(Debug)]
pub(crate) struct ByDistance<T> {
    pub(crate) distance: f64,
    pub(crate) tid: HeapTid,
    pub(crate) item: T,
}

impl<T> Ord for ByDistance<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.distance.total_cmp(&other.distance).then_with(|| self.tid.cmp(&other.tid))
    }
}

impl<T> PartialOrd for ByDistance<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for ByDistance<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for ByDistance<T> {}

/// An entry whose vector was read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ReadEntry {
    pub(crate) exact: Exact,
    pub(crate) entry: Entry,
}

/// Candidates that are put in order at first; each time these are used up, [`GROWTH`] times as many.
const NEAR: usize = 64;
const GROWTH: usize = 4;

/// An entry whose vector was not read yet, with a number that its reduced distance is hardly ever
/// below.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    bound: f32,
    entry: Entry,
}

impl Candidate {
    fn by_distance(self) -> ByDistance<Entry> {
        ByDistance { distance: self.bound.into(), tid: self.entry.tid, item: self.entry }
    }
}

/// Entries by the least distance they can have. The nearest one read is handed out once no other
/// can be nearer.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// The nearest candidates.
    near: BinaryHeap<Reverse<ByDistance<Entry>>>,
    /// The other candidates, in no order: few of them are ever looked at.
    far: Vec<Candidate>,
    /// None of these has a bound below it.
    far_least: f32,
    /// Candidates that came near when this was done last.
    brought: usize,
    found: BinaryHeap<Reverse<ByDistance<ReadEntry>>>,
}

/// What is to be done for the next entry.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    /// This is the next one.
    Next(ReadEntry),
    /// The vector of this one is to be read first.
    Read(Entry),
    /// There are no more.
    End,
}

impl Stream {
    /// Adds entries, each with a number that its reduced distance is hardly ever below.
    ///
    /// # Errors
    /// [`memory::OutOfMemory`].
    pub(crate) fn push_candidates(
        &mut self,
        mut candidates: impl Iterator<Item = (f32, Entry)>,
    ) -> Result<()> {
        if !self.near.is_empty() {
            // What is near stays in order: nothing is looked for among all candidates anew.
            return candidates.try_for_each(|(bound, entry)| {
                if bound < self.far_least {
                    self.near.try_push(Reverse(Candidate { bound, entry }.by_distance()))
                } else {
                    self.far.try_push(Candidate { bound, entry })
                }
            });
        }
        self.brought = 0;
        let least = if self.far.is_empty() { f32::INFINITY } else { self.far_least };
        self.far_least = candidates.try_fold(least, |least: f32, (bound, entry)| {
            self.far.try_push(Candidate { bound, entry })?;
            Ok(least.min(bound))
        })?;
        Ok(())
    }

    /// A number below which no entry has its bound, or its reduced distance if that was measured.
    pub(crate) fn least(&self) -> f64 {
        let far = if self.far.is_empty() { f64::INFINITY } else { f64::from(self.far_least) };
        let near = self.near.peek().map_or(far, |near| near.0.distance);
        self.found.peek().map_or(near, |found| near.min(found.0.item.exact.least_reduced))
    }

    /// Leaves out entries whose vectors were read, and for which `holds` is false. Returns how many of
    /// them stay, and how many do not.
    pub(crate) fn keep_found(&mut self, mut holds: impl FnMut(HeapTid) -> bool) -> [u64; 2] {
        let read = self.found.len();
        self.found.retain(|Reverse(found)| holds(found.tid));
        [self.found.len() as u64, (read - self.found.len()) as u64]
    }

    /// Adds an entry whose vector was read.
    ///
    /// # Errors
    /// [`memory::OutOfMemory`].
    pub(crate) fn push_found(&mut self, exact: Exact, entry: Entry) -> Result<()> {
        let item = ReadEntry { exact, entry };
        self.found.try_push(Reverse(ByDistance { distance: exact.distance, tid: entry.tid, item }))
    }

    /// The next step.
    ///
    /// # Errors
    /// [`memory::OutOfMemory`].
    pub(crate) fn step(&mut self) -> Result<Step> {
        if self.near.is_empty() && !self.far.is_empty() {
            self.bring_near()?;
        }
        let bound = self.near.peek().map(|candidate| candidate.0.distance);
        let nearest = self.found.peek().map(|found| found.0.item.exact.least_reduced);
        Ok(match (nearest, bound) {
            (Some(nearest), bound) if bound.is_none_or(|bound| nearest < bound) => {
                self.found.pop().map_or(Step::End, |found| Step::Next(found.0.item))
            }
            _ => self.near.pop().map_or(Step::End, |next| Step::Read(next.0.item)),
        })
    }

    /// Puts the nearest of the candidates in order.
    fn bring_near(&mut self) -> Result<()> {
        self.brought = (self.brought * GROWTH).clamp(NEAR, self.far.len().max(NEAR));
        let rest = self.far.len().saturating_sub(self.brought);
        self.far_least = f32::INFINITY;
        if rest > 0 {
            let farther = |a: &Candidate, b: &Candidate| b.bound.total_cmp(&a.bound);
            let (_, nearest_of_rest, _) = self.far.select_nth_unstable_by(rest - 1, farther);
            self.far_least = nearest_of_rest.bound;
        }
        self.near.try_extend(self.far.drain(rest..).map(|far| Reverse(far.by_distance())))
    }

    /// Bytes in use.
    pub(crate) fn bytes(&self) -> usize {
        self.near.capacity() * size_of::<ByDistance<Entry>>()
            + self.far.capacity() * size_of::<Candidate>()
            + self.found.capacity() * size_of::<ByDistance<ReadEntry>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::VectorNo;

    /// An entry whose reduced distance is its number; its bound is a bit below.
    fn candidate(number: u32) -> (f32, Entry) {
        let tid = HeapTid { block: number, offset: 1 };
        (number as f32 - 0.5, Entry { tid, vector: VectorNo(number) })
    }

    /// The next entry, and how many vectors were read for it.
    fn next(stream: &mut Stream) -> (Option<u32>, usize) {
        let mut read = 0;
        loop {
            match stream.step().unwrap() {
                Step::Next(found) => return (Some(found.entry.tid.block), read),
                Step::Read(entry) => {
                    read += 1;
                    let distance = f64::from(entry.tid.block);
                    let (reduced, certain) = (distance as f32, true);
                    let exact = Exact { distance, certain, reduced, least_reduced: distance };
                    stream.push_found(exact, entry).unwrap();
                }
                Step::End => return (None, read),
            }
        }
    }

    #[test]
    fn entries_that_are_added_later_come_in_order() {
        let mut stream = Stream::default();
        // Every third number at a time, in no order: some are before what is near, among it, and after it.
        let part = |part: u32| (0..500).map(move |i| candidate(i * 277 % 500 * 3 + part));
        stream.push_candidates(part(0)).unwrap();
        let first: Vec<_> = (0..100).map(|_| next(&mut stream).0.unwrap()).collect();
        assert_eq!(first, (0..100).map(|i| i * 3).collect::<Vec<_>>());
        stream.push_candidates(part(1)).unwrap();
        assert_eq!(stream.least(), 0.5);
        stream.push_candidates(part(2)).unwrap();
        let (mut rest, mut read) = (Vec::new(), 0);
        while let (Some(number), vectors) = next(&mut stream) {
            rest.push(number);
            read += vectors;
            // An entry is read once it may be the next, not before.
            assert!(read <= rest.len() + 1, "{read} for {}", rest.len());
        }
        assert_eq!(rest, (0..1500).filter(|i| i % 3 != 0 || *i >= 300).collect::<Vec<_>>());
    }

    #[test]
    fn what_comes_after_all_was_near_is_near() {
        let mut stream = Stream::default();
        stream.push_candidates((0..40).map(|i| candidate(i * 10))).unwrap();
        assert_eq!(next(&mut stream).0, Some(0));
        stream.push_candidates((0..40).map(|i| candidate(i * 10 + 5))).unwrap();
        let rest: Vec<_> = std::iter::from_fn(|| next(&mut stream).0).collect();
        assert_eq!(rest, (1..80).map(|i| i * 5).collect::<Vec<_>>());
    }
}
