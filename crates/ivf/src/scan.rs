//! Scans: rows in order of their distance, as many as the caller asks for.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use memory::Grow;
use pages::{Error, HeapTid, Hit, PageStore, Result, TidFilter};
use vectors::indexable;

use crate::block::Entry;
use crate::calibration::Calibration;
use crate::index::Ivf;
use crate::lists::{List, NearestLists};
use crate::query::{CentroidDistance, Query};
use crate::reader::Reader;
use crate::stream::{ByDistance, Step, Stream};

/// Of so many entries searched, one may be returned in strict order before more lists are searched.
const NEAREST: u64 = 8;

/// Rows that tell whether further lists may hold nearer ones, at most.
const SETTLED: usize = 10;

/// Rows for which [`ScanOptions::probes`] are meant.
const FEW: f64 = 10.0;

/// Searches that go through more rows read as many times more lists as this power of how many times
/// more rows: where they are ordinary, the rows that they miss become no more (measured on words,
/// sentences and images).
const WIDER: f64 = 0.25;

/// How many times as many lists a search reads that goes through so many rows, until enough have passed a
/// filter.
pub fn wider(rows: f64) -> f64 {
    (rows / FEW).max(1.0).powf(WIDER)
}

/// Settings of a scan.
#[derive(Debug, Clone, Copy)]
pub struct ScanOptions {
    /// Lists that are searched at first, at least one; more find more.
    pub probes: usize,
    /// Lists that are searched at most: when the rows of the first are used up, as many again.
    /// Where it is not above `probes`, the scan ends with the first. Rows of later lists come after
    /// those of the first, though they may be nearer.
    pub max_probes: usize,
    /// Whether few rows are to come that are nearer than one already returned: only the nearest
    /// eighth of what was found is returned before as many lists again are searched.
    pub strict: bool,
    /// Rows that the caller asks for at least, where it is known: where few may come late, so many
    /// may be returned before more lists are searched than those that come first.
    pub wanted: usize,
    /// Bytes after which no more lists are searched.
    pub memory: usize,
}

/// What a scan has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScanStats {
    /// Lists searched.
    pub lists: u64,
    /// Entries of these lists.
    pub entries: u64,
    /// Distances computed from whole vectors.
    pub exact: u64,
    /// Rows returned.
    pub tuples: u64,
    /// Rows left out because the filter did not hold for them.
    pub filtered: u64,
}

/// A search by distance that returns one row after another.
///
/// Within the lists searched together, rows come in the order of their exact distances.
pub struct Scan {
    ivf: Ivf,
    query: Query,
    ordered: bool,
    options: ScanOptions,
    lists: Option<NearestLists>,
    /// Lists whose turn has come but whose blocks were not read yet, by the least distance that their
    /// rows may have.
    closed: BinaryHeap<Reverse<ByDistance<(List, CentroidDistance)>>>,
    rows: Stream,
    /// Lists that were taken.
    probed: usize,
    /// Lists that were to be taken, though there may have been fewer.
    wanted: usize,
    /// Rows returned, where more lists may be searched for others.
    returned: Vec<HeapTid>,
    /// The same, once lists were reorganized: rows may be found again in other lists.
    known: HashSet<HeapTid>,
    /// Whether there are no more lists.
    exhausted: bool,
    filter: Option<TidFilter>,
    /// What was done before there was a filter.
    before_filter: ScanStats,
    /// Rows returned that the caller keeps, if it drops some.
    passed: Option<usize>,
    /// Whether lists within reach are searched beyond the first.
    reaching: bool,
    stats: ScanStats,
}

impl std::fmt::Debug for Scan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scan").field("stats", &self.stats).finish_non_exhaustive()
    }
}

impl Scan {
    /// A scan for `query`, which has the index's dimensions. Without one all rows are equally far.
    pub fn new(ivf: Ivf, query: Option<&[f32]>, options: ScanOptions) -> Self {
        let zero = vec![0.0; ivf.geometry().dims];
        let prepared = Query::new(&ivf, query.unwrap_or(&zero));
        let all = options.probes >= ivf.meta().lists as usize;
        Self {
            query: if all { prepared.cautious() } else { prepared },
            ordered: query.is_some_and(|query| indexable(ivf.metric(), query)),
            ivf,
            options: ScanOptions { probes: options.probes.max(1), ..options },
            lists: None,
            closed: BinaryHeap::new(),
            rows: Stream::default(),
            probed: 0,
            wanted: 0,
            returned: Vec::new(),
            known: HashSet::new(),
            exhausted: false,
            filter: None,
            before_filter: ScanStats::default(),
            passed: None,
            reaching: false,
            stats: ScanStats::default(),
        }
    }

    /// Returns only rows for which `filter` holds from now on. It is asked only about rows that may be
    /// the next, before their vectors are read.
    pub fn keep_only(&mut self, mut filter: TidFilter) {
        let [kept, dropped] = self.rows.keep_found(&mut filter);
        self.before_filter = ScanStats { exact: self.stats.exact - kept, ..self.stats };
        self.stats.filtered += dropped;
        self.filter = Some(filter);
    }

    /// Whether lists beyond the first `probes` are searched where the query is unlike the rows (see
    /// [`crate::Reach`]).
    #[must_use]
    pub fn reaching(self, reaching: bool) -> Self {
        Self { reaching, ..self }
    }

    /// Tells how many of the rows returned so far the caller keeps, which drops some. Such a search
    /// reads more lists, the more rows it has to go through for those that are wanted.
    pub fn passed(&mut self, rows: usize) {
        self.passed = Some(rows);
    }

    /// What was done so far.
    pub fn stats(&self) -> ScanStats {
        self.stats
    }

    /// The next row, or none when there are no more.
    ///
    /// # Errors
    /// Those of the store, and [`pages::Error::Corrupted`].
    pub fn next<S: PageStore>(&mut self, store: &S) -> Result<Option<Hit>> {
        loop {
            while self.options.strict && self.is_behind() && self.may_go_on() {
                self.probe(store)?;
            }
            let missing = self.lists_missing();
            if missing > 0 && self.may_go_on() {
                self.exhausted = self.search_lists(store, missing)? == 0;
            }
            if self.may_hold_next() {
                self.search_lists(store, 0)?;
            }
            match self.rows.step()? {
                Step::Next(found) => {
                    let exact = found.exact;
                    self.stats.tuples += 1;
                    if self.options.max_probes > self.options.probes || !self.closed.is_empty() {
                        self.returned.try_push(found.entry.tid)?;
                    }
                    return Ok(Some(Hit {
                        tid: found.entry.tid,
                        block: found.entry.vector.page(self.ivf.geometry()),
                        distance: if self.ordered { exact.distance } else { 0.0 },
                        exact: !self.ordered || exact.certain,
                    }));
                }
                Step::Read(entry) => self.measure(store, entry)?,
                // All lists taken were read, else the one that may hold the next row would have been.
                Step::End if self.probed > 0 && !self.may_go_on() => return Ok(None),
                Step::End => {
                    if !self.probe(store)? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Leaves out the other rows of the lists searched so far. Returns whether more may be searched.
    pub fn skip_lists(&mut self) -> bool {
        self.rows = Stream::default();
        self.closed.clear();
        self.may_go_on()
    }

    /// Reads the vector of an entry, if its row is wanted.
    fn measure<S: PageStore>(&mut self, store: &S, entry: Entry) -> Result<()> {
        if !self.wanted(entry) {
            return Ok(());
        }
        store.pause()?;
        let mut reader = Reader::new(store, self.ivf.geometry());
        let exact = reader.read(entry.vector, |stored| self.query.exact(&stored))?;
        self.stats.exact += 1;
        Ok(self.rows.push_found(exact, entry)?)
    }

    fn wanted(&mut self, entry: Entry) -> bool {
        if !self.known.is_empty() && self.known.contains(&entry.tid) {
            return false;
        }
        let wanted = self.filter.as_mut().is_none_or(|filter| filter(entry.tid));
        self.stats.filtered += u64::from(!wanted);
        wanted
    }

    /// Whether so many entries are asked for or left out that nearer ones may be in lists whose turn
    /// has not come.
    fn is_behind(&self) -> bool {
        let ScanStats { lists, entries, .. } = self.stats;
        // Lists that hold nothing near count as those that were read.
        let entries = entries * self.probed as u64 / lists.max(1);
        let asked = self.looked().max(self.options.wanted as u64);
        !self.exhausted && asked >= entries / NEAREST
    }

    /// Rows returned, and those nearer that the filter left out. It is asked about entries by the least
    /// distance that they may have, and so about many that would not have been returned for long: those
    /// for which it holds are measured, and tell how many of the others are as near as the rows returned.
    fn looked(&self) -> u64 {
        let ScanStats { tuples, filtered, exact, .. } = self.stats;
        let before = &self.before_filter;
        let measured = exact.saturating_sub(before.exact).max(1) as f64;
        let returned = tuples.saturating_sub(before.tuples) as f64;
        tuples + (returned / measured * (filtered - before.filtered) as f64) as u64
    }

    /// How many more lists are to be searched because the caller drops rows.
    fn lists_missing(&self) -> usize {
        let Some(passed) = self.passed.filter(|_| self.probed > 0 && !self.exhausted) else {
            return 0;
        };
        let looked = self.looked() as f64;
        let rows = if passed > 0 {
            looked * (self.options.wanted as f64 / passed as f64).max(1.0)
        } else {
            looked
        };
        let lists = self.options.probes as f64 * wider(rows);
        // A float to integer cast saturates.
        (lists as usize).min(self.options.max_probes).saturating_sub(self.probed)
    }

    /// Whether a list that was not read may hold the next row.
    fn may_hold_next(&self) -> bool {
        self.closed.peek().is_some_and(|list| list.0.distance <= self.rows.least())
    }

    fn may_go_on(&self) -> bool {
        let returned = self.returned.capacity() * size_of::<HeapTid>();
        let lists = self.lists.as_ref().map_or(0, NearestLists::bytes);
        let bytes = self.rows.bytes() + lists + returned;
        self.probed < self.options.max_probes && bytes <= self.options.memory
    }

    /// Searches the next lists. Returns false where there are none.
    fn probe<S: PageStore>(&mut self, store: &S) -> Result<bool> {
        let mut count = self.options.probes;
        let first = self.probed == 0;
        if !first {
            let more = if self.options.strict { self.probed } else { count };
            count = more.min(self.options.max_probes - self.probed);
        }
        let some = self.search_lists(store, count)? > 0;
        if first && self.reaching {
            self.reach_out(store)?;
        }
        self.exhausted = !some;
        Ok(some)
    }

    /// Searches further lists as long as the next is within reach.
    fn reach_out<S: PageStore>(&mut self, store: &S) -> Result<()> {
        let Some(Calibration { reach, .. }) = self.ivf.meta().calibration else { return Ok(()) };
        while self.rows.bytes() <= self.options.memory {
            let cosine = self.cosine_of_next(store, reach.spread)?;
            if cosine.is_none_or(|cosine| cosine.is_nan() || cosine > reach.cosine) {
                break;
            }
            self.search_lists(store, 1)?;
        }
        Ok(())
    }

    /// Searches the first lists, and measures the next: the cosine (see [`Query::cosine`]) of a row
    /// that is `spread` from its centroid, and as near as the last of those wanted that were found.
    /// None where there is no list, or too few rows were found.
    pub(crate) fn cosine_of_next<S: PageStore>(
        &mut self,
        store: &S,
        spread: f32,
    ) -> Result<Option<f32>> {
        if self.probed == 0 {
            self.search_lists(store, self.options.probes)?;
        }
        let Some(reduced) = self.settle(store)? else { return Ok(None) };
        let Some(lists) = &mut self.lists else { return Ok(None) };
        let next = lists.peek(store, &self.ivf, &self.query)?;
        Ok(next.map(|centroid| self.query.cosine(spread, &centroid, reduced)))
    }

    /// The reduced distance of the last of the rows wanted, of those found; none where these are fewer.
    fn settle<S: PageStore>(&mut self, store: &S) -> Result<Option<f32>> {
        let wanted = self.options.wanted.clamp(1, SETTLED);
        let mut settled = Vec::with_capacity(wanted);
        while settled.len() < wanted {
            match self.rows.step()? {
                Step::Next(found) => settled.push(found),
                Step::Read(entry) => self.measure(store, entry)?,
                Step::End => break,
            }
        }
        let last = settled.get(wanted - 1).map(|found| found.exact.reduced);
        settled.into_iter().try_for_each(|found| self.rows.push_found(found.exact, found.entry))?;
        Ok(last)
    }

    /// Takes the next lists, at most `count`, and reads those of all taken that may hold the next row.
    /// Returns how many were taken.
    ///
    /// Where lists were reorganized meanwhile, rows may have been missed or found twice: what was
    /// found is forgotten, and as many lists are searched from the nearest on.
    fn search_lists<S: PageStore>(&mut self, store: &S, mut count: usize) -> Result<usize> {
        self.wanted = self.wanted.saturating_add(count);
        loop {
            let taken = self.take_lists(store, count);
            if taken.as_ref().is_err_and(Error::ends_work) {
                return taken;
            }
            if !self.ivf.is_outdated(store)? {
                let taken = taken?;
                self.probed += taken;
                return Ok(taken);
            }
            self.ivf.reopen(store)?;
            self.rows = Stream::default();
            self.closed.clear();
            self.lists = None;
            self.known.try_extend(self.returned.drain(..))?;
            (self.probed, count) = (0, self.wanted);
        }
    }

    fn take_lists<S: PageStore>(&mut self, store: &S, count: usize) -> Result<usize> {
        let mut lists = match self.lists.take() {
            Some(lists) => lists,
            None => NearestLists::new(store, &self.ivf, &self.query)?,
        };
        let mut taken = 0;
        while taken < count {
            let Some((list, centroid)) = lists.next(store, &self.ivf, &self.query)? else { break };
            let distance = self.query.least_reduced(list.radius(), &centroid).into();
            let tid = list.entry.tid;
            self.closed.try_push(Reverse(ByDistance { distance, tid, item: (list, centroid) }))?;
            taken += 1;
        }
        self.lists = Some(lists);
        while self.may_hold_next() {
            let Some(Reverse(ByDistance { item: (list, centroid), .. })) = self.closed.pop() else {
                break;
            };
            self.search(store, &list, &centroid)?;
            self.stats.lists += 1;
        }
        Ok(taken)
    }

    /// Takes in all entries of a list.
    fn search<S: PageStore>(
        &mut self,
        store: &S,
        list: &List,
        centroid: &CentroidDistance,
    ) -> Result<()> {
        let mut plain = Vec::new();
        let (rows, query, stats) = (&mut self.rows, &self.query, &mut self.stats);
        self.ivf.blocks_of(store, (list.first, list.id()), |_, block| {
            stats.entries += u64::from(block.live().count_ones());
            match query.bounds(block, centroid) {
                Some(bounds) => {
                    rows.push_candidates(block.entries().map(|(i, entry)| (bounds[i], entry)))?;
                }
                None => plain.try_extend(block.entries().map(|(_, entry)| entry))?,
            }
            Ok(true)
        })?;
        self.measure_all(store, plain)
    }

    /// Reads the vectors of entries, in the order in which they lie.
    fn measure_all<S: PageStore>(&mut self, store: &S, mut entries: Vec<Entry>) -> Result<()> {
        entries.retain(|&entry| self.wanted(entry));
        entries.sort_unstable_by_key(|entry| entry.vector);
        let mut reader = Reader::new(store, self.ivf.geometry());
        let ahead = store.read_ahead();
        for entry in entries.iter().take(ahead) {
            reader.prefetch(entry.vector);
        }
        for (i, &entry) in entries.iter().enumerate() {
            if let Some(later) = entries.get(i + ahead).filter(|_| ahead > 0) {
                reader.prefetch(later.vector);
            }
            reader.pause()?;
            let exact = reader.read(entry.vector, |stored| self.query.exact(&stored))?;
            self.rows.push_found(exact, entry)?;
        }
        self.stats.exact += entries.len() as u64;
        Ok(())
    }
}
