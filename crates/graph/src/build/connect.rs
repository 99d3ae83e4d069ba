//! Making every element reachable.

use std::sync::{Mutex, PoisonError};

use memory::{Grow, collected, filled};
use threads::Workers;

use super::beam::Beam;
use super::distances::Distances;
use super::graph::FromQuery;
use super::{BuildError, Graph, NO_NEIGHBOR};
use prune::max_reachability_edges;

/// Elements that are reached at a time, between two looks for a request to stop.
const ELEMENTS_PER_JOB: usize = 1 << 14;

/// Gives each element of level 0 that cannot be reached from the entry a link from the nearest
/// element that can, found by a search of width `ef`.
pub(super) fn connect<D: Distances>(
    graph: &mut Graph,
    data: &D,
    ef: usize,
    workers: &mut Workers,
) -> Result<(), BuildError> {
    if graph.is_empty() {
        return Ok(());
    }
    let (count, entry) = (graph.len(), graph.entry);
    let mut parents = filled(count, NO_NEIGHBOR)?;
    parents[entry as usize] = entry;
    let mut reach = Reach { graph, data, ef, parents, beam: Beam::new(count)?, queue: Vec::new() };
    reach.queue.try_push(entry)?;
    let reach = Mutex::new(reach);
    let lock = || reach.lock().unwrap_or_else(PoisonError::into_inner);
    let jobs = collected(0..count.div_ceil(ELEMENTS_PER_JOB) as u32)?;
    let spread = |_: &mut (), _| lock().spread(ELEMENTS_PER_JOB);
    workers.run(1, &jobs, || Ok::<_, BuildError>(()), spread)?;
    let unreached = lock().unreached()?;
    workers.run(1, &unreached, || Ok::<_, BuildError>(()), |(), element| lock().attach(element))
}

/// The elements reached so far, as a tree from the entry.
struct Reach<'a, D> {
    graph: &'a mut Graph,
    data: &'a D,
    ef: usize,
    /// From which element each was reached; the entry from itself.
    parents: Vec<u32>,
    beam: Beam,
    /// Elements reached whose neighbors were not looked at.
    queue: Vec<u32>,
}

impl<D: Distances> Reach<'_, D> {
    /// Reaches what the elements in the queue lead to, going from at most so many.
    fn spread(&mut self, most: usize) -> Result<(), BuildError> {
        for _ in 0..most {
            let Some(from) = self.queue.pop() else { break };
            for &neighbor in self.graph.neighbors(from) {
                if self.parents[neighbor as usize] == NO_NEIGHBOR {
                    self.parents[neighbor as usize] = from;
                    self.queue.try_push(neighbor)?;
                }
            }
        }
        Ok(())
    }

    fn unreached(&self) -> Result<Vec<u32>, BuildError> {
        let elements = (0u32..).zip(&self.parents);
        Ok(collected(elements.filter(|(_, parent)| **parent == NO_NEIGHBOR).map(|(id, _)| id))?)
    }

    /// Links `element`, if it is still out of reach, from an element that has a slot to give: one of
    /// the nearest, else one that these lead to, else any.
    fn attach(&mut self, element: u32) -> Result<(), BuildError> {
        if self.parents[element as usize] != NO_NEIGHBOR {
            return Ok(());
        }
        let (graph, data) = (&*self.graph, self.data);
        let view = FromQuery { graph, distance: |id| data.distance(element, id) };
        let found = self.beam.search(graph.entry, self.ef, &view)?;
        let near: Vec<u32> = found.iter().map(|candidate| candidate.id).collect();
        let behind = near.iter().flat_map(|&id| graph.neighbors(id)).copied();
        let ids = 0..self.parents.len() as u32;
        let givers = near.iter().copied().chain(behind).chain(ids);
        let mut givers = givers.filter(|&id| self.parents[id as usize] != NO_NEIGHBOR);
        let giver = givers.find_map(|id| Some((id, self.slot_to_give(id)?)));
        // There is one: the tree has leaves.
        if let Some((giver, slot)) = giver {
            self.link(giver, slot, element);
            self.parents[element as usize] = giver;
            self.queue.try_push(element)?;
            self.spread(usize::MAX)?;
        }
        Ok(())
    }

    /// The slot that `giver` may give: an empty one, or the last that is no branch of the tree, which
    /// cuts no one off. None where as many are branches as [`max_reachability_edges`] says: by inner
    /// product a few elements are nearest to all, and are to lead to one another.
    fn slot_to_give(&self, giver: u32) -> Option<usize> {
        let list = self.graph.neighbors(giver);
        let is_branch = |&neighbor: &u32| self.parents[neighbor as usize] == giver;
        if list.iter().filter(|neighbor| is_branch(neighbor)).count()
            >= max_reachability_edges(self.graph.degree)
        {
            return None;
        }
        if list.len() < self.graph.degree {
            return Some(list.len());
        }
        list.iter().rposition(|neighbor| !is_branch(neighbor))
    }

    /// Puts `element` into the list of `giver`, in order, and drops what is in `slot`.
    fn link(&mut self, giver: u32, slot: usize, element: u32) {
        let distance = |id| self.data.distance(giver, id);
        let used = self.graph.neighbors(giver).len();
        let start = giver as usize * self.graph.degree;
        let list = &mut self.graph.level0[start..][..used.max(slot + 1)];
        list[slot..].rotate_left(1);
        let last = list.len() - 1;
        let nearer = list[..last].partition_point(|&id| distance(id) <= distance(element));
        list[nearer..].rotate_right(1);
        list[nearer] = element;
    }
}
