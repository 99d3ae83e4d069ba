//! Rows that share an element, because they have the same vector.

use pages::{Batch, HeapTid, PageStore, Result};

use crate::Hnsw;
use crate::format::{NodeNo, RecordMut, State};
use crate::records::{Allocation, lock_in_order, open};

/// A row whose vector an element has already.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Twin {
    /// The element.
    pub(crate) node: NodeNo,
    /// Life of its record in which its vector was read.
    pub(crate) version: u32,
    /// What narrowing the row's vector lost.
    pub(crate) error: f32,
    /// The row.
    pub(crate) tid: HeapTid,
}

impl Twin {
    /// Adds the row to the element. False where the element is gone.
    pub(crate) fn add<S: PageStore>(&self, store: &S, hnsw: &Hnsw) -> Result<bool> {
        let mut batch = store.batch();
        let mut record = open(&mut batch, self.node, hnsw.geometry())?;
        if !self.is_there(&record) {
            return Ok(false);
        }
        record.raise_error(self.error);
        if record.push_tid(self.tid) {
            batch.commit()?;
            return Ok(true);
        }
        let head = record.as_ref().link();
        drop(batch);
        match head {
            Some(head) if self.add_to_overflow(store, hnsw, head)? => Ok(true),
            _ => self.add_overflow(store, hnsw),
        }
    }

    fn is_there(&self, record: &RecordMut<'_>) -> bool {
        record.as_ref().state() == State::Live && record.as_ref().version() == self.version
    }

    /// Adds the row to the first overflow record; false where it is full or no longer the first.
    fn add_to_overflow<S: PageStore>(&self, store: &S, hnsw: &Hnsw, head: NodeNo) -> Result<bool> {
        let geometry = hnsw.geometry();
        let mut batch = store.batch();
        lock_in_order(&mut batch, geometry, &[self.node, head])?;
        let mut record = open(&mut batch, self.node, geometry)?;
        if !self.is_there(&record) || record.as_ref().link() != Some(head) {
            return Ok(false);
        }
        record.raise_error(self.error);
        let mut overflow = open(&mut batch, head, geometry)?;
        if overflow.as_ref().state() != State::Tids || !overflow.push_tid(self.tid) {
            return Ok(false);
        }
        batch.commit()?;
        Ok(true)
    }

    /// Puts a new overflow record before the element's others, with the row in it.
    fn add_overflow<S: PageStore>(&self, store: &S, hnsw: &Hnsw) -> Result<bool> {
        let geometry = hnsw.geometry();
        let mut batch = store.batch();
        let allocation = Allocation::begin(&mut batch)?;
        let overflow = allocation.node;
        allocation.lock(&mut batch, &[self.node])?;
        let mut record = open(&mut batch, self.node, geometry)?;
        if !self.is_there(&record) {
            return Ok(false);
        }
        let next = record.as_ref().link();
        record.raise_error(self.error);
        record.set_link(Some(overflow));
        allocation.take(&mut batch)?;
        let mut record = open(&mut batch, overflow, geometry)?;
        record.write_overflow(self.node, next);
        record.push_tid(self.tid);
        batch.commit()?;
        Ok(true)
    }
}
