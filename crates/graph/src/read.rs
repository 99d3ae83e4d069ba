//! Reading records: where a number becomes a record.

use pages::{NodeNo, PageStore, Record, Result, is_new};

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
        let page = store.read(block)?;
        Ok(look(&Record::read(&page, block, node.place(geometry), geometry)?))
    }

    /// Shows the element `node` with its vector; none where the record is not an element (any more).
    pub(crate) fn element<S: PageStore, R>(
        &self,
        store: &S,
        node: NodeNo,
        look: impl FnOnce(&Record<'_>) -> R,
    ) -> Result<Option<R>> {
        self.record(store, node, |record| record.is_element().then(|| look(record)))
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
