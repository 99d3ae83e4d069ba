//! Rows that elements stand for: each once, and all of the table.

use memory::Grow;
use pages::{HeapTid, PageStore, Result, Rows, lastingly_repeated};

use super::{ATTEMPTS, Check};
use crate::format::{NodeNo, Record, State};
use crate::records::Chain;

impl<S: PageStore> Check<'_, S> {
    /// Reports rows that several elements stand for, and those beyond the table.
    pub(super) fn rows(&mut self, rows: &mut Rows<'_>) -> Result<()> {
        let repeated = lastingly_repeated(|first| self.repeated_rows(rows, first))?;
        for (page, HeapTid { block, offset }) in repeated {
            self.problem(page, format!("row ({block},{offset}) is in the index more than once"));
        }
        Ok(())
    }

    /// Rows seen more than once, each with the page of the element that stood for it.
    fn repeated_rows(&mut self, rows: &mut Rows<'_>, first: bool) -> Result<Vec<(u32, HeapTid)>> {
        let mut repeated = Vec::new();
        for node in self.summaries.live_bases()? {
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
                    repeated.try_push((block, tid))?;
                }
            }
        }
        rows.begin_anew();
        Ok(repeated)
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
