//! Adding a row.

use std::cell::Cell;
use std::collections::VecDeque;

use pages::{
    Batch, Element, HeapTid, META_BLOCK, Meta, NodeNo, PageStore, Record, Result, State, Tail,
};

use crate::candidates::{Candidates, Neighbor};
use crate::level::level_of;
use crate::link::{BackLink, Edge, Owner, add_back_links, put_edge, uncoded_victim};
use crate::nodes::NodeSet;
use crate::prune::Reason;
use crate::query::Query;
use crate::records::{Allocation, open};
use crate::root::hold_root;
use crate::stored::{Stored, vector_of};
use crate::tail::write_tails;
use crate::twin::Twin;
use crate::vector::{Vector, VectorBuf};
use crate::walk::{Walk, descend};
use crate::{Hnsw, ScanStats};

/// Searches for neighbors that can tether a new element, before it does without a tether until the
/// next vacuum. Neighbors die between search and edge only now and then.
const MAX_SEARCHES: usize = 8;

/// Adds the row at `tid` with `vector`, which has the index's dimensions and form and is
/// [`crate::indexable`].
///
/// Steps, each atomic and each leaving a sound index: the element's own record with its neighbors;
/// the edges that lead back to it, up to four pages at a time; the entry where it rises above it.
pub fn insert<'a, S: PageStore>(
    store: &S,
    vector: impl Into<Vector<'a>>,
    tid: HeapTid,
) -> Result<()> {
    let mut hnsw = Hnsw::open(store)?;
    let vector = vector.into();
    hnsw.accept(vector)?;
    let row = Row::new(&hnsw, vector, tid);
    let mut searches = 1;
    loop {
        let done = match hnsw.meta().entry {
            None => insert_alone(store, &hnsw, &row)?,
            Some(_) => insert_next(store, &hnsw, &row, searches < MAX_SEARCHES)?,
        };
        if done {
            return Ok(());
        }
        searches += 1;
        hnsw = Hnsw::open(store)?;
    }
}

/// A row to be added, in the forms that records want.
struct Row<'a> {
    vector: Vector<'a>,
    /// As [`Hnsw::ranked`] gives it.
    ranked: VectorBuf,
    stored: Stored,
    level: u8,
    tid: HeapTid,
    /// Where the part of the vector begins that does not fit a record, once that is written.
    tail: Cell<Option<Tail>>,
}

impl<'a> Row<'a> {
    fn new(hnsw: &Hnsw, vector: Vector<'a>, tid: HeapTid) -> Self {
        let mut stored = hnsw.holder().empty();
        hnsw.holder().store(vector, &mut stored);
        let key = u64::from(tid.block) << 16 | u64::from(tid.offset);
        let records = u64::from(hnsw.meta().next.0);
        Self {
            vector,
            ranked: hnsw.ranked(vector.to_buf()),
            stored,
            level: level_of(hnsw.meta().seed, key, records / (1 + hnsw.geometry().tails() as u64)),
            tid,
            tail: Cell::new(None),
        }
    }

    /// Writes what does not fit a record.
    fn write_tails<S: PageStore>(&self, store: &S, hnsw: &Hnsw) -> Result<()> {
        if self.tail.get().is_none() {
            self.tail.set(write_tails(store, hnsw, &self.stored.bytes)?);
        }
        Ok(())
    }

    fn element(&self, level: u8, link: Option<NodeNo>, base: Option<NodeNo>) -> Element {
        Element {
            level,
            scale: self.stored.scale,
            error: self.stored.error,
            norm: self.stored.norm,
            link,
            base,
            tail: self.tail.get(),
        }
    }
}

/// Makes the row an element without neighbors where searches begin: in an index without elements,
/// or where all that can be reached are dying. False where the entry has changed meanwhile.
fn insert_alone<S: PageStore>(store: &S, hnsw: &Hnsw, row: &Row<'_>) -> Result<bool> {
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

/// Adds the row to an index with elements. False where what the search found has gone meanwhile: the
/// entry, or, if the element `must_tether`, all that could lead to it.
fn insert_next<S: PageStore>(
    store: &S,
    hnsw: &Hnsw,
    row: &Row<'_>,
    must_tether: bool,
) -> Result<bool> {
    let mut query = Query::new(hnsw, row.vector);
    let top = row.level.min(hnsw.meta().entry_level);
    let mut seeds = descend(store, hnsw, &mut query, &mut ScanStats::default(), top)?;
    let mut chosen: Vec<Vec<Neighbor>> = Vec::new();
    for level in (0..=top).rev() {
        let found = search_level(store, hnsw, &mut query, row, level, &seeds)?;
        if let Some(twin) = found.twin
            && twin.add(store, hnsw)?
        {
            return Ok(true);
        }
        seeds = found.below;
        chosen.push(found.candidates.choose(hnsw));
    }
    chosen.reverse();
    if chosen.first().is_none_or(Vec::is_empty) {
        return insert_alone(store, hnsw, row);
    }
    link_up(store, hnsw, row, &chosen, must_tether)
}

/// What the search for neighbors met on a level.
struct Found {
    candidates: Candidates,
    /// Where to start on the level below, nearest first.
    below: Vec<(f32, NodeNo)>,
    twin: Option<Twin>,
}

/// Searches a level as wide as `ef_construction` says, and wider among dying elements, until
/// enough others are met.
fn search_level<S: PageStore>(
    store: &S,
    hnsw: &Hnsw,
    query: &mut Query,
    row: &Row<'_>,
    level: u8,
    seeds: &[(f32, NodeNo)],
) -> Result<Found> {
    let ef = usize::from(hnsw.meta().ef_construction);
    let mut width = hnsw.beam_width(ef);
    let mut walk = Walk::new(level, width, true);
    seeds.iter().for_each(|&(rank, node)| walk.seed(rank, node));
    let mut found = Found { candidates: Candidates::new(ef), below: Vec::new(), twin: None };
    loop {
        walk.run(store, hnsw, query, &mut ScanStats::default(), |met| {
            if level > 0 {
                found.below.extend(met.record.link().map(|link| (met.exact.rank, link)));
            } else if is_twin(hnsw, row, met.record) {
                let (version, error, tid) = (met.record.version(), row.stored.error, row.tid);
                found.twin = Some(Twin { node: met.node, version, error, tid });
            }
            found.candidates.offer(hnsw, &met);
        })?;
        width *= 2;
        if found.candidates.len() >= ef.min(usize::from(hnsw.meta().m)) || !walk.widen(width) {
            break;
        }
    }
    found.below.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    found.below.truncate(ef);
    Ok(found)
}

/// Whether an element stands for the same vector as the row.
fn is_twin(hnsw: &Hnsw, row: &Row<'_>, record: &Record<'_>) -> bool {
    let Element { scale, norm, .. } = record.element();
    let held = (record.vector(), scale, norm);
    record.state() == State::Live && hnsw.holder().alike(held, &row.stored)
}

/// Writes the element's records bottom-up, the edges back to each, and the entry where needed. False,
/// and nothing written, where the element would have no tether but `must_tether`.
fn link_up<S: PageStore>(
    store: &S,
    hnsw: &Hnsw,
    row: &Row<'_>,
    chosen: &[Vec<Neighbor>],
    must_tether: bool,
) -> Result<bool> {
    row.write_tails(store, hnsw)?;
    let owner = Owner::new(hnsw, &row.ranked);
    let none = Vec::new();
    let (mut below, mut base) = (None, None);
    for level in 0..=row.level {
        let neighbors = chosen.get(usize::from(level)).unwrap_or(&none);
        let (edges, links) = edges(hnsw, row, &owner, neighbors);
        let element = row.element(level, below, base);
        let node = match write_linked(store, hnsw, row, &element, &edges, links)? {
            Some(node) => node,
            None if level == 0 && must_tether => return Ok(false),
            None => write_alone(store, hnsw, row, &element, &edges)?,
        };
        base = base.or(Some(node));
        below = Some(node);
    }
    if let (Some(top), Some(base)) = (below, base)
        && row.level > hnsw.meta().entry_level
    {
        raise_entry(store, row.level, (top, base))?;
    }
    Ok(true)
}

/// The edges to the neighbors, and those back to the new element, whose number is not known yet:
/// from the diverse and from the nearest of them.
fn edges<'a>(
    hnsw: &Hnsw,
    row: &'a Row<'_>,
    owner: &Owner<'_>,
    neighbors: &[Neighbor],
) -> (Vec<Edge>, Vec<BackLink<'a>>) {
    let near = usize::from(hnsw.meta().m) * 3 / 4;
    let mut links = Vec::new();
    let pair = |(index, one): (usize, &Neighbor)| {
        let [there, edge] = owner.edges(one.node, &Owner::new(hnsw, &one.vector));
        if one.reason == Reason::Diverse || index < near {
            let (owner, version, vector) = (one.node, one.version, row.ranked.view());
            links.push(BackLink { owner, version, edge, vector });
        }
        there
    };
    (neighbors.iter().enumerate().map(pair).collect(), links)
}

/// Writes one record of the element together with its tether, the edge back from the nearest
/// neighbor that has a place for it, and then the other edges back. None, and nothing written, where
/// nothing that the search found is left to tether it.
fn write_linked<S: PageStore>(
    store: &S,
    hnsw: &Hnsw,
    row: &Row<'_>,
    element: &Element,
    edges: &[Edge],
    mut links: Vec<BackLink<'_>>,
) -> Result<Option<NodeNo>> {
    let mut written = None;
    for index in 0..links.len() {
        links[index].edge.tether = true;
        written = write_tethered(store, hnsw, row, element, edges, &mut links[index])?;
        if written.is_some() {
            links.remove(index);
            break;
        }
        links[index].edge.tether = false;
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

/// The same where all places of all neighbors are tethers, as around elements that are nearest to
/// everything: the first place among the elements that these tether, and so on. Tethers form trees,
/// whose leaves have places.
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
        let tethered = hnsw.element(store, owner, |record| {
            let edges = record.neighbors().zip(record.tethers());
            let edges = edges.filter(|&(_, tether)| tether && record.state() == State::Live);
            edges.map(|(node, _)| node).collect::<Vec<_>>()
        })?;
        for owner in tethered.unwrap_or_default().into_iter().filter(|&node| seen.insert(node)) {
            let Some(mut tether) = tether_from(store, hnsw, owner, row, element.level)? else {
                continue;
            };
            let written = write_tethered(store, hnsw, row, element, edges, &mut tether)?;
            if written.is_some() {
                return Ok(written);
            }
            full.push_back(owner);
        }
    }
    Ok(None)
}

/// The edge from `owner` to a new element on `level`; none where it is no live element there.
fn tether_from<'a, S: PageStore>(
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
        let mut edge = Owner::new(hnsw, &vector).edge(NodeNo(0), row.ranked.view());
        edge.tether = true;
        BackLink { owner, version, edge, vector: row.ranked.view() }
    }))
}

/// Writes one record of the element, to which no edge leads.
fn write_alone<S: PageStore>(
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
fn write_tethered<S: PageStore>(
    store: &S,
    hnsw: &Hnsw,
    row: &Row<'_>,
    element: &Element,
    edges: &[Edge],
    tether: &mut BackLink<'_>,
) -> Result<Option<NodeNo>> {
    let displaced = uncoded_victim(store, hnsw, tether)?;
    let mut batch = store.batch();
    let allocation = Allocation::begin(&mut batch)?;
    let node = allocation.node;
    tether.edge.neighbor = node;
    let others: Vec<NodeNo> = claimed(element).into_iter().chain([tether.owner]).collect();
    allocation.lock(&mut batch, &others)?;
    let mut owner = open(&mut batch, tether.owner, hnsw.geometry())?;
    if !put_edge(hnsw, &mut owner, tether, displaced) {
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

/// Lets searches begin at the element's highest record if it is higher than where they begin now.
fn raise_entry<S: PageStore>(store: &S, level: u8, (top, base): (NodeNo, NodeNo)) -> Result<()> {
    hold_root(store, base)?;
    let mut batch = store.batch();
    let body = batch.page(META_BLOCK)?;
    let mut meta = Meta::decode(body)?;
    if meta.entry_level >= level {
        return Ok(());
    }
    meta.entry = Some(top);
    meta.entry_level = level;
    meta.encode(body);
    batch.commit()
}
