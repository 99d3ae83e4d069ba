//! A search over all of an index: hits in order, without limit.

use memory::{Grow, filled};
use pages::{PageStore, Result, TidFilter};

use super::best::{Best, Ranked};
use super::query::{Fresh, Query};
use super::segment::{Room, SegmentSearch, most};
use crate::dictionary::Entry;
use crate::score::{Scoring, Statistics, Weight, score};
use crate::segment::Reader;

/// How a search is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScanOptions {
    /// Hits that are expected to be asked for; more can be had.
    pub k: usize,
    /// Bytes that hits may take in memory.
    pub memory: usize,
    /// Milvus's `drop_ratio_search`: the share of the query's terms, those with the smallest weights,
    /// that is ignored; in `0.0..1.0`.
    pub drop_ratio: f32,
    /// Milvus's `dim_max_score_ratio`: upper bounds are multiplied by this; below 1, hits may be
    /// missed.
    pub bound_ratio: f32,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self { k: 10, memory: 4 << 20, drop_ratio: 0.0, bound_ratio: 1.0 }
    }
}

/// A segment with the entries of the terms that it has, by number of the term in the query.
type Found<'s, S> = (Reader<'s, S>, Vec<(usize, Entry)>);

/// A search. Hits come by descending score, those of equal score by ascending tid: of texts all rows
/// with a term of the query, of sparse vectors all rows with a dimension of the query.
pub struct Scan<'s, S: PageStore> {
    scoring: Scoring,
    options: ScanOptions,
    /// Of each term of the query, none if it is dropped.
    weights: Vec<Option<Weight>>,
    segments: Vec<Found<'s, S>>,
    /// Rows of the write buffer.
    fresh: Vec<Ranked>,
    filter: Option<TidFilter>,
    /// Hits of the current round that are left, the next at the end, and the last that was returned.
    hits: Vec<Ranked>,
    last: Option<Ranked>,
    room: Option<Box<Room>>,
    /// Hits of the next round; none after the last.
    next_k: Option<usize>,
}

impl<S: PageStore> std::fmt::Debug for Scan<'_, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scan").field("options", &self.options).finish_non_exhaustive()
    }
}

impl<'s, S: PageStore> Scan<'s, S> {
    /// Begins a search of the segments and the write buffer, whose living documents `statistics` counts.
    ///
    /// # Errors
    /// Those of the store, and of damaged pages; so for all that follows.
    pub fn new(
        segments: Vec<Reader<'s, S>>,
        scoring: Scoring,
        statistics: Statistics,
        query: &Query,
        options: ScanOptions,
        fresh: &mut dyn Fresh,
    ) -> Result<Self> {
        let terms = query.terms();
        let mut frequencies = filled(terms.len(), 0u64)?;
        fresh.frequencies(query, &mut frequencies)?;
        let mut found = Vec::new();
        for reader in segments {
            let mut entries = Vec::new();
            for (i, (term, _)) in terms.iter().enumerate() {
                if let Some(entry) = reader.lookup(term)? {
                    frequencies[i] += u64::from(entry.frequency);
                    entries.try_push((i, entry))?;
                }
            }
            if !entries.is_empty() {
                found.try_push((reader, entries))?;
            }
        }
        // Those with the most documents tell soonest what the best scores are.
        found.sort_by_key(|(reader, _)| std::cmp::Reverse(reader.info().documents));
        let weights = terms.iter().zip(&frequencies);
        let weights = weights.map(|(&(_, weight), &n)| Weight::new(scoring, statistics, weight, n));
        let weights = keep_largest(weights.collect(), options.drop_ratio);
        let mut rows = Vec::new();
        fresh.rows(query, &mut |row| {
            let values = row.values.iter();
            let known = values.filter_map(|&(i, value)| Some((weights.get(i).copied()??, value)));
            if known.clone().next().is_some() {
                let score = score(known, row.length);
                if scoring == Scoring::InnerProduct || score > 0.0 {
                    rows.try_push(Ranked { score, tid: row.tid })?;
                }
            }
            Ok(())
        })?;
        let hits = Vec::new();
        let next_k = Some(options.k.max(1));
        Ok(Self {
            scoring,
            options,
            weights,
            segments: found,
            fresh: rows,
            filter: None,
            hits,
            last: None,
            room: None,
            next_k,
        })
    }

    /// Returns only rows that pass the filter, from now on.
    pub fn keep_only(&mut self, mut filter: TidFilter) {
        self.hits.retain(|hit| filter(hit.tid));
        self.filter = Some(filter);
    }

    /// The next hit.
    ///
    /// # Errors
    /// As [`Scan::new`].
    #[allow(clippy::should_implement_trait)] // fails
    pub fn next(&mut self) -> Result<Option<Ranked>> {
        if self.hits.is_empty()
            && let Some(k) = self.next_k.take()
        {
            self.round(k)?;
        }
        let hit = self.hits.pop();
        self.last = hit.or(self.last);
        Ok(hit)
    }

    /// Finds the next `k` hits.
    fn round(&mut self, k: usize) -> Result<()> {
        let mut best = Best::new(k, self.last);
        for &row in &self.fresh {
            if best.wants(row) && self.filter.as_mut().is_none_or(|passes| passes(row.tid)) {
                best.offer(row)?;
            }
        }
        let ratio = self.options.bound_ratio;
        for (reader, entries) in &self.segments {
            let lists = entries.iter().filter_map(|(i, entry)| Some((self.weights[*i]?, entry)));
            if most(reader, lists.clone(), ratio) < best.threshold() {
                continue;
            }
            // After an error, it is not as the next search expects it.
            let mut room = self.room.take().unwrap_or_else(|| Box::new(Room::new()));
            if let Some(mut search) = SegmentSearch::new(reader, lists, ratio, &mut room)? {
                search.run(&mut best, &mut self.filter)?;
            }
            self.room = Some(room);
        }
        if best.is_full() {
            let most = (self.options.memory / size_of::<Ranked>()).max(self.options.k);
            self.next_k = Some(k.saturating_mul(4).clamp(64, most.max(64)));
        }
        self.hits = best.into_sorted();
        self.hits.reverse();
        Ok(())
    }

    /// How documents are ranked.
    pub fn scoring(&self) -> Scoring {
        self.scoring
    }
}

/// Drops the share of the weights that are smallest. Those as large as the smallest that is kept are
/// kept too, as in Milvus.
fn keep_largest(weights: Vec<Weight>, drop_ratio: f32) -> Vec<Option<Weight>> {
    let mut sizes: Vec<f64> = weights.iter().map(Weight::size).collect();
    sizes.sort_by(f64::total_cmp);
    let dropped = (f64::from(drop_ratio.clamp(0.0, 1.0)) * sizes.len() as f64) as usize;
    let least = sizes.get(dropped).or(sizes.last()).copied().unwrap_or(0.0);
    weights.into_iter().map(|weight| (weight.size() >= least).then_some(weight)).collect()
}
