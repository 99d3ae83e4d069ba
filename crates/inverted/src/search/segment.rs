//! Searches one segment by block-max MaxScore, a group of documents at a time.
//!
//! Lists are split by the bounds of their contributions in the group. A document that only holds
//! terms of the lists with the smallest bounds cannot reach the threshold: these lists are
//! *non-essential*, and are only asked about documents of the others.

use pages::{Error, HeapTid, PageStore, Result, TidFilter};

use super::best::{Best, Ranked};
use super::list::{List, bounds_of};
use super::window::{Candidate, Window};
use crate::Scoring;
use crate::dictionary::Entry;
use crate::postings::BLOCK;
use crate::score::{Weight, score};
use crate::segment::{GROUP, Reader};

/// Postings that can be added in the time in which a list is asked about one document.
const LOOKUP: usize = 16;

/// Lists whose blocks are all kept as long as the window needs them: at most 32 kB each.
const KEPT: usize = 128;

/// How far a score in single precision may be off, by the magnitudes of its terms; infinite if single
/// precision may overflow or lose everything.
fn steering_error(magnitudes: impl Iterator<Item = f64>) -> f64 {
    let (count, all) = magnitudes.fold((0.0, 0.0), |(count, all), one| (count + 1.0, all + one));
    if !(1e-25..1e35).contains(&all) {
        return f64::INFINITY;
    }
    // Each term rounds a few times, each time by at most half of this and relative to the sum.
    (count + 16.0) * f64::from(f32::EPSILON) * all
}

/// No score of a segment that has these entries of the terms exceeds it.
pub(super) fn most<'e, S: PageStore>(
    reader: &Reader<'_, S>,
    terms: impl Iterator<Item = (Weight, &'e Entry)> + Clone,
    bound_ratio: f32,
) -> f64 {
    let bounds = terms.map(|(weight, entry)| bounds_of(reader, weight, entry));
    let sum: f64 = bounds.clone().map(|(bound, _)| f64::from(bound)).sum();
    sum * f64::from(bound_ratio) + steering_error(bounds.map(|(_, magnitude)| magnitude))
}

/// Memory of a search of a segment, for the next one.
#[derive(Debug)]
pub(super) struct Room {
    /// Numbers of the lists that have documents in the window, by ascending bound.
    order: Vec<usize>,
    /// Sums of the bounds of the first lists in order, from none to all that are non-essential.
    rest: Vec<f32>,
    window: Window,
    candidates: Vec<Candidate>,
    /// The values of one document.
    values: Vec<(Weight, u32)>,
    tids: Vec<HeapTid>,
}

impl Room {
    pub fn new() -> Self {
        Self {
            order: Vec::new(),
            rest: Vec::new(),
            window: Window::new(),
            candidates: Vec::new(),
            values: Vec::new(),
            tids: Vec::new(),
        }
    }
}

/// A search of one segment.
pub(super) struct SegmentSearch<'r, 's, S: PageStore> {
    reader: &'r Reader<'s, S>,
    /// In the order of the query.
    lists: Vec<List>,
    /// Whether blocks are forgotten once they were added, and decoded again if they are needed.
    keeps_little: bool,
    /// How far a score may be off in single precision.
    error: f64,
    room: &'r mut Room,
}

impl<'r, 's, S: PageStore> SegmentSearch<'r, 's, S> {
    /// A search for terms with these weights; none without terms.
    pub fn new<'e>(
        reader: &'r Reader<'s, S>,
        terms: impl Iterator<Item = (Weight, &'e Entry)>,
        bound_ratio: f32,
        room: &'r mut Room,
    ) -> Result<Option<Self>> {
        let mut lists = Vec::new();
        for (weight, entry) in terms {
            lists.push(List::new(reader, weight, entry, bound_ratio)?);
        }
        if lists.is_empty() {
            return Ok(None);
        }
        let error = steering_error(lists.iter().map(|list| list.magnitude));
        let lists_are_many = lists.len() > KEPT;
        if error.is_infinite() {
            lists.iter_mut().for_each(List::stop_steering);
        }
        Ok(Some(Self { reader, lists, keeps_little: lists_are_many, error, room }))
    }

    /// Offers all documents that may be among the best.
    pub fn run(&mut self, best: &mut Best, filter: &mut Option<TidFilter>) -> Result<()> {
        let documents = self.reader.info().documents;
        let mut base = 0;
        while base < documents {
            let mut next = None;
            for list in &mut self.lists {
                let first = list.advance(self.reader, base)?;
                next = first.into_iter().chain(next).min();
            }
            let Some(next) = next.filter(|&next| next < documents) else { break };
            let group = next as usize / GROUP;
            let start = (group * GROUP) as u32;
            if start > base {
                base = start;
                for list in &mut self.lists {
                    list.advance(self.reader, base)?;
                }
            }
            let end = documents.min(base + GROUP as u32);
            self.search_group(group, base, end, best, filter)?;
            base = end;
        }
        Ok(())
    }

    /// What a score in single precision must reach.
    fn cut(&self, best: &Best) -> f32 {
        // The conversion may round up by a part of the error.
        (best.threshold() - self.error) as f32
    }

    fn search_group(
        &mut self,
        group: usize,
        base: u32,
        end: u32,
        best: &mut Best,
        filter: &mut Option<TidFilter>,
    ) -> Result<()> {
        self.room.order.clear();
        for (i, list) in self.lists.iter_mut().enumerate() {
            list.enter(self.reader, end)?;
            if !list.blocks.is_empty() {
                self.room.order.push(i);
            }
        }
        let lists = &mut self.lists;
        self.room.order.sort_unstable_by(|&a, &b| lists[a].bound.total_cmp(&lists[b].bound));
        let cut = self.cut(best);
        self.split(cut);
        if self.room.rest.len() == self.room.order.len() + 1 {
            return Ok(());
        }
        let mut postings = 0;
        for &i in &self.room.order[self.others()..] {
            let list = &mut self.lists[i];
            if self.keeps_little {
                postings += list.blocks.len() * BLOCK;
                continue;
            }
            list.decode(self.reader, list.blocks.clone())?;
            postings += list.postings(base, end);
        }
        if postings == 0 {
            return Ok(());
        }
        self.reader.lengths(
            group,
            &mut self.room.window.lengths[..],
            &mut self.room.window.dead,
        )?;
        self.room.window.begin(postings);
        for i in self.others()..self.room.order.len() {
            self.add(i, base, end)?;
        }
        self.add_more(base, end, cut)?;
        self.room.window.drain(cut - self.rest(), &mut self.room.candidates)?;
        self.drop_unwanted(group, filter)?;
        self.complete(base, cut)?;
        self.offer(group, base, best)?;
        if self.keeps_little {
            // Looking documents up has decoded blocks again.
            self.lists.iter_mut().for_each(List::forget_blocks);
        }
        Ok(())
    }

    /// Finds the non-essential lists.
    fn split(&mut self, cut: f32) {
        self.room.rest.clear();
        self.room.rest.push(0.0);
        let mut rest = 0.0;
        for &i in &self.room.order {
            rest += self.lists[i].bound;
            if rest >= cut {
                break;
            }
            self.room.rest.push(rest);
        }
    }

    /// Number of non-essential lists, which are first in order.
    fn others(&self) -> usize {
        self.room.rest.len() - 1
    }

    /// The most that they add to a score.
    fn rest(&self) -> f32 {
        self.room.rest[self.others()]
    }

    /// Adds the contributions of a list, by its place in the order, to all documents of the window.
    fn add(&mut self, place: usize, base: u32, end: u32) -> Result<()> {
        let list = &mut self.lists[self.room.order[place]];
        list.decode(self.reader, list.blocks.clone())?;
        for (block, range) in list.parts(base, end) {
            self.room.window.add(list.steering, base, block, range);
        }
        if self.keeps_little {
            list.forget_blocks();
        }
        Ok(())
    }

    /// Adds non-essential lists too while that takes less time than asking them about the documents
    /// that may still be among the best.
    fn add_more(&mut self, base: u32, end: u32, cut: f32) -> Result<()> {
        while self.others() > 0 {
            let candidates = self.room.window.count(cut - self.rest());
            if candidates == 0 {
                return Ok(());
            }
            for _ in 0..self.others().div_ceil(4) {
                let last = self.others() - 1;
                let list = &self.lists[self.room.order[last]];
                if candidates * LOOKUP < list.blocks.len() * BLOCK {
                    return Ok(());
                }
                self.add(last, base, end)?;
                self.room.rest.pop();
            }
        }
        Ok(())
    }

    /// Drops candidates that are dead or do not pass the filter.
    fn drop_unwanted(&mut self, group: usize, filter: &mut Option<TidFilter>) -> Result<()> {
        let window = &self.room.window;
        self.room.candidates.retain(|candidate| !window.is_dead(candidate.place));
        if let Some(passes) = filter
            && !self.room.candidates.is_empty()
        {
            self.room.candidates.sort_unstable_by_key(|candidate| candidate.place);
            let places = self.room.candidates.iter().map(|candidate| candidate.place as usize);
            self.reader.tids_at(group, places, &mut self.room.tids)?;
            let mut tids = self.room.tids.iter();
            self.room.candidates.retain(|_| tids.next().is_some_and(|&tid| passes(tid)));
        }
        Ok(())
    }

    /// Adds the contributions of the non-essential lists, those with the largest bounds first, as long
    /// as a candidate may still reach `cut`.
    fn complete(&mut self, base: u32, cut: f32) -> Result<()> {
        if self.others() > 0 {
            self.room.candidates.sort_unstable_by_key(|candidate| candidate.place);
        }
        for (&i, &rest) in self.room.order.iter().zip(&self.room.rest[1..]).rev() {
            let list = &mut self.lists[i];
            // Sums of bounds are rounded too; the error covers that.
            self.room.candidates.retain(|candidate| candidate.score + rest >= cut);
            let mut block = 0;
            for candidate in &mut self.room.candidates {
                let ordinal = base + candidate.place;
                if let Some(value) = list.value(self.reader, ordinal, &mut block)? {
                    let length = u32::from(self.room.window.length(candidate.place));
                    candidate.score += list.steering.of(value, length);
                }
            }
        }
        self.room.candidates.retain(|candidate| candidate.score >= cut);
        Ok(())
    }

    /// Offers candidates with their exact scores.
    fn offer(&mut self, group: usize, base: u32, best: &mut Best) -> Result<()> {
        let mut candidates = std::mem::take(&mut self.room.candidates);
        let k = best.k();
        if candidates.len() > k {
            // The threshold then rises at once.
            candidates.select_nth_unstable_by(k - 1, |a, b| b.score.total_cmp(&a.score));
        }
        let mut cut = self.cut(best);
        for candidate in &candidates {
            if candidate.score < cut {
                continue;
            }
            let ordinal = base + candidate.place;
            self.room.values.clear();
            for list in &mut self.lists {
                if let Some(value) = list.value(self.reader, ordinal, &mut 0)? {
                    self.room.values.push((list.weight, value));
                }
            }
            let length =
                self.reader.exact_length(ordinal, self.room.window.length(candidate.place))?;
            let score = score(self.room.values.iter().copied(), length);
            if !score.is_finite() {
                let root = self.reader.info().root;
                return Err(Error::corrupted(root, "segment has a weight that is not finite"));
            }
            let counts = self.reader.scoring() == Scoring::InnerProduct || score > 0.0;
            if counts && best.may_take(score) {
                let place = std::iter::once(candidate.place as usize);
                self.reader.tids_at(group, place, &mut self.room.tids)?;
                if let Some(&tid) = self.room.tids.first() {
                    best.offer(Ranked { score, tid })?;
                }
                cut = self.cut(best);
            }
        }
        self.room.candidates = candidates;
        Ok(())
    }
}
