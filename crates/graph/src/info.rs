//! What an index holds.

use pages::{META_BLOCK, PageStore, Result};

use crate::Hnsw;
use crate::format::{Meta, Record, State};

/// Counts over all pages of an index.
#[derive(Debug, Clone, PartialEq)]
pub struct Info {
    /// The metapage.
    pub meta: Meta,
    /// Pages, the metapage included.
    pub pages: u32,
    /// Pages added to the store but never written.
    pub unwritten: u32,
    /// Live records by level.
    pub levels: Vec<u64>,
    /// Heap tids.
    pub tids: u64,
    /// Dying records.
    pub dying: u64,
    /// Overflow records.
    pub overflow: u64,
    /// Tails of vectors that no page holds whole.
    pub tails: u64,
    /// Records given back, and places never used.
    pub free: u64,
    /// Edges of live records.
    pub edges: u64,
}

impl Info {
    fn count(&mut self, record: &Record<'_>) {
        self.tids += record.tids().len() as u64;
        match record.state() {
            State::Live => {
                let level = usize::from(record.element().level);
                self.levels.resize(self.levels.len().max(level + 1), 0);
                self.levels[level] += 1;
                self.edges += record.neighbor_count() as u64;
            }
            State::Dying => self.dying += 1,
            State::Tids => self.overflow += 1,
            State::Tail => self.tails += 1,
            State::Free => {}
        }
    }
}

/// Reads all pages and counts.
pub fn info<S: PageStore>(store: &S) -> Result<Info> {
    let hnsw = Hnsw::open(store)?;
    let mut info = Info {
        meta: hnsw.meta().clone(),
        pages: store.blocks()?,
        unwritten: 0,
        levels: vec![0],
        tids: 0,
        dying: 0,
        overflow: 0,
        tails: 0,
        free: 0,
        edges: 0,
    };
    for block in META_BLOCK + 1..info.pages {
        store.pause()?;
        let mut written = false;
        hnsw.records_of(store, block, |_, record| {
            written = true;
            info.count(record);
            Ok(())
        })?;
        info.unwritten += u32::from(!written);
    }
    let places = u64::from(info.pages - 1) * hnsw.geometry().records_per_page as u64;
    info.free = places - info.levels.iter().sum::<u64>() - info.dying - info.overflow - info.tails;
    Ok(info)
}
