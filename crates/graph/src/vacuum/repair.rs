//! New edges for an element that loses some.

use std::cmp::Reverse;

use pages::{PageStore, Result};
use vectors::{VectorBuf, reduced_distance};

use crate::Hnsw;
use crate::format::{NodeNo, State};
use crate::link::{Edge, Owner};
use crate::nodes::NodeSet;
use crate::query::Query;
use crate::stored::vector_of;

/// Candidates for each edge lost: with 2, recall at an equal `ef` falls by 1.3 points while all rows
/// are replaced once (sentence embeddings), with 6 by 0.7.
const CANDIDATES_PER_LOST_EDGE: usize = 6;

/// A live element as read.
pub(super) struct LiveElement {
    pub(super) node: NodeNo,
    pub(super) version: u32,
    pub(super) level: u8,
    /// As [`Hnsw::normalized`] gives it.
    pub(super) vector: VectorBuf,
    pub(super) neighbors: Vec<NodeNo>,
}

impl LiveElement {
    /// Reads `node`; none where it is no live element.
    pub(super) fn read<S: PageStore>(store: &S, hnsw: &Hnsw, node: NodeNo) -> Result<Option<Self>> {
        let read = hnsw.element(store, node, |record| {
            (record.state() == State::Live).then(|| Self {
                node,
                version: record.version(),
                level: record.element().level,
                vector: vector_of(hnsw, record),
                neighbors: record.neighbors().collect(),
            })
        })?;
        Ok(read.flatten())
    }

    /// As many edges as lead to `dying` elements, to live ones that these lead to: those first that
    /// the diversity rule chooses beside the neighbors that stay, then the nearest.
    pub(super) fn replacements<S: PageStore>(
        &self,
        store: &S,
        hnsw: &Hnsw,
        dying: &NodeSet,
    ) -> Result<Vec<Edge>> {
        let (lost, kept): (Vec<NodeNo>, Vec<NodeNo>) =
            self.neighbors.iter().partition(|&&neighbor| dying.contains(neighbor));
        let candidates = self.candidates(store, hnsw, dying, &lost)?;
        let mut near = Vec::with_capacity(kept.len() + candidates.len());
        let all =
            kept.iter().map(|&node| (node, false)).chain(candidates.iter().map(|&n| (n, true)));
        for (node, new) in all {
            store.pause()?;
            let read = Self::read(store, hnsw, node)?.filter(|read| read.level == self.level);
            near.extend(read.map(|read| {
                (reduced_distance(hnsw.metric(), &self.vector, &read.vector), read, new)
            }));
        }
        near.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let distances: Vec<f32> = near.iter().map(|&(distance, ..)| distance).collect();
        let mut chosen =
            prune::select(&distances, distances.len(), prune::leniency(hnsw.metric()), |i, j| {
                reduced_distance(hnsw.metric(), &near[i].1.vector, &near[j].1.vector)
            });
        chosen.sort_by_key(|&(_, reason)| Reverse(reason));
        let owner = Owner::new(hnsw, &self.vector);
        let new = chosen.iter().map(|&(index, _)| &near[index]).filter(|&&(_, _, new)| new);
        Ok(new.take(lost.len()).map(|(_, read, _)| owner.edge(read.node, &read.vector)).collect())
    }

    /// The neighbors of the `lost` that may take their places: if they have codes, the nearest
    /// [`CANDIDATES_PER_LOST_EDGE`] of each, so that an edge to a cluster far away is replaced by
    /// another.
    fn candidates<S: PageStore>(
        &self,
        store: &S,
        hnsw: &Hnsw,
        dying: &NodeSet,
        lost: &[NodeNo],
    ) -> Result<Vec<NodeNo>> {
        let mut query = Query::new(hnsw, &self.vector);
        let mut candidates: Vec<NodeNo> = Vec::new();
        for &node in lost {
            store.pause()?;
            let mut near: Vec<(f32, NodeNo)> = Vec::new();
            hnsw.element(store, node, |record| {
                if record.state() == State::Dying && record.element().level == self.level {
                    let exact = query.exact(record);
                    let distances = query.estimate(hnsw, record, &exact).iter().copied();
                    near.extend(distances.zip(record.neighbors()));
                }
            })?;
            near.retain(|&(_, node)| {
                node != self.node && !dying.contains(node) && !self.neighbors.contains(&node)
            });
            if query.coded() {
                near.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
                near.truncate(CANDIDATES_PER_LOST_EDGE);
            }
            candidates.extend(near.into_iter().map(|(_, node)| node));
        }
        candidates.sort_unstable();
        candidates.dedup();
        Ok(candidates)
    }
}
