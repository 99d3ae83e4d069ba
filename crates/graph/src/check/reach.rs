//! Elements that no path leads to.

use memory::Grow;
use pages::{PageStore, Result};

use super::{ATTEMPTS, Check};
use crate::Hnsw;
use crate::format::{NodeNo, Record, State};
use crate::root::root_in;

impl<S: PageStore> Check<'_, S> {
    /// Reports live elements of level 0 that no path leads to from where searches begin.
    ///
    /// A vacuum beside moves edges, and an insert comes behind the search, so that one search may
    /// miss an element: what is reported was missed by each of several.
    pub(super) fn reachability(&mut self) -> Result<()> {
        self.reach()?;
        let mut missed = self.still_live(self.summaries.unreached()?)?;
        for _ in 1..ATTEMPTS {
            if missed.is_empty() {
                break;
            }
            self.reach()?;
            let again = self.still_live(self.summaries.unreached()?)?;
            missed.retain(|element| again.binary_search(element).is_ok());
        }
        for (node, _) in missed {
            self.problem(
                node.block(self.geometry()),
                format!("element {} cannot be reached", node.0),
            );
        }
        Ok(())
    }

    /// Marks what can be reached. Goes through the records in order, from each that is reached to
    /// its neighbors; those that lie behind it wait for the next turn.
    fn reach(&mut self) -> Result<()> {
        self.summaries.forget_reached();
        let now = Hnsw::open(self.store)?;
        // Searches may by now begin at an element that has come since, and others follow from it.
        self.summaries.grow(self.store.blocks()?, self.hnsw.geometry())?;
        if let Some(entry) = now.meta().entry
            && let Some(root) = self.record(entry, |record| root_in(entry, record))?.flatten()
        {
            self.summaries.reach(root);
        }
        let mut goes_on = true;
        while goes_on {
            goes_on = false;
            for node in self.summaries.numbers() {
                if self.summaries.expand(node) {
                    goes_on = true;
                    self.store.pause()?;
                    self.reach_neighbors(node)?;
                }
            }
        }
        Ok(())
    }

    fn reach_neighbors(&mut self, node: NodeNo) -> Result<()> {
        let neighbors = self.record(node, |record| {
            let on_base = record.is_element() && record.element().level == 0;
            on_base.then(|| record.neighbors().collect::<Vec<_>>())
        })?;
        for neighbor in neighbors.flatten().unwrap_or_default() {
            self.summaries.reach(neighbor);
        }
        Ok(())
    }

    /// Those that are live elements of level 0 now, each with the life of its record.
    fn still_live(&self, nodes: Vec<NodeNo>) -> Result<Vec<(NodeNo, u32)>> {
        let mut live = Vec::new();
        for node in nodes {
            self.store.pause()?;
            let life = |record: &Record<'_>| {
                let is_live = record.state() == State::Live && record.element().level == 0;
                is_live.then(|| record.version())
            };
            if let Some(version) = self.record(node, life)?.flatten() {
                live.try_push((node, version))?;
            }
        }
        Ok(live)
    }
}
