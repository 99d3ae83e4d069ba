//! Scans: rows in order of their distance, as many as the caller asks for.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};

use memory::Grow;
use pages::{Error, HeapTid, Hit, META_BLOCK, PageStore, Result, TidFilter};
use vectors::Vector;

use crate::format::{NodeNo, State};
use crate::noise::Noise;
use crate::query::Query;
use crate::records::Chain;
use crate::root::root_of;
use crate::walk::{Walk, descend};
use crate::{Hnsw, effort};

/// A search with a target is as wide as this many elements need, and after each step as this
/// many times more need.
const FIRST: usize = 10;
const GROWTH: usize = 4;
/// The same while no row passes the filter of the caller.
const CAUTIOUS_GROWTH: usize = 2;

/// How often a scan may begin, where others write.
const ATTEMPTS: usize = 10;

/// What a scan does when its first results are used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Iterative {
    /// It ends.
    Off,
    /// It goes on; a row found late is returned late.
    On,
}

/// How many more rows than expected a search looks for that is to find the last ones that pass a
/// filter, and the least part by which it is widened.
const MARGIN: f64 = 1.25;

/// Settings of a scan.
#[derive(Debug, Clone, Copy)]
pub struct ScanOptions {
    /// Width of the search, 1..=1,000: more finds more.
    pub ef: usize,
    /// Share of the nearest elements to find, below 1: where the index is calibrated, this chooses
    /// the width instead of `ef`.
    pub target_recall: Option<f64>,
    /// What happens after `ef` results.
    pub iterative: Iterative,
    /// Elements that the caller asks for at least, where it is known: the search begins as wide as
    /// these need, unless it ends after `ef` results.
    pub wanted: usize,
    /// Whether the caller drops rows, and tells by [`Scan::passed`] how many it keeps. Such a search
    /// finds these as reliably as a search without a filter finds all.
    pub filtered: bool,
    /// Rows after which a scan widens its search no more.
    pub max_tuples: usize,
    /// Bytes after which a scan widens its search no more.
    pub memory: usize,
}

/// What a scan has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScanStats {
    /// Elements whose records were read and whose neighbors were followed.
    pub expanded: u64,
    /// Neighbors whose distance was estimated from their codes.
    pub scored: u64,
    /// Distances computed from whole vectors.
    pub exact: u64,
    /// Rows returned.
    pub tuples: u64,
    /// Rows left out because the filter did not hold for them.
    pub filtered: u64,
}

/// An element found, with its rows.
#[derive(Debug)]
struct FoundElement {
    distance: f64,
    exact: bool,
    node: NodeNo,
    tids: Vec<HeapTid>,
    overflow: Option<NodeNo>,
}

impl Ord for FoundElement {
    /// Ties in heap order.
    fn cmp(&self, other: &Self) -> Ordering {
        self.distance.total_cmp(&other.distance).then_with(|| self.tids.cmp(&other.tids))
    }
}

impl PartialOrd for FoundElement {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for FoundElement {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for FoundElement {}

/// The width, `least` or more, at which `k` elements are found as the options' target says.
fn ef_for(hnsw: &Hnsw, options: &ScanOptions, least: usize, k: usize) -> Option<usize> {
    let (target, calibration) = options.target_recall.zip(hnsw.meta().calibration.as_ref())?;
    Some(effort::ef_for_recall(calibration, target, k).max(least))
}

/// The share of the nearest elements that a search with these options is to find, if that is known: of
/// one with a filter, as many as without, unless that is so much that further ones are dear.
fn target(hnsw: &Hnsw, options: &ScanOptions) -> Option<f64> {
    let calibration = hnsw.meta().calibration.as_ref().filter(|_| options.filtered);
    let expected = calibration.map(|known| effort::expected_recall(known, options.ef));
    options.target_recall.or(expected.map(|expected| expected.min(effort::DEFAULT_RECALL)))
}

/// How many elements a search for `k` with a target returns before it is widened: a few more,
/// because the caller looks ahead where distances are bounds.
fn ready_of(k: usize, options: &ScanOptions) -> usize {
    if options.filtered { k } else { k.saturating_add(k / 2) }
}

/// A search by distance that returns one row after another.
///
/// The first `ef` elements come from a beam wide enough for them. When they are used up the beam
/// is widened, and the walk goes on where it was; so a scan has no end but that of the index. From
/// then on it returns the nearer half of what it has visited, so that few are found too late. A scan
/// with a target knows from the calibration how wide a beam 10, 40, 160 … elements need instead.
pub struct Scan {
    hnsw: Hnsw,
    query: Query,
    ordered: bool,
    options: ScanOptions,
    walk: Option<Walk>,
    /// Elements that the beam as it is now is wide enough for.
    ef: usize,
    /// The same, however few elements a search with a target needs.
    least: usize,
    /// Elements that a scan with a target searches for now.
    wanted: usize,
    /// Elements that may be returned before the beam is widened.
    ready: usize,
    returned: usize,
    /// Rows returned that the caller keeps.
    passed: usize,
    /// Live elements expanded so far.
    live_expanded: usize,
    visited_tids: usize,
    exhausted: bool,
    /// Whether the walk has been at the root.
    rooted: bool,
    found: BinaryHeap<Reverse<FoundElement>>,
    pending: VecDeque<Hit>,
    filter: Option<TidFilter>,
    stats: ScanStats,
    noise: Noise,
}

impl std::fmt::Debug for Scan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scan").field("stats", &self.stats).finish_non_exhaustive()
    }
}

impl Scan {
    /// A scan for `query`, which has the index's dimensions. Without one all rows are equally far.
    pub fn new<'a, V: Into<Vector<'a>>>(
        hnsw: Hnsw,
        query: Option<V>,
        options: ScanOptions,
    ) -> Self {
        let query: Option<Vector<'_>> = query.map(Into::into);
        let zero = hnsw.holder().zero();
        let prepared = Query::new(&hnsw, query.unwrap_or(zero.view()));
        let goes_on = options.iterative == Iterative::On;
        let chosen = options.filtered && options.target_recall.is_none();
        let least = if chosen { options.ef } else { 1 };
        let options = ScanOptions { target_recall: target(&hnsw, &options), ..options };
        let wanted = if goes_on { options.wanted.max(FIRST) } else { FIRST };
        let (ef, ready) = match ef_for(&hnsw, &options, least, wanted) {
            Some(ef) if !goes_on => (ef, ef),
            Some(ef) => (ef, ready_of(wanted, &options)),
            None => {
                let ef = options.ef.max(if goes_on { options.wanted } else { 0 }).max(1);
                (ef, ef)
            }
        };
        let noise = Noise::new(hnsw.geometry());
        Self {
            query: prepared,
            ordered: query.is_some_and(|query| crate::indexable(hnsw.metric(), query)),
            hnsw,
            ef,
            least,
            wanted,
            ready,
            options: ScanOptions { ef, ..options },
            walk: None,
            returned: 0,
            passed: 0,
            live_expanded: 0,
            visited_tids: 0,
            exhausted: false,
            rooted: false,
            found: BinaryHeap::new(),
            pending: VecDeque::new(),
            filter: None,
            stats: ScanStats::default(),
            noise,
        }
    }

    /// Returns only rows for which `filter` holds from now on. All elements guide the walk, and count
    /// for [`ScanOptions::max_tuples`]; rows are asked about one by one, in order of their distance, as
    /// far as the caller goes.
    pub fn keep_only(&mut self, filter: TidFilter) {
        self.filter = Some(filter);
    }

    /// Tells how many of the rows returned so far the caller keeps.
    pub fn passed(&mut self, rows: usize) {
        self.passed = rows;
    }

    /// How many more elements are returned, or left out by the filter, before another record is read.
    pub fn ahead(&self) -> usize {
        self.ready.saturating_sub(self.returned).min(self.found.len())
    }

    /// The next row, or none when there are no more.
    pub fn next<S: PageStore>(&mut self, store: &S) -> Result<Option<Hit>> {
        if self.walk.is_none() {
            self.start(store)?;
        }
        loop {
            if let Some(hit) = self.pending.pop_front() {
                self.stats.tuples += 1;
                return Ok(Some(hit));
            }
            if self.returned >= self.ready || self.found.is_empty() {
                if self.options.iterative == Iterative::Off && self.returned >= self.ready {
                    return Ok(None);
                }
                if self.may_go_on() {
                    self.go_on(store)?;
                    continue;
                }
            }
            let Some(Reverse(found)) = self.found.pop() else { return Ok(None) };
            self.returned += 1;
            self.put_out(store, &found)?;
            if let Some(filter) = &mut self.filter {
                let before = self.pending.len();
                self.pending.retain(|hit| filter(hit.tid));
                self.stats.filtered += (before - self.pending.len()) as u64;
            }
        }
    }

    /// What the scan has done so far.
    pub fn stats(&self) -> ScanStats {
        self.stats
    }

    /// Entries of the beam on level 0, as wide as it is now.
    pub fn beam_width(&self) -> usize {
        self.hnsw.beam_width(self.ef)
    }

    /// The settings that the scan runs under.
    pub fn options(&self) -> &ScanOptions {
        &self.options
    }

    /// Descends and runs the first beam. Where it runs out of elements while records come and go it
    /// may have missed some, as the way to them led over a record that was freed: it begins anew.
    fn start<S: PageStore>(&mut self, store: &S) -> Result<()> {
        let mut began = false;
        for _ in 0..ATTEMPTS {
            let width = self.hnsw.beam_width(self.ef);
            let mut walk = Walk::new(0, width, true)?;
            let seeds = descend(store, &self.hnsw, &mut self.query, &mut self.stats, 0, self.ef)?;
            for (distance, node) in seeds {
                walk.seed(distance, node)?;
            }
            let before = self.stats.expanded;
            (self.walk, self.rooted) = (Some(walk), false);
            (self.live_expanded, self.visited_tids) = (0, 0);
            self.noise = Noise::new(self.hnsw.geometry());
            self.found.clear();
            self.run(store)?;
            self.allow_for_noise(store, width)?;
            // Edges to elements that others led to before took places in the beam for a while.
            while self.live_expanded < self.ef
                && (self.widen(width)? || self.begin_at_root(store)?)
            {
                self.run(store)?;
            }
            if self.live_expanded >= self.ef {
                return Ok(());
            }
            let now = Hnsw::open(store)?;
            began = self.hnsw.meta().entry.is_none() || self.stats.expanded > before;
            if began && now.meta().same_records(self.hnsw.meta()) {
                return Ok(());
            }
            self.hnsw = now;
        }
        let nowhere = Error::corrupted(META_BLOCK, "entry point is not an element");
        if began { Ok(()) } else { Err(nowhere) }
    }

    /// Widens the beam of `width` where estimates turn out to err much. A calibrated width has allowed
    /// for that.
    fn allow_for_noise<S: PageStore>(&mut self, store: &S, width: usize) -> Result<()> {
        let calibrated = ef_for(&self.hnsw, &self.options, self.least, FIRST).is_some();
        if !calibrated && let Some(walk) = &self.walk {
            let wider = self.noise.width(width, walk.bound());
            if wider > width && self.widen(wider)? {
                self.run(store)?;
            }
        }
        Ok(())
    }

    fn may_go_on(&self) -> bool {
        let memory = self.walk.as_ref().map_or(0, Walk::memory)
            + self.found.len() * (size_of::<FoundElement>() + 16);
        !self.exhausted
            && self.options.iterative == Iterative::On
            && self.visited_tids < self.options.max_tuples
            && memory < self.options.memory
    }

    fn go_on<S: PageStore>(&mut self, store: &S) -> Result<()> {
        let wanted = self.next_wanted();
        let target = ef_for(&self.hnsw, &self.options, self.least, wanted);
        let before = self.beam_width();
        self.ef = match target {
            Some(ef) => ef.max(self.ef + 1),
            None => self.ef.max(self.ready).saturating_mul(2),
        };
        self.wanted = wanted;
        // The last step is as short as the bound on rows has it.
        let rest = self.options.max_tuples.saturating_sub(self.visited_tids);
        let width = self.beam_width().min(self.live_expanded.saturating_add(rest)).max(before + 1);
        if !self.widen(width)? && !self.begin_at_root(store)? {
            self.exhausted = true;
            self.ready = usize::MAX;
            return Ok(());
        }
        self.run(store)?;
        self.ready = match target {
            Some(_) => ready_of(wanted, &self.options),
            // Elements found later may be nearer than the farther half of those found so far.
            None => self.ready.max(self.live_expanded / 2),
        };
        Ok(())
    }

    /// How many elements to search for next: where the caller drops rows, as many as it takes for those
    /// that are wanted, if as many pass as did so far.
    fn next_wanted(&self) -> usize {
        let most = self.wanted.saturating_mul(GROWTH);
        let missing = self.options.wanted.saturating_sub(self.passed);
        if self.options.filtered && self.passed == 0 {
            // The caller may have a better way to find them.
            return self.wanted.saturating_mul(CAUTIOUS_GROWTH);
        }
        if !self.options.filtered || self.options.wanted == 0 {
            return most;
        }
        let more = missing as f64 * self.returned as f64 / self.passed as f64;
        let enough = (self.returned as f64 + more * MARGIN) as usize;
        let least = (self.wanted as f64 * MARGIN) as usize;
        enough.clamp(least.min(most), most)
    }

    /// Widens the beam; false where there is nothing more to see.
    fn widen(&mut self, width: usize) -> Result<bool> {
        self.walk.as_mut().map_or(Ok(false), |walk| walk.widen(width))
    }

    /// Lets the walk go on from where all elements can be reached from, as those where it began may
    /// not lead to all. False where it has been there.
    fn begin_at_root<S: PageStore>(&mut self, store: &S) -> Result<bool> {
        let Some(entry) = self.hnsw.meta().entry.filter(|_| !self.rooted) else {
            return Ok(false);
        };
        self.rooted = true;
        let Some(root) = root_of(store, &self.hnsw, entry)? else { return Ok(false) };
        if let Some(walk) = &mut self.walk {
            walk.seed(f32::NEG_INFINITY, root)?;
        }
        Ok(true)
    }

    fn run<S: PageStore>(&mut self, store: &S) -> Result<()> {
        let Self {
            walk: Some(walk),
            hnsw,
            query,
            stats,
            noise,
            found,
            live_expanded,
            visited_tids,
            ..
        } = self
        else {
            return Ok(());
        };
        walk.run(store, hnsw, query, stats, |visit| {
            noise.add(visit.estimate, visit.exact.reduced);
            if visit.record.state() == State::Live {
                let tids: Vec<HeapTid> = visit.record.tids().collect();
                *live_expanded += 1;
                *visited_tids += tids.len();
                found.try_push(Reverse(FoundElement {
                    distance: visit.exact.distance,
                    exact: visit.exact.certain,
                    node: visit.node,
                    tids,
                    overflow: visit.record.link(),
                }))?;
            }
            Ok(())
        })
    }

    /// Makes hits of an element's rows.
    fn put_out<S: PageStore>(&mut self, store: &S, found: &FoundElement) -> Result<()> {
        let exact = found.exact || !self.ordered;
        let block = found.node.block(self.hnsw.geometry());
        let hit = |tid| Hit { tid, block, distance: found.distance, exact };
        self.pending.try_extend(found.tids.iter().copied().map(hit))?;
        // Spares most rows the question how long the index is.
        if found.overflow.is_none() {
            return Ok(());
        }
        let mut next = found.overflow;
        let mut chain = Chain::new(store, &self.hnsw)?;
        while let Some(node) = next {
            chain.step(node)?;
            store.pause()?;
            next = self.hnsw.record(store, node, |record| {
                if record.state() != State::Tids || record.owner() != Some(found.node) {
                    return Ok(None);
                }
                self.pending.try_extend(record.tids().map(hit))?;
                Ok::<_, Error>(record.link())
            })??;
        }
        Ok(())
    }
}
