//! Searches one segment by block-max MaxScore, a group of documents at a time.
//!
//! Lists are split by the bounds of their contributions in the group. A document that only holds
//! terms of the lists with the smallest bounds cannot reach the threshold: these lists are
//! *non-essential*, and are only asked about documents of the others.

use pages::{HeapTid, PageStore, Result, TidFilter};

use super::best::{Best, Ranked};
use super::list::List;
use super::window::{Candidate, Window};
use crate::Scoring;
use crate::dictionary::Entry;
use crate::score::{Weight, score};
use crate::segment::{GROUP, Reader};

/// A search of one segment.
pub(super) struct SegmentSearch<'r, 's, S: PageStore> {
    reader: &'r Reader<'s, S>,
    /// In the order of the query.
    lists: Vec<List>,
    /// Numbers of the lists that have documents in the window, by ascending bound.
    order: Vec<usize>,
    /// How far a score may be off in single precision.
    error: f64,
    window: Window,
    candidates: Vec<Candidate>,
    /// The values of one document.
    values: Vec<(Weight, u32)>,
    tids: Vec<HeapTid>,
}

impl<'r, 's, S: PageStore> SegmentSearch<'r, 's, S> {
    /// A search for terms with these weights; none without terms.
    pub fn new<'e>(
        reader: &'r Reader<'s, S>,
        terms: impl Iterator<Item = (Weight, &'e Entry)>,
        bound_ratio: f32,
    ) -> Result<Option<Self>> {
        let mut lists = Vec::new();
        for (weight, entry) in terms {
            lists.push(List::new(reader, weight, entry, bound_ratio)?);
        }
        if lists.is_empty() {
            return Ok(None);
        }
        let all: f64 = lists.iter().map(|list| list.magnitude).sum();
        // Each term rounds a few times, each time by at most half of this and relative to the sum.
        let error = (lists.len() as f64 + 16.0) * f64::from(f32::EPSILON) * all;
        // Beyond this range, single precision may overflow or lose everything.
        let steers = (1e-25..1e35).contains(&all);
        if !steers {
            lists.iter_mut().for_each(List::stop_steering);
        }
        Ok(Some(Self {
            reader,
            lists,
            order: Vec::new(),
            error: if steers { error } else { f64::INFINITY },
            window: Window::new(),
            candidates: Vec::new(),
            values: Vec::new(),
            tids: Vec::new(),
        }))
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
        self.order.clear();
        for (i, list) in self.lists.iter_mut().enumerate() {
            list.enter(self.reader, end)?;
            if !list.blocks.is_empty() {
                self.order.push(i);
            }
        }
        let lists = &mut self.lists;
        self.order.sort_unstable_by(|&a, &b| lists[a].bound.total_cmp(&lists[b].bound));
        let cut = self.cut(best);
        let (mut others, mut rest) = (0, 0.0);
        while let Some(&i) = self.order.get(others) {
            let more = rest + self.lists[i].bound;
            if more >= cut {
                break;
            }
            (others, rest) = (others + 1, more);
        }
        let mut postings = 0;
        for &i in &self.order[others..] {
            let list = &mut self.lists[i];
            list.decode(self.reader, list.blocks.clone())?;
            postings += list.parts(base, end).map(|(_, range)| range.len()).sum::<usize>();
        }
        if postings == 0 {
            return Ok(());
        }
        self.reader.lengths(group, &mut self.window.lengths, &mut self.window.dead)?;
        self.window.begin(postings);
        for &i in &self.order[others..] {
            let list = &self.lists[i];
            for (block, range) in list.parts(base, end) {
                self.window.add(list.steering, base, block, range);
            }
        }
        self.window.drain(cut - rest, &mut self.candidates)?;
        self.drop_unwanted(group, filter)?;
        self.complete(base, others, rest, cut)?;
        self.offer(group, base, best)
    }

    /// Drops candidates that are dead or do not pass the filter.
    fn drop_unwanted(&mut self, group: usize, filter: &mut Option<TidFilter>) -> Result<()> {
        let window = &self.window;
        self.candidates.retain(|candidate| !window.is_dead(candidate.place));
        if let Some(passes) = filter
            && !self.candidates.is_empty()
        {
            self.reader.tids(group, &mut self.tids)?;
            let tids = &self.tids;
            self.candidates.retain(|candidate| {
                tids.get(candidate.place as usize).is_some_and(|&tid| passes(tid))
            });
        }
        Ok(())
    }

    /// Adds the contributions of the non-essential lists, whose bounds have the sum `rest`, the largest
    /// first, as long as a candidate may still reach `cut`.
    fn complete(&mut self, base: u32, others: usize, mut rest: f32, cut: f32) -> Result<()> {
        for &i in self.order[..others].iter().rev() {
            let list = &mut self.lists[i];
            // Sums of bounds are rounded too; the error covers that.
            self.candidates.retain(|candidate| candidate.score + rest >= cut);
            let mut block = 0;
            for candidate in &mut self.candidates {
                let ordinal = base + candidate.place;
                if let Some(value) = list.value(self.reader, ordinal, &mut block)? {
                    let length = u32::from(self.window.length(candidate.place));
                    candidate.score += list.steering.of(value, length);
                }
            }
            rest = (rest - list.bound).max(0.0);
        }
        self.candidates.retain(|candidate| candidate.score >= cut);
        Ok(())
    }

    /// Offers candidates with their exact scores.
    fn offer(&mut self, group: usize, base: u32, best: &mut Best) -> Result<()> {
        let mut candidates = std::mem::take(&mut self.candidates);
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
            self.values.clear();
            for list in &mut self.lists {
                if let Some(value) = list.value(self.reader, ordinal, &mut 0)? {
                    self.values.push((list.weight, value));
                }
            }
            let length = self.reader.exact_length(ordinal, self.window.length(candidate.place))?;
            let score = score(self.values.iter().copied(), length);
            let counts = self.reader.scoring() == Scoring::InnerProduct || score > 0.0;
            if counts && best.may_take(score) {
                let tid = self.reader.tid(group, candidate.place as usize)?;
                best.offer(Ranked { score, tid })?;
                cut = self.cut(best);
            }
        }
        self.candidates = candidates;
        Ok(())
    }
}
