//! Pass 2: edges to dying elements.

use std::collections::VecDeque;

use memory::Grow;
use pages::{Batch, META_BLOCK, PageStore, Result};

use super::Emptied;
use super::entry::move_entry;
use super::parents::Parents;
use super::repair::LiveElement;
use crate::format::{NodeNo, Record, RecordMut, State};
use crate::link::{BackLink, Edge, Owner, put_edge, takes_reachability_edge, uncoded_victim};
use crate::nodes::NodeSet;
use crate::query::Query;
use crate::records::open;
use crate::root::root_of;
use crate::stored::vector_of;
use crate::walk::{Walk, descend};
use crate::{Hnsw, ScanStats};

/// Replaces the edges that lead to dying elements by edges to the dying elements' own neighbors.
///
/// Before that the entry is moved off dying elements, and elements whose reachability edge started
/// from one get another: whatever moment cuts the pass short, live elements stay within reach.
pub fn unlink<S: PageStore>(store: &S, emptied: &Emptied) -> Result<()> {
    if emptied.is_empty() {
        return Ok(());
    }
    move_entry(store, emptied)?;
    let hnsw = Hnsw::open(store)?;
    let root = match hnsw.meta().entry {
        Some(entry) => root_of(store, &hnsw, entry)?,
        None => None,
    };
    let count = store.blocks()? as usize * hnsw.geometry().records_per_page;
    let parents = Parents::new(root, count)?;
    let mut pass = Pass { store, hnsw: &hnsw, emptied, parents, unreachable: Vec::new() };
    pass.over_pages(
        |pass, node, record| {
            children(record).for_each(|neighbor| pass.parents.set(neighbor, node));
            Ok(None)
        },
        |_, _| Ok(()),
    )?;
    pass.over_pages(
        |pass, node, record| {
            let unreachable = record.element().level == 0 && !pass.parents.reach(node)?;
            Ok(unreachable.then_some(node))
        },
        |pass, node| Ok(pass.unreachable.try_push(node)?),
    )?;
    pass.attach_unreachable()?;
    pass.over_pages(
        |pass, node, record| {
            let mut neighbors = record.neighbors();
            Ok(neighbors.any(|neighbor| pass.emptied.set.contains(neighbor)).then_some(node))
        },
        Pass::repair,
    )?;
    // Those all of whose neighbors were dying have new ones by now.
    pass.attach_unreachable()
}

struct Pass<'a, S> {
    store: &'a S,
    hnsw: &'a Hnsw,
    emptied: &'a Emptied,
    /// The tree of reachability edges between live elements.
    parents: Parents,
    /// Elements that no path of reachability edges leads to.
    unreachable: Vec<NodeNo>,
}

impl<S: PageStore> Pass<'_, S> {
    /// Shows all live elements to `pick`, page by page, and calls `act` for those it returns.
    fn over_pages(
        &mut self,
        mut pick: impl FnMut(&mut Self, NodeNo, &Record<'_>) -> Result<Option<NodeNo>>,
        act: impl Fn(&mut Self, NodeNo) -> Result<()>,
    ) -> Result<()> {
        let (store, hnsw) = (self.store, self.hnsw);
        let mut picked = Vec::new();
        for block in META_BLOCK + 1..store.blocks()? {
            store.pause()?;
            hnsw.records_of(store, block, |node, record| {
                if record.state() == State::Live {
                    picked.extend(pick(self, node, record)?);
                }
                Ok(())
            })?;
            for node in picked.drain(..) {
                store.pause()?;
                act(self, node)?;
            }
        }
        Ok(())
    }

    fn read(&self, node: NodeNo) -> Result<Option<LiveElement>> {
        LiveElement::read(self.store, self.hnsw, node)
    }

    /// Drops the edges of an element that lead to dying ones and fills their slots.
    fn repair(&mut self, node: NodeNo) -> Result<()> {
        let Some(element) = self.read(node)? else { return Ok(()) };
        let set = &self.emptied.set;
        let edges = element.replacements(self.store, self.hnsw, set)?;
        let mut batch = self.store.batch();
        let mut record = open(&mut batch, node, self.hnsw.geometry())?;
        if record.as_ref().state() != State::Live || record.as_ref().version() != element.version {
            return Ok(());
        }
        drop_edges(&mut record, |neighbor| set.contains(neighbor));
        for edge in &edges {
            let current = record.as_ref();
            let count = current.neighbor_count();
            let known = current.neighbors().any(|neighbor| neighbor == edge.neighbor);
            if !known && count < self.hnsw.geometry().slots {
                record.set_slot(count, &edge.slot());
            }
        }
        let left = record.as_ref().neighbor_count();
        batch.commit()?;
        if left == 0 { self.search_anew(node, &element) } else { Ok(()) }
    }

    /// Finds neighbors for an element that has lost all.
    fn search_anew(&self, node: NodeNo, element: &LiveElement) -> Result<()> {
        let (store, hnsw) = (self.store, self.hnsw);
        let set = &self.emptied.set;
        let mut query = Query::new(hnsw, &element.vector);
        let mut stats = ScanStats::default();
        let ef = hnsw.geometry().slots;
        let mut walk = Walk::new(element.level, hnsw.beam_width(ef), false)?;
        for (distance, seed) in descend(store, hnsw, &mut query, &mut stats, element.level, ef)? {
            walk.seed(distance, seed)?;
        }
        let owner = Owner::new(hnsw, &element.vector);
        let mut edges: Vec<(f32, Edge)> = Vec::new();
        walk.run(store, hnsw, &mut query, &mut stats, |visit| {
            let live = visit.record.state() == State::Live && !set.contains(visit.node);
            if live && visit.node != node {
                let vector = vector_of(hnsw, visit.record);
                edges.try_push((visit.exact.reduced, owner.edge(visit.node, &vector)))?;
            }
            Ok(())
        })?;
        edges.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        edges.truncate(hnsw.geometry().slots);
        let mut batch = store.batch();
        let mut record = open(&mut batch, node, hnsw.geometry())?;
        if record.as_ref().state() == State::Live && record.as_ref().neighbor_count() == 0 {
            for (index, (_, edge)) in edges.iter().enumerate() {
                record.set_slot(index, &edge.slot());
            }
            batch.commit()?;
        }
        Ok(())
    }

    /// Attaches unreachable elements to the tree, roots of subtrees first: their descendants are then
    /// reachable, too.
    fn attach_unreachable(&mut self) -> Result<()> {
        // With an element its descendants become reachable.
        self.unreachable.sort_unstable_by_key(|&node| (self.parents.has(node), node));
        loop {
            let unreachable = std::mem::take(&mut self.unreachable);
            let before = unreachable.len();
            for node in unreachable {
                self.store.pause()?;
                if !self.parents.reach(node)? && !self.attach(node)? {
                    self.unreachable.try_push(node)?;
                }
            }
            if self.unreachable.is_empty() || self.unreachable.len() == before {
                return Ok(());
            }
        }
    }

    /// Attaches an element to the first reachable one that has a place for it: of its neighbors, the
    /// nearest first, the root, the children of these, and so on.
    fn attach(&mut self, node: NodeNo) -> Result<bool> {
        let Some(element) = self.read(node)? else { return Ok(true) };
        let mut queue = VecDeque::from_iter(element.neighbors.iter().copied());
        queue.extend(self.parents.root());
        let mut seen = NodeSet::new();
        while let Some(owner) = queue.pop_front() {
            if owner == node || !seen.insert(owner)? || !self.parents.reach(owner)? {
                continue;
            }
            self.store.pause()?;
            if self.attach_to(owner, node, &element)? {
                self.parents.set(node, owner);
                return Ok(true);
            }
            self.hnsw
                .element(self.store, owner, |record| queue.try_extend(children(record)))?
                .unwrap_or(Ok(()))?;
        }
        Ok(false)
    }

    /// Adds a reachability edge from `owner` to `node`, if it has a place for it.
    fn attach_to(&self, owner: NodeNo, node: NodeNo, element: &LiveElement) -> Result<bool> {
        let Some(read) = self.read(owner)?.filter(|read| read.level == element.level) else {
            return Ok(false);
        };
        let mut edge = Owner::new(self.hnsw, &read.vector).edge(node, &element.vector);
        edge.reachability = true;
        let link = BackLink { owner, version: read.version, edge, vector: element.vector.view() };
        let displaced = uncoded_victim(self.store, self.hnsw, &link)?;
        let mut batch = self.store.batch();
        let mut record = open(&mut batch, owner, self.hnsw.geometry())?;
        let takes = takes_reachability_edge(self.hnsw, &record.as_ref());
        if !takes || !put_edge(self.hnsw, &mut record, &link, displaced) {
            return Ok(false);
        }
        batch.commit()?;
        Ok(true)
    }
}

fn drop_edges(record: &mut RecordMut<'_>, gone: impl Fn(NodeNo) -> bool) {
    loop {
        let index = record.as_ref().neighbors().position(&gone);
        let Some(index) = index else { return };
        record.remove_slot(index);
    }
}

/// The neighbors that an element's reachability edges lead to.
fn children<'a>(record: &Record<'a>) -> impl Iterator<Item = NodeNo> + use<'a> {
    let edges = record.neighbors().zip(record.reachability_flags());
    edges.filter(|&(_, reachability)| reachability).map(|(neighbor, _)| neighbor)
}
