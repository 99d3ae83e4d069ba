//! Elements that may become the neighbors of a new one.

use std::cell::OnceCell;

use pages::{NodeNo, State};
use quant::{Metric, half_scale};

use crate::query::rank_f16;
use crate::walk::Met;
use crate::{Hnsw, prune};

/// The nearest live elements that a search has met, as their records hold them: only those that
/// are chosen are worth widening.
#[derive(Debug)]
pub(crate) struct Candidates {
    limit: usize,
    list: Vec<Candidate>,
}

#[derive(Debug)]
struct Candidate {
    node: NodeNo,
    version: u32,
    rank: f32,
    halves: Vec<[u8; 2]>,
    /// What `halves` are multiplied by; under cosine that makes the length one.
    scale: f32,
}

/// An element chosen to be a neighbor.
#[derive(Debug)]
pub(crate) struct Neighbor {
    pub(crate) node: NodeNo,
    /// Life of its record in which its vector was read.
    pub(crate) version: u32,
    /// As [`Hnsw::ranked`] gives it.
    pub(crate) vector: Vec<f32>,
    /// Whether it is nearer to the new element than to any nearer neighbor.
    pub(crate) diverse: bool,
}

impl Candidates {
    /// None yet, and room for `limit`.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, list: Vec::with_capacity(limit) }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Takes an element in if it is live, and gives up the farthest where there is no room.
    pub(crate) fn offer(&mut self, hnsw: &Hnsw, met: &Met<'_>) {
        if met.record.state() != State::Live {
            return;
        }
        let mut candidate = Candidate {
            node: met.node,
            version: met.record.version(),
            rank: met.exact.rank,
            halves: Vec::new(),
            scale: scale(hnsw, met),
        };
        if self.list.len() < self.limit {
            candidate.halves = met.record.vector().to_vec();
            self.list.push(candidate);
        } else if let Some(farthest) = self.list.iter_mut().max_by(|a, b| a.rank.total_cmp(&b.rank))
            && candidate.rank < farthest.rank
        {
            candidate.halves = std::mem::take(&mut farthest.halves);
            candidate.halves.copy_from_slice(met.record.vector());
            *farthest = candidate;
        }
    }

    /// The neighbors of the new element, nearest first, by the heuristic. Some slots stay empty,
    /// for edges back from elements that come later: filling all would double what is written,
    /// and searches find no more.
    pub(crate) fn choose(mut self, hnsw: &Hnsw) -> Vec<Neighbor> {
        self.list.sort_unstable_by(|a, b| a.rank.total_cmp(&b.rank));
        let list = &self.list;
        let ranks: Vec<f32> = list.iter().map(|candidate| candidate.rank).collect();
        let mut vectors: Vec<OnceCell<Vec<f32>>> = list.iter().map(|_| OnceCell::new()).collect();
        let m = usize::from(hnsw.meta().m);
        let kept = prune::select(&ranks, m + m / 4, |i, j| {
            let vector = vectors[j].get_or_init(|| list[j].widened());
            rank_f16(hnsw.metric(), vector, &list[i].halves, list[i].scale)
        });
        let neighbor = |(index, diverse): (usize, bool)| Neighbor {
            node: list[index].node,
            version: list[index].version,
            vector: vectors[index].take().unwrap_or_else(|| list[index].widened()),
            diverse,
        };
        kept.into_iter().map(neighbor).collect()
    }
}

impl Candidate {
    /// The vector as [`Hnsw::ranked`] gives it.
    fn widened(&self) -> Vec<f32> {
        let mut vector = vec![0.0; self.halves.len()];
        kernels::widen_f16(&self.halves, self.scale, &mut vector);
        vector
    }
}

fn scale(hnsw: &Hnsw, met: &Met<'_>) -> f32 {
    let element = met.record.element();
    let scale = half_scale(element.exponent);
    match hnsw.metric() {
        Metric::Cosine => scale / element.norm,
        Metric::L2 | Metric::InnerProduct | Metric::L1 => scale,
    }
}
