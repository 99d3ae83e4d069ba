//! Reading records: where a number becomes a record.

use pages::{NodeNo, PageStore, Record, Result, State, is_new};

use crate::Hnsw;

impl Hnsw {
    /// Shows the record `node` as its page holds it now.
    pub(crate) fn record<S: PageStore, R>(
        &self,
        store: &S,
        node: NodeNo,
        look: impl FnOnce(&Record<'_>) -> R,
    ) -> Result<R> {
        let geometry = self.geometry();
        let block = node.block(geometry);
        self.warm(store, node);
        let page = store.read(block)?;
        Ok(look(&Record::read(&page, block, node.place(geometry), geometry)?))
    }

    /// Tells `store` that the record `node` will be read at once.
    pub(crate) fn warm<S: PageStore>(&self, store: &S, node: NodeNo) {
        let geometry = self.geometry();
        let start = node.place(geometry) * geometry.record_size;
        store.warm(node.block(geometry), start..start + geometry.record_size);
    }

    /// Shows the element `node` with its whole vector; none where the record is not an element (any
    /// more), or its tails are being freed.
    pub(crate) fn element<S: PageStore, R>(
        &self,
        store: &S,
        node: NodeNo,
        look: impl FnOnce(&Record<'_>) -> R,
    ) -> Result<Option<R>> {
        if !self.geometry().is_split() {
            return self.record(store, node, |record| record.is_element().then(|| look(record)));
        }
        let Some(bytes) = self.whole(store, node)? else { return Ok(None) };
        Ok(Some(look(&Record::whole(&bytes, self.geometry())?)))
    }

    /// Puts an element together from its record and its tails, one page after another.
    fn whole<S: PageStore>(&self, store: &S, node: NodeNo) -> Result<Option<Vec<u8>>> {
        let geometry = self.geometry();
        let own = self.record(store, node, |record| {
            record.is_element().then(|| (record.own_bytes().to_vec(), record.tail()))
        })?;
        let Some((mut bytes, mut next)) = own else { return Ok(None) };
        for part in 1..=geometry.tails() {
            let Some(tail) = next else { return Ok(None) };
            let len = geometry.part(part).len();
            let there = self.record(store, tail.node, |record| {
                let there = record.state() == State::Tail && record.version() == tail.version;
                if there {
                    bytes.extend_from_slice(&record.tail_bytes()[..len]);
                    next = record.tail();
                }
                there
            })?;
            if !there {
                return Ok(None);
            }
        }
        Ok(Some(bytes))
    }

    /// Shows all records of a page; none where the page was never written.
    pub(crate) fn records_of<S: PageStore>(
        &self,
        store: &S,
        block: u32,
        mut look: impl FnMut(NodeNo, &Record<'_>),
    ) -> Result<()> {
        let geometry = self.geometry();
        let page = store.read(block)?;
        if is_new(&page) {
            return Ok(());
        }
        for place in 0..geometry.records_per_page {
            look(
                NodeNo::at(block, place, geometry)?,
                &Record::read(&page, block, place, geometry)?,
            );
        }
        Ok(())
    }
}
