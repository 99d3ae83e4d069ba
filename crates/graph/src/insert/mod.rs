//! Adding a row.

mod row;
mod write;

use memory::Grow;
use pages::{Batch, HeapTid, META_BLOCK, PageStore, Result};
use vectors::Vector;

use crate::candidates::{Candidates, Neighbor};
use crate::format::{Meta, NodeNo};
use crate::link::{BackLink, Edge, Owner};
use crate::query::Query;
use crate::root::link_root;
use crate::twin::Twin;
use crate::walk::{Walk, descend};
use crate::{Hnsw, ScanStats};
use prune::Reason;
use row::Row;
use write::{insert_alone, write_alone, write_linked};

/// Searches for neighbors that can lead to a new element, before it does without a reachability edge
/// until the next vacuum. Neighbors die between search and edge only now and then.
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

/// Adds the row to an index with elements. False where what the search found has gone meanwhile: the
/// entry, or, if it `must_be_reachable`, all that could lead to it.
fn insert_next<S: PageStore>(
    store: &S,
    hnsw: &Hnsw,
    row: &Row<'_>,
    must_be_reachable: bool,
) -> Result<bool> {
    let mut query = Query::new(hnsw, row.vector);
    let top = row.level.min(hnsw.meta().entry_level);
    let ef = usize::from(hnsw.meta().ef_construction);
    let mut seeds = descend(store, hnsw, &mut query, &mut ScanStats::default(), top, ef)?;
    let mut chosen: Vec<Vec<Neighbor>> = Vec::new();
    for level in (0..=top).rev() {
        let found = search_level(store, hnsw, &mut query, row, level, &seeds)?;
        if let Some(twin) = found.twin
            && twin.add(store, hnsw)?
        {
            return Ok(true);
        }
        seeds = found.below;
        chosen.push(found.candidates.choose(hnsw, &row.normalized)?);
    }
    chosen.reverse();
    if chosen.first().is_none_or(Vec::is_empty) {
        return insert_alone(store, hnsw, row);
    }
    link_up(store, hnsw, row, &chosen, must_be_reachable)
}

/// What the search for neighbors found on a level.
struct LevelSearch {
    candidates: Candidates,
    /// Where to start on the level below, nearest first.
    below: Vec<(f32, NodeNo)>,
    twin: Option<Twin>,
}

/// Searches a level as wide as `ef_construction` says, and wider among dying elements, until
/// enough others are found.
fn search_level<S: PageStore>(
    store: &S,
    hnsw: &Hnsw,
    query: &mut Query,
    row: &Row<'_>,
    level: u8,
    seeds: &[(f32, NodeNo)],
) -> Result<LevelSearch> {
    let ef = usize::from(hnsw.meta().ef_construction);
    let mut width = hnsw.beam_width(ef);
    let mut walk = Walk::new(level, width, true)?;
    seeds.iter().try_for_each(|&(distance, node)| walk.seed(distance, node))?;
    let mut found = LevelSearch { candidates: Candidates::new(ef), below: Vec::new(), twin: None };
    loop {
        walk.run(store, hnsw, query, &mut ScanStats::default(), |visit| {
            if level > 0 {
                found
                    .below
                    .try_extend(visit.record.link().map(|link| (visit.exact.reduced, link)))?;
            } else if row.is_twin(hnsw, visit.record) {
                let (version, error, tid) =
                    (visit.record.version(), row.stored.info.error, row.tid);
                found.twin = Some(Twin { node: visit.node, version, error, tid });
            }
            found.candidates.offer(hnsw, &visit);
            Ok(())
        })?;
        width *= 2;
        if found.candidates.len() >= ef.min(usize::from(hnsw.meta().m)) || !walk.widen(width)? {
            break;
        }
    }
    found.below.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    found.below.truncate(ef);
    Ok(found)
}

/// Writes the element's records bottom-up, the edges back to each, and the entry where needed. False,
/// and nothing written, if it `must_be_reachable` and no reachability edge would lead to it.
fn link_up<S: PageStore>(
    store: &S,
    hnsw: &Hnsw,
    row: &Row<'_>,
    chosen: &[Vec<Neighbor>],
    must_be_reachable: bool,
) -> Result<bool> {
    row.write_tails(store, hnsw)?;
    let owner = Owner::new(hnsw, &row.normalized);
    let none = Vec::new();
    let (mut below, mut base) = (None, None);
    for level in 0..=row.level {
        let neighbors = chosen.get(usize::from(level)).unwrap_or(&none);
        let (edges, links) = edges(hnsw, row, &owner, neighbors);
        let element = row.element(level, below, base);
        let node = match write_linked(store, hnsw, row, &element, &edges, links)? {
            Some(node) => node,
            None if level == 0 && must_be_reachable => return Ok(false),
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
            let (owner, version, vector) = (one.node, one.version, row.normalized.view());
            links.push(BackLink { owner, version, edge, vector });
        }
        there
    };
    (neighbors.iter().enumerate().map(pair).collect(), links)
}

/// Lets searches begin at the element's highest record if it is higher than where they begin now.
fn raise_entry<S: PageStore>(store: &S, level: u8, (top, base): (NodeNo, NodeNo)) -> Result<()> {
    link_root(store, base)?;
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
