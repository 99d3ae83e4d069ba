//! Writing a record of the new element and the edges that lead to it.

use std::collections::VecDeque;

use memory::Grow;
use pages::{Batch, PageStore, Result};

use super::row::Row;
use crate::Hnsw;
use crate::format::{Element, NodeNo, State};
use crate::link::{
    BackLink, Edge, Owner, add_back_links, put_edge, takes_reachability_edge, uncoded_victim,
};
use crate::nodes::NodeSet;
use crate::records::{Allocation, open};
use crate::stored::vector_of;

/// Makes the row an element without neighbors where searches begin: in an index without elements,
/// or where all that can be reached are dying. False where the entry has changed meanwhile.
pub(super) fn insert_alone<S: PageStore>(store: &S, hnsw: &Hnsw, row: &Row<'_>) -> Result<bool> {
    row.write_tails(store, hnsw)?;
    let mut batch = store.batch();
    let mut allocation = Allocation::begin(&mut batch)?;
    if allocation.meta().entry != hnsw.meta().entry {
        return Ok(false);
    }
    allocation.meta().entry = Some(allocation.node);
    allocation.meta().entry_level = 0;
    let element = row.element(0, None, None);
    allocation.lock(&mut batch, claimed(&element).as_slice())?;
    write_element(batch, hnsw, row, allocation, &element, &[])?;
    Ok(true)
}

/// Writes one record of the element together with its reachability edge, the edge back from the
/// nearest neighbor that has a place for it, and then the other edges back. None, and nothing
/// written, if nothing that the search found is left to lead to it.
pub(super) fn write_linked<S: PageStore>(
    store: &S,
    hnsw: &Hnsw,
    row: &Row<'_>,
    element: &Element,
    edges: &[Edge],
    mut links: Vec<BackLink<'_>>,
) -> Result<Option<NodeNo>> {
    let mut written = None;
    for index in 0..links.len() {
        links[index].edge.reachability = true;
        written = write_reachable(store, hnsw, row, element, edges, &mut links[index])?;
        if written.is_some() {
            links.remove(index);
            break;
        }
        links[index].edge.reachability = false;
    }
    if written.is_none() {
        written = write_below(store, hnsw, row, element, edges, &links)?;
    }
    if let Some(node) = written {
        links.iter_mut().for_each(|link| link.edge.neighbor = node);
        add_back_links(store, hnsw, links)?;
    }
    Ok(written)
}

/// The same if no neighbor has a place for a reachability edge, as around elements that are nearest
/// to everything: the first place among the children of these, and so on. Reachability edges form
/// trees, whose leaves have places.
fn write_below<S: PageStore>(
    store: &S,
    hnsw: &Hnsw,
    row: &Row<'_>,
    element: &Element,
    edges: &[Edge],
    full: &[BackLink<'_>],
) -> Result<Option<NodeNo>> {
    let mut full: VecDeque<NodeNo> = full.iter().map(|link| link.owner).collect();
    let mut seen = NodeSet::new();
    while let Some(owner) = full.pop_front() {
        store.pause()?;
        // Those of a dying owner may lie anywhere: another search finds better.
        let children = hnsw.element(store, owner, |record| {
            let edges = record.neighbors().zip(record.reachability_flags());
            let edges =
                edges.filter(|&(_, reachability)| reachability && record.state() == State::Live);
            edges.map(|(node, _)| node).collect::<Vec<_>>()
        })?;
        for owner in children.unwrap_or_default() {
            if !seen.insert(owner)? {
                continue;
            }
            store.pause()?;
            let Some(mut link) = reachability_edge_from(store, hnsw, owner, row, element.level)?
            else {
                continue;
            };
            let written = write_reachable(store, hnsw, row, element, edges, &mut link)?;
            if written.is_some() {
                return Ok(written);
            }
            full.try_push(owner)?;
        }
    }
    Ok(None)
}

/// The edge from `owner` to a new element on `level`; none where it is no live element there.
fn reachability_edge_from<'a, S: PageStore>(
    store: &S,
    hnsw: &Hnsw,
    owner: NodeNo,
    row: &'a Row<'_>,
    level: u8,
) -> Result<Option<BackLink<'a>>> {
    let read = hnsw.element(store, owner, |record| {
        let live = record.state() == State::Live && record.element().level == level;
        live.then(|| (record.version(), vector_of(hnsw, record)))
    })?;
    Ok(read.flatten().map(|(version, vector)| {
        let mut edge = Owner::new(hnsw, &vector).edge(NodeNo(0), row.normalized.view());
        edge.reachability = true;
        BackLink { owner, version, edge, vector: row.normalized.view() }
    }))
}

/// Writes one record of the element, to which no edge leads.
pub(super) fn write_alone<S: PageStore>(
    store: &S,
    hnsw: &Hnsw,
    row: &Row<'_>,
    element: &Element,
    edges: &[Edge],
) -> Result<NodeNo> {
    let mut batch = store.batch();
    let allocation = Allocation::begin(&mut batch)?;
    let node = allocation.node;
    allocation.lock(&mut batch, claimed(element).as_slice())?;
    write_element(batch, hnsw, row, allocation, element, edges)?;
    Ok(node)
}

/// Writes one record and the edge that leads to it; none where its owner has no place for it.
fn write_reachable<S: PageStore>(
    store: &S,
    hnsw: &Hnsw,
    row: &Row<'_>,
    element: &Element,
    edges: &[Edge],
    link: &mut BackLink<'_>,
) -> Result<Option<NodeNo>> {
    let displaced = uncoded_victim(store, hnsw, link)?;
    let mut batch = store.batch();
    let allocation = Allocation::begin(&mut batch)?;
    let node = allocation.node;
    link.edge.neighbor = node;
    let others: Vec<NodeNo> = claimed(element).into_iter().chain([link.owner]).collect();
    allocation.lock(&mut batch, &others)?;
    let mut owner = open(&mut batch, link.owner, hnsw.geometry())?;
    if !takes_reachability_edge(hnsw, &owner.as_ref())
        || !put_edge(hnsw, &mut owner, link, displaced)
    {
        return Ok(None);
    }
    write_element(batch, hnsw, row, allocation, element, edges)?;
    Ok(Some(node))
}

/// The first tail that comes to belong to the element when this record of it is written.
fn claimed(element: &Element) -> Option<NodeNo> {
    element.tail.filter(|_| element.level == 0).map(|tail| tail.node)
}

/// Writes one record of the element into the page that the allocation has locked, and commits.
fn write_element<B: Batch>(
    mut batch: B,
    hnsw: &Hnsw,
    row: &Row<'_>,
    allocation: Allocation,
    element: &Element,
    edges: &[Edge],
) -> Result<()> {
    let node = allocation.node;
    allocation.take(&mut batch)?;
    if let Some(tail) = claimed(element) {
        open(&mut batch, tail, hnsw.geometry())?.set_owner(Some(node));
    }
    let mut record = open(&mut batch, node, hnsw.geometry())?;
    record.write_element(element, &row.stored.bytes);
    if element.level == 0 {
        record.push_tid(row.tid);
    }
    for (index, edge) in edges.iter().enumerate() {
        record.set_slot(index, &edge.slot());
    }
    batch.commit()
}
