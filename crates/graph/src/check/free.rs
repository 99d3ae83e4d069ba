//! Records that inserts may take: those in the list of free ones, and those never used.

use pages::{META_BLOCK, PageStore, Result};

use super::{ATTEMPTS, BEYOND_THE_END, Check, summaries};
use crate::Hnsw;
use crate::format::{NodeNo, Record, State};
use crate::records::Chain;

/// How a walk along the list of free records went.
enum Walk {
    /// To its end, or to a page that cannot be read, which has been told.
    Ended,
    /// To a record that was taken in the meantime.
    Moved,
    /// On and on.
    Endless,
    /// To what no insert can take: the block that leads there, and what is wrong.
    Broken(u32, String),
}

impl<S: PageStore> Check<'_, S> {
    /// Reports what an insert would trip over.
    pub(super) fn free(&mut self) -> Result<()> {
        self.never_used()?;
        for attempt in 1..=ATTEMPTS {
            match self.walk_free()? {
                Walk::Ended => break,
                Walk::Endless if attempt == ATTEMPTS => {
                    self.problem(META_BLOCK, "list of free records is endless");
                }
                Walk::Moved | Walk::Endless => {}
                Walk::Broken(block, what) => {
                    self.problem(block, what);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Records behind those that the metapage counts must be free. It counts no fewer later.
    fn never_used(&mut self) -> Result<()> {
        let next = self.hnsw.meta().next;
        for block in next.block(self.geometry())..self.blocks {
            self.store.pause()?;
            let first = NodeNo::at(block, 0, self.geometry())?;
            if self.summaries.get(first).is_some_and(summaries::RecordSummary::is_broken) {
                continue;
            }
            let mut used = None;
            self.hnsw.records_of(self.store, block, |node, record| {
                if record.state() != State::Free {
                    used = Some(node);
                }
                Ok(())
            })?;
            if used >= Some(next) && used >= Some(Hnsw::open(self.store)?.meta().next) {
                self.problem(META_BLOCK, "metapage counts fewer records than are in use");
                break;
            }
        }
        Ok(())
    }

    /// Follows the list from the metapage on.
    fn walk_free(&self) -> Result<Walk> {
        let mut before = None;
        let mut next = Hnsw::open(self.store)?.meta().free;
        let mut chain = Chain::new(self.store, self.hnsw)?;
        while let Some(node) = next {
            self.store.pause()?;
            let from = before.map_or(META_BLOCK, |before: NodeNo| before.block(self.geometry()));
            let fault =
                |what| Ok(Walk::Broken(from, format!("list of free records {what}: {}", node.0)));
            if chain.step(node).is_err() {
                return Ok(Walk::Endless);
            }
            if node.block(self.geometry()) >= self.store.blocks()? {
                return fault(BEYOND_THE_END);
            }
            if node >= self.hnsw.meta().next && node >= Hnsw::open(self.store)?.meta().next {
                return fault("leads to a record that was never used");
            }
            let life = |record: &Record<'_>| (record.state(), record.version(), record.link());
            let Some(seen) = self.record(node, life)? else { return Ok(Walk::Ended) };
            let (state, _, link) = seen;
            if state != State::Free {
                // The same life of the record before and after it was listed.
                let listed = self.lists(before, node)?;
                let in_use = listed && self.record(node, life)?.is_some_and(|now| now.1 == seen.1);
                return if in_use { fault("leads to a record in use") } else { Ok(Walk::Moved) };
            }
            (before, next) = (Some(node), link);
        }
        Ok(Walk::Ended)
    }

    /// Whether `before`, else the metapage, still has `node` as the next free record.
    fn lists(&self, before: Option<NodeNo>, node: NodeNo) -> Result<bool> {
        let Some(before) = before else {
            return Ok(Hnsw::open(self.store)?.meta().free == Some(node));
        };
        let next = self.record(before, |record| (record.state(), record.link()))?;
        Ok(next == Some((State::Free, Some(node))))
    }
}
