//! Rows that elements stand for: each once, and all of the table.

use memory::{Grow, collected};
use pages::{HeapTid, NodeNo, PageStore, Record, Result, Rows, State};

use super::{ATTEMPTS, Check};
use crate::records::Chain;

impl<S: PageStore> Check<'_, S> {
    /// Reports rows that several elements stand for, and those beyond the table.
    ///
    /// Beside a vacuum and inserts a row may be met where it was and again where another took its
    /// place: what is reported was met twice by each of several looks.
    pub(super) fn rows(&mut self, rows: &mut Rows<'_>) -> Result<()> {
        let mut repeated = self.repeated_rows(rows, true)?;
        for _ in 1..ATTEMPTS {
            if repeated.is_empty() {
                return Ok(());
            }
            let again = self.repeated_rows(rows, false)?;
            let mut again = collected(again.into_iter().map(|(_, tid)| tid))?;
            again.sort_unstable();
            repeated.retain(|&(_, tid)| again.binary_search(&tid).is_ok());
        }
        for (node, HeapTid { block, offset }) in repeated {
            let what = format!("row ({block},{offset}) is in the index more than once");
            self.problem(node.block(self.geometry()), what);
        }
        Ok(())
    }

    /// Rows that were met before when they were met, each with the element that stood for it.
    fn repeated_rows(
        &mut self,
        rows: &mut Rows<'_>,
        first: bool,
    ) -> Result<Vec<(NodeNo, HeapTid)>> {
        let mut met = Vec::new();
        for node in self.places.live_bases()? {
            self.store.pause()?;
            let block = node.block(self.geometry());
            let Some(tids) = self.tids_of(node)? else {
                if first {
                    self.problem(block, format!("heap tids of element {} are not whole", node.0));
                }
                continue;
            };
            for tid in tids {
                if !rows.add(tid)? && first {
                    let HeapTid { block: row, offset } = tid;
                    let what = format!("row ({row},{offset}) lies beyond the end of the table");
                    self.problem(block, what);
                }
                if rows.is_repeated(tid) {
                    met.try_push((node, tid))?;
                }
            }
        }
        rows.begin_anew();
        Ok(met)
    }

    /// The heap tids of an element; none of what is no live element, and nothing where the chain of its
    /// records is broken.
    fn tids_of(&self, node: NodeNo) -> Result<Option<Vec<HeapTid>>> {
        for _ in 0..ATTEMPTS {
            let own = |record: &Record<'_>| {
                let live = record.state() == State::Live && record.element().level == 0;
                live.then(|| (record.tids().collect::<Vec<_>>(), record.link()))
            };
            let Some((mut tids, mut next)) = self.record(node, own)?.flatten() else {
                return Ok(Some(Vec::new()));
            };
            let mut chain = Chain::new(self.store, self.hnsw)?;
            let mut whole = true;
            while let Some(overflow) = next.filter(|_| whole) {
                whole = chain.step(overflow).is_ok();
                let more = self.record(overflow, |record| {
                    let own = record.state() == State::Tids && record.owner() == Some(node);
                    own.then(|| (record.tids().collect::<Vec<_>>(), record.link()))
                })?;
                match more.flatten() {
                    Some((more, link)) => {
                        tids.try_extend(more)?;
                        next = link;
                    }
                    None => whole = false,
                }
            }
            if whole {
                return Ok(Some(tids));
            }
        }
        Ok(None)
    }
}
