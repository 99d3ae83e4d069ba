//! Pass 1: dead heap tids.

use memory::Grow;
use pages::{Batch, HeapTid, META_BLOCK, PageStore, Result};

use super::{ClearStats, Emptied};
use crate::Hnsw;
use crate::format::{NodeNo, State, Tail};
use crate::records::{Allocation, Chain, lock_in_order, open};

/// Forgets the heap tids that `is_dead` tells and marks elements without any as dying.
pub fn clear<S: PageStore>(
    store: &S,
    is_dead: &mut dyn FnMut(HeapTid) -> bool,
) -> Result<(Emptied, ClearStats)> {
    let hnsw = Hnsw::open(store)?;
    let mut pass =
        Pass { store, hnsw: &hnsw, is_dead, emptied: Emptied::new(), stats: ClearStats::default() };
    let mut uppers = Vec::new();
    let mut block = META_BLOCK + 1;
    while block < store.blocks()? {
        store.pause()?;
        for node in pass.look_at(block, &mut uppers)? {
            pass.clear_element(node)?;
        }
        block += 1;
    }
    pass.clear_uppers(uppers)?;
    let Pass { mut emptied, stats, .. } = pass;
    emptied.remaining = stats.remaining;
    Ok((emptied, stats))
}

/// A record above level 0.
struct Upper {
    node: NodeNo,
    level: u8,
    base: Option<NodeNo>,
}

struct Pass<'a, S> {
    store: &'a S,
    hnsw: &'a Hnsw,
    is_dead: &'a mut dyn FnMut(HeapTid) -> bool,
    emptied: Emptied,
    stats: ClearStats,
}

impl<S: PageStore> Pass<'_, S> {
    /// Reads a page and returns the elements that have something to clear.
    fn look_at(&mut self, block: u32, uppers: &mut Vec<Upper>) -> Result<Vec<NodeNo>> {
        let mut to_clear = Vec::new();
        self.hnsw.records_of(self.store, block, |node, record| {
            let element = record.element();
            match record.state() {
                State::Dying => self.emptied.add(node)?,
                State::Live if element.level > 0 => {
                    uppers.try_push(Upper { node, level: element.level, base: element.base })?;
                }
                State::Live => {
                    let dead = record.tids().any(&mut *self.is_dead);
                    if dead || element.link.is_some() || record.tids().len() == 0 {
                        to_clear.push(node);
                    } else {
                        self.stats.remaining += record.tids().len() as u64;
                        self.emptied.live = self.emptied.live.or(Some((0, node)));
                    }
                }
                State::Tail if record.owner().is_none() => {
                    self.emptied.unclaimed.try_push(Tail { node, version: record.version() })?;
                }
                State::Free | State::Tids | State::Tail => {}
            }
            Ok(())
        })?;
        Ok(to_clear)
    }

    /// Clears an element of level 0 and what overflows from it.
    fn clear_element(&mut self, node: NodeNo) -> Result<()> {
        let mut next = {
            let mut batch = self.store.batch();
            let link = self.retain(&mut batch, node)?;
            batch.commit()?;
            link
        };
        let mut chain = Chain::new(self.store, self.hnsw)?;
        while let Some(overflow) = next {
            chain.step(overflow)?;
            self.store.pause()?;
            let mut batch = self.store.batch();
            next = self.retain(&mut batch, overflow)?;
            batch.commit()?;
        }
        while self.drop_empty_overflow(node)? {
            self.store.pause()?;
        }
        let mut batch = self.store.batch();
        let mut record = open(&mut batch, node, self.hnsw.geometry())?;
        let current = record.as_ref();
        if current.tids().len() > 0 || current.link().is_some() {
            self.emptied.live = self.emptied.live.or(Some((0, node)));
            return Ok(());
        }
        record.write_dying();
        batch.commit()?;
        self.emptied.add(node)
    }

    /// Forgets dead tids of one record; returns the next record of the chain.
    fn retain(&mut self, batch: &mut S::Batch<'_>, node: NodeNo) -> Result<Option<NodeNo>> {
        let mut record = open(batch, node, self.hnsw.geometry())?;
        let before = record.as_ref().tids().len();
        let kept: Vec<HeapTid> =
            record.as_ref().tids().filter(|&tid| !(self.is_dead)(tid)).collect();
        if kept.len() < before {
            record.retain_tids(&kept);
        }
        self.stats.removed += (before - kept.len()) as u64;
        self.stats.remaining += kept.len() as u64;
        Ok(record.as_ref().link())
    }

    /// Frees the first overflow record of an element if it holds nothing. False where it does, or
    /// where there is none.
    fn drop_empty_overflow(&self, node: NodeNo) -> Result<bool> {
        let geometry = self.hnsw.geometry();
        let head = { self.hnsw.record(self.store, node, |record| record.link())? };
        let Some(head) = head else { return Ok(false) };
        let mut batch = self.store.batch();
        let mut allocation = Allocation::begin(&mut batch)?;
        lock_in_order(&mut batch, geometry, &[node, head])?;
        let overflow = open(&mut batch, head, geometry)?;
        let next = overflow.as_ref().link();
        if overflow.as_ref().state() != State::Tids || overflow.as_ref().tids().len() > 0 {
            return Ok(false);
        }
        let mut record = open(&mut batch, node, geometry)?;
        if record.as_ref().link() != Some(head) {
            return Ok(true);
        }
        record.set_link(next);
        allocation.give_back(&mut batch, head)?;
        batch.commit()?;
        Ok(true)
    }

    /// Marks the upper records of dying elements.
    fn clear_uppers(&mut self, uppers: Vec<Upper>) -> Result<()> {
        for upper in uppers {
            let dying = upper.base.is_none_or(|base| self.emptied.set.contains(base));
            if dying {
                self.store.pause()?;
                let mut batch = self.store.batch();
                open(&mut batch, upper.node, self.hnsw.geometry())?.write_dying();
                batch.commit()?;
                self.emptied.add(upper.node)?;
            } else if self.emptied.live.is_none_or(|(level, _)| level < upper.level) {
                self.emptied.live = Some((upper.level, upper.node));
            }
        }
        Ok(())
    }
}
