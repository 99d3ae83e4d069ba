//! Searches for rows as if these were not in the index.

use memory::Grow;
use pages::{PageStore, Result};
use quant::{Metric, SplitMix64};
use vectors::{VectorBuf, reduced_distance};

use crate::format::{NodeNo, State};
use crate::query::Query;
use crate::stored::vector_of;
use crate::walk::{Walk, descend};
use crate::{Hnsw, ScanStats};

/// How far a row is moved, in distances to its 10th neighbor. Without any shift recall is that of
/// strangers from the same source; questions to a collection of texts are farther off. Measured
/// with real queries: `src/am/hnsw/README.md`.
pub(super) const SHIFT: f32 = 0.75;

/// A row whose like is searched for.
pub(super) struct Row {
    pub(super) node: NodeNo,
    /// As [`Hnsw::normalized`] gives it.
    vector: VectorBuf,
}

impl Row {
    /// A live element; none where one is hard to find.
    pub(super) fn at_random<S: PageStore>(
        store: &S,
        hnsw: &Hnsw,
        random: &mut SplitMix64,
    ) -> Result<Option<Self>> {
        let first = NodeNo::first(hnsw.geometry()).0;
        for _ in 0..20 {
            let place = random.next_u64() % hnsw.meta().records().max(1);
            // Record numbers have 32 bits.
            let node = NodeNo(first + place as u32);
            let vector = hnsw.element(store, node, |record| {
                let here = record.state() == State::Live && record.element().level == 0;
                here.then(|| vector_of(hnsw, record))
            })?;
            if let Some(vector) = vector.flatten() {
                return Ok(Some(Self { node, vector }));
            }
        }
        Ok(None)
    }

    /// The row's vector, moved in a random direction: as far as its 10th neighbor tells, or the nearest of
    /// `others` if that is nearer. By inner product the neighbor may be far away.
    pub(super) fn shifted<S: PageStore>(
        &self,
        store: &S,
        hnsw: &Hnsw,
        others: &[Self],
        random: &mut SplitMix64,
    ) -> Result<VectorBuf> {
        let near = search(store, hnsw, self.node, &self.vector, 10)?;
        let tenth = near.visited.get(9).or(near.visited.last()).map(|visited| visited.node);
        let bits = hnsw.metric().is_of_bits();
        let metric = if bits { Metric::Hamming } else { Metric::L2 };
        let squared = match tenth {
            Some(node) => hnsw.element(store, node, |record| {
                reduced_distance(metric, &self.vector, &vector_of(hnsw, record))
            })?,
            None => None,
        };
        let others = others.iter().filter(|other| other.node != self.node);
        let distances = others.map(|other| reduced_distance(metric, &self.vector, &other.vector));
        let squared = distances.chain(squared).reduce(f32::min);
        let mut moved = self.vector.clone();
        let count = moved.values().len().max(1);
        let variance = SHIFT * SHIFT * squared.unwrap_or(0.0) / count as f32;
        for x in moved.values_mut() {
            if !bits {
                *x += variance.sqrt() * random.next_normal();
            } else if random.next_f32() < variance {
                *x = 1.0 - *x;
            }
        }
        Ok(moved)
    }
}

/// An element that a search visited.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visited {
    pub(super) distance: f32,
    pub(super) node: NodeNo,
    /// Width of the narrowest beam that visits it.
    pub(super) width: usize,
}

/// Searches for `query` as if the element `without` were not there.
pub(super) fn search<S: PageStore>(
    store: &S,
    hnsw: &Hnsw,
    without: NodeNo,
    query: &VectorBuf,
    ef: usize,
) -> Result<Search> {
    let mut query = Query::new(hnsw, query);
    let mut stats = ScanStats::default();
    let width = hnsw.beam_width(ef);
    let mut walk = Walk::new(0, width, false)?;
    walk.skip(without)?;
    for (distance, node) in descend(store, hnsw, &mut query, &mut stats, 0, ef)? {
        walk.seed(distance, node)?;
    }
    let above = stats.expanded;
    let mut visited = Vec::new();
    walk.run(store, hnsw, &mut query, &mut stats, |one| {
        if one.record.state() == State::Live {
            visited.try_push(Visited {
                distance: one.exact.reduced,
                node: one.node,
                width: one.width,
            })?;
        }
        Ok(())
    })?;
    visited.sort_unstable_by(|a, b| a.distance.total_cmp(&b.distance));
    Ok(Search { width, above, visited, stats })
}

/// A search that was made.
pub(super) struct Search {
    width: usize,
    /// Elements expanded on upper levels.
    above: u64,
    /// What was visited on level 0, nearest first.
    pub(super) visited: Vec<Visited>,
    pub(super) stats: ScanStats,
}

impl Search {
    /// Whether a beam of `width` visits `k` of those that were visited that are as near as any others.
    pub(super) fn finds(&self, k: usize, width: usize) -> bool {
        let nearest = self.nearest(k);
        found(nearest, k, width) == nearest.len().min(k)
    }

    /// The `k` nearest of those that were visited, or all, and those as far as the farthest of these.
    pub(super) fn nearest(&self, k: usize) -> &[Visited] {
        let farthest = self.visited.get(k - 1).map_or(f32::INFINITY, |visited| visited.distance);
        &self.visited[..self.visited.partition_point(|visited| visited.distance <= farthest)]
    }

    /// Elements that a beam of `width` expands. A wider one than was tried expands as many more
    /// elements as it has more entries, if there are so many.
    pub(super) fn expanded(&self, width: usize, all: u64) -> f64 {
        let visited = self.visited.iter().filter(|visited| visited.width <= width).count() as u64;
        let more = width.saturating_sub(self.width) as u64;
        (self.above + visited + more).min(all) as f64
    }
}

/// How many of the `k` nearest a beam of `width` visits, of those as far as the farthest any:
/// `nearest` is as [`Search::nearest`] gives it.
pub(super) fn found(nearest: &[Visited], k: usize, width: usize) -> usize {
    let farthest = nearest.last().map_or(f32::INFINITY, |visited| visited.distance);
    let (nearer, tied) =
        nearest.split_at(nearest.partition_point(|visited| visited.distance < farthest));
    let count = |some: &[Visited]| some.iter().filter(|visited| visited.width <= width).count();
    count(nearer) + count(tied).min(k.saturating_sub(nearer.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_of_equally_far_elements_is_found() {
        let visited = |(distance, width)| Visited { distance, node: NodeNo(0), width };
        let nearest = [(1.0, 10), (2.0, 50), (3.0, 40), (3.0, 10), (3.0, 20)].map(visited);
        let found = |width| found(&nearest, 3, width);
        assert_eq!([9, 10, 40, 50].map(found), [0, 2, 2, 3]);
    }
}
