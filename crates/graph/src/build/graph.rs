//! The finished graph.

use super::BuildError;
use super::beam::{Beam, View};
use super::strata::Strata;
use space::Array;

/// Fills the unused slots at the end of a neighbor list, and is the entry of an empty graph.
pub const NO_NEIGHBOR: u32 = u32::MAX;

/// A graph of the elements 0 .. n.
#[derive(Debug, PartialEq, Eq)]
pub struct Graph {
    /// Where searches begin: an element of the highest level.
    pub entry: u32,
    /// Slots of a neighbor list, `2m`, on every level.
    pub degree: usize,
    /// Neighbor lists of level 0, n × `degree`: element numbers, nearest first, then
    /// [`NO_NEIGHBOR`]. Every element can be reached from the entry.
    pub level0: Array<u32>,
    /// Level 1 and up; none is empty.
    pub upper: Vec<UpperLevel>,
    /// Highest level of each element.
    pub levels: Vec<u8>,
}

/// A level above level 0.
#[derive(Debug, PartialEq, Eq)]
pub struct UpperLevel {
    /// The elements that stand on it, ascending.
    pub elements: Vec<u32>,
    /// Their neighbor lists, `elements.len()` × degree: positions in `elements`, nearest first,
    /// then [`NO_NEIGHBOR`].
    pub neighbors: Array<u32>,
}

impl Graph {
    pub(super) fn new(
        strata: Strata,
        degree: usize,
        level0: Array<u32>,
        upper: Vec<UpperLevel>,
    ) -> Self {
        Self { entry: strata.entry(), degree, level0, upper, levels: strata.levels }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.levels.len()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }

    /// Highest level that has elements.
    pub fn top_level(&self) -> u8 {
        self.upper.len() as u8
    }

    /// Neighbors of `element` on level 0, nearest first.
    pub fn neighbors(&self, element: u32) -> &[u32] {
        list(&self.level0, self.degree, element)
    }

    /// Prepares searches in memory.
    ///
    /// # Errors
    /// [`BuildError::OutOfMemory`].
    pub fn searcher(&self) -> Result<Searcher<'_>, BuildError> {
        Ok(Searcher { graph: self, beam: Beam::new(self.len())? })
    }
}

/// The used slots of list number `i` of `lists`.
pub(super) fn list(lists: &[u32], degree: usize, i: u32) -> &[u32] {
    let slots = &lists[i as usize * degree..][..degree];
    &slots[..slots.iter().position(|&id| id == NO_NEIGHBOR).unwrap_or(degree)]
}

/// Searches a graph that is in memory, by exact distances.
pub struct Searcher<'a> {
    graph: &'a Graph,
    beam: Beam,
}

impl Searcher<'_> {
    /// The up to `ef` elements nearest to a query and their distances, nearest first. `distance` tells
    /// how far an element is from the query; it is never NaN.
    ///
    /// # Errors
    /// [`BuildError::OutOfMemory`].
    pub fn search(
        &mut self,
        ef: usize,
        distance: impl Fn(u32) -> f32,
    ) -> Result<Vec<(u32, f32)>, BuildError> {
        if self.graph.is_empty() {
            return Ok(Vec::new());
        }
        let graph = self.graph;
        let mut nearest = (graph.entry, distance(graph.entry));
        for level in graph.upper.iter().rev() {
            while let Some(nearer) = nearer_neighbor(graph, level, nearest, &distance) {
                nearest = nearer;
            }
        }
        let found = self.beam.search(nearest.0, ef, &FromQuery { graph, distance })?;
        Ok(found.iter().map(|candidate| (candidate.id, candidate.distance)).collect())
    }

    /// How many elements the latest search looked at the neighbors of.
    pub fn expanded(&self) -> usize {
        self.beam.expanded()
    }
}

/// A graph as seen from a query whose distances `distance` tells.
pub(super) struct FromQuery<'a, R> {
    pub(super) graph: &'a Graph,
    pub(super) distance: R,
}

impl<R: Fn(u32) -> f32> View for FromQuery<'_, R> {
    fn neighbors(&self, id: u32) -> impl Iterator<Item = u32> {
        self.graph.neighbors(id).iter().copied()
    }

    fn distance(&self, id: u32) -> f32 {
        (self.distance)(id)
    }
}

/// The nearest neighbor on `level` of the element `from`, if it is nearer than that.
fn nearer_neighbor(
    graph: &Graph,
    level: &UpperLevel,
    from: (u32, f32),
    distance: impl Fn(u32) -> f32,
) -> Option<(u32, f32)> {
    let position = level.elements.binary_search(&from.0).ok()? as u32;
    let neighbors = list(&level.neighbors, graph.degree, position).iter();
    let measured = neighbors.map(|&p| level.elements[p as usize]).map(|id| (id, distance(id)));
    measured.min_by(|a, b| a.1.total_cmp(&b.1)).filter(|nearest| nearest.1 < from.1)
}
