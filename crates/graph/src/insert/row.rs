//! The row that is added.

use std::cell::Cell;

use pages::{HeapTid, PageStore, Result};
use vectors::{Stored, Vector, VectorBuf};

use crate::Hnsw;
use crate::format::{Element, NodeNo, Record, State, Tail};
use crate::level::level_of;
use crate::tail::write_tails;

/// A row to be added, in the forms that records want.
pub(super) struct Row<'a> {
    pub(super) vector: Vector<'a>,
    /// The vector as it is stored, as [`Hnsw::normalized`] gives it.
    pub(super) normalized: VectorBuf,
    pub(super) stored: Stored,
    pub(super) level: u8,
    pub(super) tid: HeapTid,
    /// Where the part of the vector begins that does not fit a record, once that is written.
    tail: Cell<Option<Tail>>,
}

impl<'a> Row<'a> {
    pub(super) fn new(hnsw: &Hnsw, vector: Vector<'a>, tid: HeapTid) -> Self {
        let mut stored = hnsw.holder().empty();
        hnsw.holder().store(vector, &mut stored);
        let scale = hnsw.holder().true_scale(stored.info);
        let key = u64::from(tid.block) << 16 | u64::from(tid.offset);
        let records = u64::from(hnsw.meta().next.0);
        Self {
            vector,
            normalized: hnsw.normalized(hnsw.holder().widened(&stored.bytes, scale)),
            stored,
            level: level_of(hnsw.meta().seed, key, records / (1 + hnsw.geometry().tails() as u64)),
            tid,
            tail: Cell::new(None),
        }
    }

    /// Writes what does not fit a record.
    pub(super) fn write_tails<S: PageStore>(&self, store: &S, hnsw: &Hnsw) -> Result<()> {
        if self.tail.get().is_none() {
            self.tail.set(write_tails(store, hnsw, &self.stored.bytes)?);
        }
        Ok(())
    }

    pub(super) fn element(&self, level: u8, link: Option<NodeNo>, base: Option<NodeNo>) -> Element {
        Element { level, info: self.stored.info, link, base, tail: self.tail.get() }
    }

    /// Whether an element stands for the same vector.
    pub(super) fn is_twin(&self, hnsw: &Hnsw, record: &Record<'_>) -> bool {
        let stored = (record.vector(), record.element().info);
        record.state() == State::Live && hnsw.holder().alike(stored, &self.stored)
    }
}
