//! Structural check: finds what a scan or an insert would trip over, and what no scan could reach.
//!
//! Reads the pages in order several times, and remembers one byte of each record.

mod free;
mod reach;
mod rows;
mod summaries;

use pages::{Error, META_BLOCK, PageKind, PageStore, Problem, Result, Rows, is_new, page_kind};

use self::summaries::RecordSummaries;
use crate::Hnsw;
use crate::format::{Geometry, NodeNo, Record, State};

/// How often what looks wrong is looked at, for it may have changed in the meantime.
const ATTEMPTS: usize = 3;

const NOT_AN_ELEMENT: &str = "leads to a record that is not an element";
const BEYOND_THE_END: &str = "leads beyond the end of the index";

/// Reads all pages and reports every problem. `table_blocks` tells how many blocks the table has now.
///
/// Sound while rows are inserted and vacuumed beside it: what these leave in between two steps is
/// no problem, only what they would never leave.
pub fn check<S: PageStore>(
    store: &S,
    table_blocks: &dyn Fn() -> u32,
    report: &mut dyn FnMut(Problem),
) -> Result<()> {
    let hnsw = match Hnsw::open(store) {
        Ok(hnsw) => hnsw,
        Err(error) => return tell(report, META_BLOCK, error),
    };
    let blocks = store.blocks()?;
    let summaries = RecordSummaries::new(blocks, hnsw.geometry())?;
    let mut check = Check { store, hnsw: &hnsw, blocks, summaries, report };
    check.pages()?;
    check.records()?;
    check.free()?;
    check.entry()?;
    check.edges()?;
    check.vectors()?;
    check.rows(&mut Rows::new(table_blocks))?;
    check.reachability()
}

/// Reports what is wrong with a page; an interrupt goes up.
fn tell(report: &mut dyn FnMut(Problem), block: u32, error: Error) -> Result<()> {
    report(Problem::reading(block, error)?);
    Ok(())
}

struct Check<'a, S> {
    store: &'a S,
    hnsw: &'a Hnsw,
    /// Pages when the check began.
    blocks: u32,
    summaries: RecordSummaries,
    report: &'a mut dyn FnMut(Problem),
}

impl<S: PageStore> Check<'_, S> {
    fn geometry(&self) -> &Geometry {
        self.hnsw.geometry()
    }

    fn problem(&mut self, block: u32, what: impl Into<String>) {
        (self.report)(Problem { block: Some(block), what: what.into() });
    }

    /// Shows a record; none where its page cannot be read, which has been told, or is not written.
    fn record<R>(&self, node: NodeNo, look: impl FnOnce(&Record<'_>) -> R) -> Result<Option<R>> {
        match self.hnsw.record(self.store, node, look) {
            Ok(seen) => Ok(Some(seen)),
            Err(error) if error.ends_work() => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Each page as a whole.
    fn pages(&mut self) -> Result<()> {
        let end = self.hnsw.meta().next.0.saturating_sub(1);
        let last = NodeNo(end).block(self.geometry());
        if last >= self.blocks {
            self.problem(META_BLOCK, "metapage counts more records than there are");
        }
        for block in META_BLOCK..self.blocks {
            self.store.pause()?;
            let problem = Problem::of_page(&self.store.read(block)?, block, block <= last);
            problem.into_iter().for_each(&mut *self.report);
        }
        Ok(())
    }

    /// Each record by itself.
    fn records(&mut self) -> Result<()> {
        for block in META_BLOCK + 1..self.blocks {
            self.store.pause()?;
            if let Err(error) = self.page(block) {
                tell(self.report, block, error)?;
                self.summaries.break_page(block, self.hnsw.geometry());
            }
        }
        Ok(())
    }

    fn page(&mut self, block: u32) -> Result<()> {
        let page = self.store.read(block)?;
        if is_new(&page) {
            return Ok(());
        }
        if page_kind(&page, block)? != PageKind::Records {
            return Err(Error::corrupted(block, "page does not hold records"));
        }
        for place in 0..self.geometry().records_per_page {
            let record = Record::read(&page, block, place, self.hnsw.geometry())?;
            let node = NodeNo::at(block, place, self.geometry())?;
            self.summaries.set(node, &record);
            let element = record.element();
            if !record.is_element() {
                continue;
            }
            if element.level > 0 && (element.link.is_none() || element.base.is_none()) {
                return Err(Error::corrupted(block, "upper record leads nowhere"));
            }
            if record.neighbors().any(|neighbor| neighbor == node) {
                return Err(Error::corrupted(block, "element is its own neighbor"));
            }
        }
        Ok(())
    }

    /// Searches must begin at an element.
    fn entry(&mut self) -> Result<()> {
        for _ in 0..ATTEMPTS {
            let now = Hnsw::open(self.store)?;
            let (entry, level) = (now.meta().entry, now.meta().entry_level);
            let Some(entry) = entry else { return Ok(()) };
            let broken = self.summaries.get(entry).is_some_and(summaries::RecordSummary::is_broken);
            let sound =
                |record: &Record<'_>| record.is_element() && record.element().level == level;
            if broken || self.record(entry, sound)? == Some(true) {
                return Ok(());
            }
        }
        self.problem(META_BLOCK, "entry point is not an element of its level");
        Ok(())
    }

    /// Edges must lead to elements of the same level.
    fn edges(&mut self) -> Result<()> {
        for block in META_BLOCK + 1..self.blocks {
            self.store.pause()?;
            let first = NodeNo::at(block, 0, self.geometry())?;
            if self.summaries.get(first).is_some_and(summaries::RecordSummary::is_broken) {
                continue;
            }
            let mut suspects = Vec::new();
            self.hnsw.records_of(self.store, block, |from, record| {
                if record.is_element() {
                    let suspect = |&to: &NodeNo| self.suspicious(record, to);
                    suspects.extend(record.neighbors().filter(suspect).map(|to| (from, to)));
                }
                Ok(())
            })?;
            for (from, to) in suspects {
                self.store.pause()?;
                if let Some(what) = self.fault(from, to)? {
                    self.problem(block, format!("edge from {} to {} {what}", from.0, to.0));
                }
            }
        }
        Ok(())
    }

    /// Vectors that go on in other records must be whole.
    fn vectors(&mut self) -> Result<()> {
        if !self.geometry().is_split() {
            return Ok(());
        }
        for node in self.summaries.live()? {
            self.store.pause()?;
            let life = |record: &Record<'_>| (record.state(), record.version());
            let before = self.record(node, life)?;
            let whole = match self.hnsw.element(self.store, node, |_| ()) {
                Err(error) if error.ends_work() => return Err(error),
                found => matches!(found, Ok(Some(()))),
            };
            let live = before.is_some_and(|(state, _)| state == State::Live);
            if !whole && live && before == self.record(node, life)? {
                let what = format!("the vector of element {} is not whole", node.0);
                self.problem(node.block(self.geometry()), what);
            }
        }
        Ok(())
    }

    /// Whether the edge of an element looks wrong to one who read its target's page some time ago.
    fn suspicious(&self, owner: &Record<'_>, to: NodeNo) -> bool {
        let dying = owner.state() == State::Dying;
        self.summaries.get(to).is_none_or(|summary| {
            let element = summary.is(State::Live) || summary.is(State::Dying);
            !(dying || summary.is_broken() || element && summary.level() == owner.element().level)
        })
    }

    /// What is wrong with an edge now. Its owner is read between two looks at its target: where
    /// these see the same life of a record, the edge did not come or go with a life of its own.
    fn fault(&self, from: NodeNo, to: NodeNo) -> Result<Option<&'static str>> {
        for _ in 0..ATTEMPTS {
            let before = self.target(to)?;
            let owner = |record: &Record<'_>| {
                let there = record.is_element() && record.neighbors().any(|other| other == to);
                there.then(|| (record.state(), record.element().level))
            };
            let Some((state, level)) = self.record(from, owner)?.flatten() else { return Ok(None) };
            let Target { what, .. } = before;
            if before != self.target(to)? {
                continue;
            }
            return Ok(match what {
                Err(BEYOND_THE_END) => Some(BEYOND_THE_END),
                _ if state == State::Dying => None,
                Err(fault) => Some(fault),
                Ok(other) => (other != level).then_some("leads to another level"),
            });
        }
        Ok(None)
    }

    fn target(&self, to: NodeNo) -> Result<Target> {
        if to.block(self.geometry()) >= self.store.blocks()? {
            return Ok(Target { what: Err(BEYOND_THE_END), version: 0 });
        }
        let target = self.record(to, |record| {
            let level = record.is_element().then(|| record.element().level);
            Target { what: level.ok_or(NOT_AN_ELEMENT), version: record.version() }
        })?;
        Ok(target.unwrap_or(Target { what: Err(NOT_AN_ELEMENT), version: 0 }))
    }
}

/// What an edge leads to.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    /// Its level, or what is wrong with it.
    what: std::result::Result<u8, &'static str>,
    /// Which life of the record it is.
    version: u32,
}
