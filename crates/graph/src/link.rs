//! Edges on disk: coding a neighbor into a slot, and making room for it.

use pages::{Batch, MAX_BATCH, PageStore, Result};
use quant::{Angles, EdgeCoder, EdgeQuery, Factors, Metric, PreparedOwner};
use vectors::bits::{pack, reduced_distance_bits};
use vectors::{Form, Vector, VectorBuf, reduced_distance};

use crate::format::{NodeNo, Record, RecordMut, Slot, State};
use crate::stored::vector_of;
use crate::{Hnsw, records};

/// A slot's content, owned.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    pub(crate) neighbor: NodeNo,
    /// Whether it is a reachability edge, see [`Slot::reachability`].
    pub(crate) reachability: bool,
    add: [u8; 2],
    scale: [u8; 2],
    code: Vec<u8>,
}

impl Edge {
    /// An edge whose code is the beginning of the neighbor, or none.
    fn of_bits(neighbor: NodeNo, code: &[u8]) -> Self {
        Self { neighbor, reachability: false, add: [0; 2], scale: [0; 2], code: code.to_vec() }
    }

    fn coded(neighbor: NodeNo, factors: Factors, code: Vec<u8>) -> Self {
        let (add, scale) = (factors.add.to_le_bytes(), factors.res.to_le_bytes());
        Self { neighbor, reachability: false, add, scale, code }
    }

    pub(crate) fn slot(&self) -> Slot<'_> {
        Slot {
            neighbor: self.neighbor,
            reachability: self.reachability,
            add: self.add,
            scale: self.scale,
            code: &self.code,
        }
    }
}

/// The owner of slots, prepared once for all of them.
#[derive(Debug)]
pub(crate) struct Owner<'a> {
    coder: Option<(&'a EdgeCoder, PreparedOwner)>,
    /// What codes a vector of bits: its beginning.
    bits: Vec<u8>,
}

impl<'a> Owner<'a> {
    /// `vector` is the owner's, as [`Hnsw::normalized`] gives it; so are those of its neighbors.
    pub(crate) fn new<'v>(hnsw: &'a Hnsw, vector: impl Into<Vector<'v>>) -> Self {
        let vector = vector.into();
        let space = hnsw.geometry().coded_space();
        let prepare = |coder: &'a EdgeCoder| (coder, coder.prepare(&vector.in_coded_space(space)));
        let coder = hnsw.coder().map(prepare);
        let mut bits = Vec::new();
        if hnsw.geometry().form == Form::Bits {
            bits.resize(hnsw.geometry().code_bytes(), 0);
            pack(vector.values(), &mut bits);
        }
        Self { coder, bits }
    }

    /// The edge to `neighbor`, and the one back from it to an owner whose number is not known yet.
    pub(crate) fn edges(&self, neighbor: NodeNo, other: &Self) -> [Edge; 2] {
        let (Some((coder, a)), Some((_, b))) = (&self.coder, &other.coder) else {
            return [Edge::of_bits(neighbor, &other.bits), Edge::of_bits(NodeNo(0), &self.bits)];
        };
        let [mut there, mut back] = [(); 2].map(|()| vec![0; coder.code_bytes()]);
        let factors = coder.encode_pair((a.rotated(), b.rotated()), &mut there, &mut back);
        [Edge::coded(neighbor, factors[0], there), Edge::coded(NodeNo(0), factors[1], back)]
    }

    /// The edge to `neighbor`.
    pub(crate) fn edge<'v>(&self, neighbor: NodeNo, vector: impl Into<Vector<'v>>) -> Edge {
        let vector = vector.into();
        let Some((coder, owner)) = &self.coder else {
            let mut code = vec![0; self.bits.len()];
            pack(vector.values(), &mut code);
            return Edge::of_bits(neighbor, &code);
        };
        let mut code = vec![0; coder.code_bytes()];
        let vector = vector.in_coded_space(coder.rotation().dims());
        let factors = coder.encode(owner, &vector, &mut code);
        Edge::coded(neighbor, factors, code)
    }
}

/// An edge to be added to an element that was read before.
#[derive(Debug)]
pub(crate) struct BackLink<'a> {
    /// Owner of the slot.
    pub(crate) owner: NodeNo,
    /// Life of the owner's record in which its vector was read.
    pub(crate) version: u32,
    /// What goes into the slot.
    pub(crate) edge: Edge,
    /// The vector of the edge's neighbor, as [`Hnsw::normalized`] gives it.
    pub(crate) vector: Vector<'a>,
}

/// Adds edges, up to four pages at a time in block order. Owners that are gone are passed over.
pub(crate) fn add_back_links<S: PageStore>(
    store: &S,
    hnsw: &Hnsw,
    mut links: Vec<BackLink<'_>>,
) -> Result<()> {
    links.sort_unstable_by_key(|link| link.owner);
    let mut rest = links.as_slice();
    while !rest.is_empty() {
        store.pause()?;
        let mut blocks: Vec<u32> = Vec::with_capacity(MAX_BATCH);
        let take = rest
            .iter()
            .take_while(|link| {
                let block = link.owner.block(hnsw.geometry());
                if blocks.last() != Some(&block) {
                    blocks.push(block);
                }
                blocks.len() <= MAX_BATCH
            })
            .count();
        let (now, later) = rest.split_at(take);
        let displaced =
            now.iter().map(|link| uncoded_victim(store, hnsw, link)).collect::<Result<Vec<_>>>()?;
        let mut batch = store.batch();
        for (link, displaced) in now.iter().zip(displaced) {
            let mut record = records::open(&mut batch, link.owner, hnsw.geometry())?;
            put_edge(hnsw, &mut record, link, displaced);
        }
        batch.commit()?;
        rest = later;
    }
    Ok(())
}

/// Puts the edge into an empty slot, or into that of the neighbor most easily missed. False where
/// the owner is gone or there is no place for the edge. A reachability edge takes any place but that
/// of another one.
pub(crate) fn put_edge(
    hnsw: &Hnsw,
    record: &mut RecordMut<'_>,
    link: &BackLink<'_>,
    displaced: Option<NodeNo>,
) -> bool {
    let current = record.as_ref();
    if current.state() != State::Live || current.version() != link.version {
        return false;
    }
    let count = current.neighbor_count();
    let known = current.neighbors().position(|neighbor| neighbor == link.edge.neighbor);
    let slot = if known.is_some() {
        known.filter(|_| link.edge.reachability)
    } else if count < hnsw.geometry().slots {
        Some(count)
    } else if let Some(coder) = hnsw.coder() {
        coded_victim(hnsw, coder, &current, link)
    } else if hnsw.geometry().coded() {
        victim_of_bits(hnsw, &current, link)
    } else {
        displaced.and_then(|victim| current.neighbors().position(|neighbor| neighbor == victim))
    };
    if let Some(slot) = slot {
        record.set_slot(slot, &link.edge.slot());
    }
    slot.is_some()
}

/// Whether an element may have one more reachability edge. By inner product the long vectors, which
/// are nearest to all, would else lead to whatever came first, and not to one another.
pub(crate) fn takes_reachability_edge(hnsw: &Hnsw, owner: &Record<'_>) -> bool {
    let count = || owner.reachability_flags().filter(|&flag| flag).count();
    hnsw.metric() != Metric::InnerProduct
        || count() < prune::max_reachability_edges(hnsw.geometry().slots)
}

/// The slot to give up, judged by the codes alone: residual lengths from the factors, angles between
/// residuals from the codes, and, for the inner product, products with the owner from both. None
/// where the new edge is the one to do without.
fn coded_victim(
    hnsw: &Hnsw,
    coder: &EdgeCoder,
    record: &Record<'_>,
    link: &BackLink<'_>,
) -> Option<usize> {
    let slots = slots_with(record, link);
    let squares: Vec<f32> =
        slots.iter().map(|slot| coder.residual_squared(slot.scale, slot.code)).collect();
    let angles = Angles::new(coder, slots.iter().map(|slot| slot.code));
    let product = |i: usize, j: usize| (squares[i] * squares[j]).sqrt() * angles.cosine(i, j);
    let leniency = prune::leniency(hnsw.metric());
    let may_go = |i: usize| !slots[i].reachability;
    let victim = if hnsw.metric() == Metric::InnerProduct {
        // ⟨c + r, c + s⟩ = |c|² + ⟨c, r⟩ + ⟨c, s⟩ + ⟨r, s⟩, of which -|c|² - ⟨c, r⟩ is estimated.
        let owner = vector_of(hnsw, record);
        let square = kernels::inner_product(owner.values(), owner.values());
        let distances = distances_to_owner(coder, &owner, square, &slots);
        let between = |i: usize, j: usize| square + distances[i] + distances[j] - product(i, j);
        prune::victim(&distances, leniency, may_go, between)
    } else {
        let between = |i: usize, j: usize| squares[i] + squares[j] - 2.0 * product(i, j);
        prune::victim(&squares, leniency, may_go, between)
    };
    victim.filter(|&victim| victim + 1 < slots.len())
}

/// Negated inner products of an element and its neighbors.
fn distances_to_owner(
    coder: &EdgeCoder,
    owner: &VectorBuf,
    square: f32,
    slots: &[Slot<'_>],
) -> Vec<f32> {
    let vector = owner.view().in_coded_space(coder.rotation().dims());
    let codes: Vec<u8> = slots.iter().flat_map(|slot| slot.code).copied().collect();
    let adds: Vec<[u8; 2]> = slots.iter().map(|slot| slot.add).collect();
    let scales: Vec<[u8; 2]> = slots.iter().map(|slot| slot.scale).collect();
    let mut distances = vec![0.0; slots.len()];
    // All of the owner lies along itself.
    EdgeQuery::new(coder, &vector).estimate(&codes, &adds, &scales, -square, 1.0, &mut distances);
    distances
}

/// The same where codes are the beginnings of vectors of bits.
fn victim_of_bits(hnsw: &Hnsw, record: &Record<'_>, link: &BackLink<'_>) -> Option<usize> {
    let slots = slots_with(record, link);
    // Kernels compare as many bytes as both have.
    let distance = |a: &[u8], b: &[u8]| reduced_distance_bits(hnsw.metric(), a, b);
    let own = record.vector().get(..hnsw.geometry().code_bytes()).unwrap_or(record.vector());
    let distances: Vec<f32> = slots.iter().map(|slot| distance(own, slot.code)).collect();
    let between = |i: usize, j: usize| distance(slots[i].code, slots[j].code);
    let victim = prune::victim(
        &distances,
        prune::leniency(hnsw.metric()),
        |i| !slots[i].reachability,
        between,
    );
    victim.filter(|&victim| victim + 1 < slots.len())
}

/// The slots of a record, and the one that wants to be among them.
fn slots_with<'a>(record: &Record<'a>, link: &'a BackLink<'_>) -> Vec<Slot<'a>> {
    let slots = (0..record.neighbor_count()).filter_map(|index| record.slot(index));
    slots.chain([link.edge.slot()]).collect()
}

/// Where there are no codes: the neighbor of a full owner to give up, judged by reading them all.
pub(crate) fn uncoded_victim<S: PageStore>(
    store: &S,
    hnsw: &Hnsw,
    link: &BackLink<'_>,
) -> Result<Option<NodeNo>> {
    if hnsw.geometry().coded() {
        return Ok(None);
    }
    let owner = hnsw.element(store, link.owner, |record| {
        let edges: Vec<(NodeNo, bool)> =
            record.neighbors().zip(record.reachability_flags()).collect();
        (edges, vector_of(hnsw, record))
    })?;
    let Some((edges, owner)) = owner.filter(|(edges, _)| edges.len() == hnsw.geometry().slots)
    else {
        return Ok(None);
    };
    let mut vectors = Vec::with_capacity(edges.len() + 1);
    for &(neighbor, _) in &edges {
        store.pause()?;
        match hnsw.element(store, neighbor, |record| vector_of(hnsw, record))? {
            Some(vector) => vectors.push(vector),
            // Nothing is easier to do without than an edge that leads nowhere.
            None => return Ok(Some(neighbor)),
        }
    }
    vectors.push(link.vector.to_buf());
    let distances: Vec<f32> =
        vectors.iter().map(|vector| reduced_distance(hnsw.metric(), &owner, vector)).collect();
    let may_go =
        |i: usize| !edges.get(i).map_or(link.edge.reachability, |&(_, reachability)| reachability);
    let between = |i: usize, j: usize| reduced_distance(hnsw.metric(), &vectors[i], &vectors[j]);
    let victim = prune::victim(&distances, prune::leniency(hnsw.metric()), may_go, between);
    Ok(victim.and_then(|victim| edges.get(victim)).map(|&(neighbor, _)| neighbor))
}
