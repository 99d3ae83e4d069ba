//! The walk over the graph that every search is made of.

use std::ops::RangeInclusive;

use memory::Grow;
use pages::{Error, PageStore, Result};
use quant::Metric;

use crate::beam::Beam;
use crate::exact::Exact;
use crate::format::{NodeNo, Record};
use crate::nodes::NodeSet;
use crate::query::Query;
use crate::{Hnsw, ScanStats};

/// How much narrower the beam is on the levels above the one that is searched, and its bounds. Among
/// clusters that lie far apart the few ways between them are found by breadth alone. By inner product
/// an element's neighbors may all be farther from the query, though better ones exist: two entries
/// filled with the elements of one cluster have missed that of the query.
const NARROWER: usize = 16;
const DESCENT_WIDTH: RangeInclusive<usize> = 2..=8;
const DESCENT_WIDTH_BY_PRODUCT: RangeInclusive<usize> = 4..=8;

/// A search on one level that can go on where it stopped.
///
/// Elements are popped from the beam in order of their estimated distance. Expanding one reads its
/// record, one page: its own vector gives the exact distance, the codes in its slots give
/// estimates of all its neighbors.
#[derive(Debug)]
pub(crate) struct Walk {
    level: u8,
    beam: Beam,
    expanded: NodeSet,
    /// Elements measured already; only where neighbors carry no codes.
    measured: NodeSet,
    unmeasured: Vec<NodeNo>,
    /// Elements whose pages were asked for ahead of their turn.
    prefetched: NodeSet,
}

/// A visit of a walk to an element.
pub(crate) struct Visit<'a> {
    pub(crate) node: NodeNo,
    pub(crate) record: &'a Record<'a>,
    pub(crate) exact: Exact,
    /// The estimated distance in whose order it was expanded.
    pub(crate) estimate: f32,
    /// Width of the narrowest beam that visits it.
    pub(crate) width: usize,
}

impl Walk {
    /// A walk on `level` with a beam of `width`; a resumable one can be widened later.
    ///
    /// # Errors
    /// [`pages::Error::OutOfMemory`], as for all that follows.
    pub(crate) fn new(level: u8, width: usize, resumable: bool) -> Result<Self> {
        Ok(Self {
            level,
            beam: Beam::new(width, resumable)?,
            expanded: NodeSet::new(),
            measured: NodeSet::new(),
            unmeasured: Vec::new(),
            prefetched: NodeSet::new(),
        })
    }

    /// Adds a place to start from.
    pub(crate) fn seed(&mut self, distance: f32, node: NodeNo) -> Result<()> {
        Ok(self.beam.push(distance, node)?)
    }

    /// Passes `node` over, as if it were not there.
    pub(crate) fn skip(&mut self, node: NodeNo) -> Result<()> {
        self.expanded.insert(node)?;
        Ok(())
    }

    /// The estimated distance that the beam ends at; infinite while it has room.
    pub(crate) fn bound(&self) -> f32 {
        self.beam.bound()
    }

    /// Widens the beam; false where the walk has seen all there is to see.
    pub(crate) fn widen(&mut self, width: usize) -> Result<bool> {
        Ok(self.beam.widen(width, |node| !self.expanded.contains(node))?)
    }

    /// Bytes in use.
    pub(crate) fn memory(&self) -> usize {
        self.beam.memory()
            + self.expanded.memory()
            + self.measured.memory()
            + self.prefetched.memory()
    }

    /// Walks until the beam is exhausted, showing each expanded element to `visit`.
    pub(crate) fn run<S: PageStore>(
        &mut self,
        store: &S,
        hnsw: &Hnsw,
        query: &mut Query,
        stats: &mut ScanStats,
        mut visit: impl FnMut(Visit<'_>) -> Result<()>,
    ) -> Result<()> {
        while let Some(node) = self.beam.pop(|node| self.expanded.insert(node))? {
            store.pause()?;
            self.prefetch(store, hnsw)?;
            if let Some(next) = self.beam.ahead().next() {
                hnsw.warm(store, next);
            }
            self.expand(store, hnsw, query, stats, node, &mut visit)?;
        }
        Ok(())
    }

    /// Asks for the pages of the elements whose turn comes next, while pages come from a disk.
    fn prefetch<S: PageStore>(&mut self, store: &S, hnsw: &Hnsw) -> Result<()> {
        let Self { beam, expanded, prefetched, .. } = self;
        for node in beam.ahead().take(store.read_ahead()) {
            if !expanded.contains(node) && prefetched.insert(node)? {
                store.prefetch(node.block(hnsw.geometry()));
            }
        }
        Ok(())
    }

    fn expand<S: PageStore>(
        &mut self,
        store: &S,
        hnsw: &Hnsw,
        query: &mut Query,
        stats: &mut ScanStats,
        node: NodeNo,
        visit: &mut impl FnMut(Visit<'_>) -> Result<()>,
    ) -> Result<()> {
        // What is not an element of this level was freed since the edge was read, and is maybe in
        // use for something else.
        hnsw.element(store, node, |record| {
            if record.element().level != self.level {
                return Ok(());
            }
            let exact = query.exact(record);
            stats.expanded += 1;
            stats.exact += 1;
            let (estimate, width) = (self.beam.latest(), self.beam.deepest());
            visit(Visit { node, record, exact, estimate, width })?;
            let neighbors = record.neighbors();
            if !query.coded() {
                for neighbor in neighbors {
                    if self.measured.insert(neighbor)? {
                        self.unmeasured.try_push(neighbor)?;
                    }
                }
                return Ok(());
            }
            stats.scored += neighbors.len() as u64;
            for (&distance, neighbor) in query.estimate(hnsw, record, &exact).iter().zip(neighbors)
            {
                if !self.expanded.contains(neighbor) {
                    self.beam.push(distance, neighbor)?;
                }
            }
            Ok::<_, Error>(())
        })?
        .unwrap_or(Ok(()))?;
        self.measure_neighbors(store, hnsw, query, stats)
    }

    /// Without codes a neighbor is measured from its own record, one page each.
    fn measure_neighbors<S: PageStore>(
        &mut self,
        store: &S,
        hnsw: &Hnsw,
        query: &Query,
        stats: &mut ScanStats,
    ) -> Result<()> {
        for neighbor in self.unmeasured.drain(..) {
            store.pause()?;
            let distance = hnsw.element(store, neighbor, |record| query.exact(record).reduced)?;
            if let Some(distance) = distance {
                stats.exact += 1;
                self.beam.push(distance, neighbor)?;
            }
        }
        Ok(())
    }
}

/// Walks from the entry down to just above `level` and returns where to start a search of width `ef`
/// there, nearest first; none in an empty index.
pub(crate) fn descend<S: PageStore>(
    store: &S,
    hnsw: &Hnsw,
    query: &mut Query,
    stats: &mut ScanStats,
    level: u8,
    ef: usize,
) -> Result<Vec<(f32, NodeNo)>> {
    let Some(entry) = hnsw.meta().entry else { return Ok(Vec::new()) };
    let by_product = hnsw.metric() == Metric::InnerProduct;
    let widths = if by_product { DESCENT_WIDTH_BY_PRODUCT } else { DESCENT_WIDTH };
    let width = (ef / NARROWER).clamp(*widths.start(), *widths.end());
    let mut seeds = vec![(f32::INFINITY, entry)];
    for upper in (level + 1..=hnsw.meta().entry_level).rev() {
        let mut walk = Walk::new(upper, width, false)?;
        seeds.iter().try_for_each(|&(distance, node)| walk.seed(distance, node))?;
        let mut below = Vec::new();
        walk.run(store, hnsw, query, stats, |visit| {
            Ok(below.try_extend(visit.record.link().map(|link| (visit.exact.reduced, link)))?)
        })?;
        below.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        below.truncate(width);
        seeds = below;
    }
    Ok(seeds)
}
