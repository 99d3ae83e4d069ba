//! What an index holds.

use pages::{META_BLOCK, Meta, PageStore, Record, Result, State, is_new};

use crate::Hnsw;

/// Counts over all pages of an index.
#[derive(Debug, Clone, PartialEq)]
pub struct Info {
    /// The metapage.
    pub meta: Meta,
    /// Pages, the metapage included.
    pub pages: u32,
    /// Live records by level.
    pub levels: Vec<u64>,
    /// Heap tids.
    pub tids: u64,
    /// Dying records.
    pub dying: u64,
    /// Overflow records.
    pub overflow: u64,
    /// Records given back, and places never used.
    pub free: u64,
    /// Edges of live records.
    pub edges: u64,
}

/// Reads all pages and counts.
pub fn info<S: PageStore>(store: &S) -> Result<Info> {
    let hnsw = Hnsw::open(store)?;
    let geometry = hnsw.geometry();
    let mut info = Info {
        meta: hnsw.meta().clone(),
        pages: store.blocks()?,
        levels: vec![0],
        tids: 0,
        dying: 0,
        overflow: 0,
        free: 0,
        edges: 0,
    };
    for block in META_BLOCK + 1..info.pages {
        store.pause()?;
        let page = store.read(block)?;
        if is_new(&page) {
            info.free += geometry.records_per_page as u64;
            continue;
        }
        for place in 0..geometry.records_per_page {
            let record = Record::read(&page, block, place, geometry)?;
            info.tids += record.tids().len() as u64;
            match record.state() {
                State::Live => {
                    let level = usize::from(record.element().level);
                    info.levels.resize(info.levels.len().max(level + 1), 0);
                    info.levels[level] += 1;
                    info.edges += record.neighbor_count() as u64;
                }
                State::Dying => info.dying += 1,
                State::Tids => info.overflow += 1,
                State::Free => info.free += 1,
            }
        }
    }
    Ok(info)
}
