//! Lists of neighbors while they are chosen.

use std::ops::Range;

use gpu::{MAX_CANDIDATES, NONE, NOT_CHOSEN};
use memory::copied;
use space::{Array, Space};

use super::{Batch, BatchError, neighbors};
use crate::build::distances::Distances;
use crate::build::{BuildError, NO_NEIGHBOR};

/// Neighbors of some elements, `degree` slots for each: positions among these elements, nearest first,
/// then [`NO_NEIGHBOR`].
pub(super) struct Lists {
    pub(super) degree: usize,
    pub(super) ids: Array<u32>,
    /// How far each neighbor is from the owner.
    pub(super) distances: Array<f32>,
}

impl Lists {
    pub(super) fn new(count: usize, degree: usize, space: &mut Space) -> Result<Self, BuildError> {
        let slots = count.checked_mul(degree).ok_or(BuildError::OutOfMemory)?;
        let mut ids = space.array(slots)?;
        ids.fill(NO_NEIGHBOR);
        Ok(Self { degree, ids, distances: space.array(slots)? })
    }

    /// Number of lists.
    pub(super) fn len(&self) -> usize {
        self.ids.len() / self.degree
    }

    /// The neighbors of the owner at a position, and their distances.
    pub(super) fn of(&self, owner: usize) -> impl Iterator<Item = (u32, f32)> {
        let slots = owner * self.degree..(owner + 1) * self.degree;
        let links = self.ids[slots.clone()].iter().zip(&self.distances[slots]);
        links.map(|(&id, &distance)| (id, distance)).take_while(|&(id, _)| id != NO_NEIGHBOR)
    }

    pub(super) fn set(&mut self, owner: usize, links: impl Iterator<Item = (u32, f32)>) {
        let slots = owner * self.degree..(owner + 1) * self.degree;
        self.ids[slots.clone()].fill(NO_NEIGHBOR);
        let places = self.ids[slots.clone()].iter_mut().zip(&mut self.distances[slots]);
        for ((id, distance), link) in places.zip(links) {
            (*id, *distance) = link;
        }
    }
}

/// What the elements of a sample have chosen.
pub(super) struct Carried {
    /// Ascending.
    elements: Vec<u32>,
    degree: usize,
    /// Positions in `elements`.
    ids: Vec<u32>,
    distances: Vec<f32>,
}

impl Carried {
    pub(super) fn none() -> Self {
        Self { elements: Vec::new(), degree: 1, ids: Vec::new(), distances: Vec::new() }
    }

    pub(super) fn new(elements: &[u32], lists: &Lists) -> Result<Self, BuildError> {
        let (ids, distances) = (copied(&lists.ids)?, copied(&lists.distances)?);
        Ok(Self { elements: copied(elements)?, degree: lists.degree, ids, distances })
    }

    /// The elements that `element` has chosen, and their distances; none if it is not in the sample.
    fn of(&self, element: u32) -> impl Iterator<Item = (u32, f32)> {
        let slots = match self.elements.binary_search(&element) {
            Ok(position) => position * self.degree..(position + 1) * self.degree,
            Err(_) => 0..0,
        };
        let links = self.ids[slots.clone()].iter().zip(&self.distances[slots]);
        let links = links.take_while(|&(&id, _)| id != NO_NEIGHBOR);
        links.map(|(&id, &distance)| (self.elements[id as usize], distance))
    }
}

/// Candidates of a block of lists, of which the longest decides the width.
#[derive(Default)]
pub(super) struct Candidates {
    /// For each list where it ends in `links`.
    ends: Vec<usize>,
    links: Vec<(u32, f32)>,
    ids: Vec<u32>,
    distances: Vec<f32>,
    chosen: Vec<u16>,
}

impl Candidates {
    pub(super) fn clear(&mut self) {
        self.ends.clear();
        self.links.clear();
    }

    /// Adds a list, whose links differ; the nearest are taken if they are too many.
    pub(super) fn push(
        &mut self,
        links: impl Iterator<Item = (u32, f32)>,
    ) -> Result<(), BuildError> {
        let start = self.links.len();
        memory::Grow::try_extend(&mut self.links, links)?;
        let list = &mut self.links[start..];
        list.sort_unstable_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        let kept = list.len().min(MAX_CANDIDATES);
        self.links.truncate(start + kept);
        Ok(memory::Grow::try_push(&mut self.ends, self.links.len())?)
    }

    /// The ranges of lists in `links`.
    fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| start..end)
    }

    /// Has the device choose, and writes what it chose to the lists of the owners `first ..`.
    pub(super) fn choose(
        &mut self,
        batch: &mut Batch<'_>,
        leniency: f32,
        first: usize,
        lists: &mut Lists,
    ) -> Result<(), BatchError> {
        let longest = self.ranges().map(|range| range.len()).max().unwrap_or(0);
        let width = longest.max(1);
        let limit = lists.degree.min(width);
        let mut ids = std::mem::take(&mut self.ids);
        let mut distances = std::mem::take(&mut self.distances);
        let mut chosen = std::mem::take(&mut self.chosen);
        refill(&mut ids, self.ends.len() * width, NONE)?;
        refill(&mut distances, self.ends.len() * width, f32::INFINITY)?;
        refill(&mut chosen, self.ends.len() * limit, NOT_CHOSEN)?;
        for (list, range) in self.ranges().enumerate() {
            for (place, &(id, distance)) in self.links[range].iter().enumerate() {
                (ids[list * width + place], distances[list * width + place]) = (id, distance);
            }
        }
        let device = &mut batch.device;
        device
            .prune(width, &ids, &distances, limit, leniency, &mut chosen)
            .map_err(BatchError::Device)?;
        for ((list, range), chosen) in self.ranges().enumerate().zip(chosen.chunks_exact(limit)) {
            let candidates = &self.links[range];
            // Whatever a device says, what is written are candidates, each once.
            let mut next = 0;
            let links = chosen.iter().map_while(|&place| {
                let place = usize::from(place);
                let candidate = candidates.get(place).filter(|_| place >= next);
                next = place + 1;
                candidate
            });
            lists.set(first + list, links.copied());
        }
        (self.ids, self.distances, self.chosen) = (ids, distances, chosen);
        Ok(())
    }
}

fn refill<T: Copy>(items: &mut Vec<T>, len: usize, value: T) -> Result<(), BuildError> {
    items.clear();
    items.try_reserve(len).map_err(|_| BuildError::OutOfMemory)?;
    items.resize(len, value);
    Ok(())
}

impl Batch<'_> {
    /// The lists of the `elements`, or of all, which choose among the nearest of them and what was
    /// `carried`; then, where they are lists of a level, among these and what chose them.
    pub(super) fn link(
        &mut self,
        elements: Option<&[u32]>,
        data: &impl Distances,
        carried: &Carried,
        is_level: bool,
        space: &mut Space,
    ) -> Result<Lists, BatchError> {
        let count = elements.map_or(data.len(), <[u32]>::len);
        let mut lists = Lists::new(count, self.degree(), space)?;
        self.device.select(elements).map_err(BatchError::Device)?;
        let k = neighbors(self.options);
        let element = |position: u32| elements.map_or(position, |all| all[position as usize]);
        let position = |element: u32| match elements {
            None => Some(element),
            // A sample is part of the one before it.
            Some(all) => all.binary_search(&element).ok().map(|position| position as u32),
        };
        let (mut ids, mut distances) = (Vec::new(), Vec::new());
        let mut candidates = Candidates::default();
        let leniency = data.leniency();
        self.pace().run(count, |block| {
            refill(&mut ids, block.len() * k, NONE)?;
            refill(&mut distances, block.len() * k, f32::INFINITY)?;
            self.device
                .neighbors(block.clone(), k, &mut ids, &mut distances)
                .map_err(BatchError::Device)?;
            self.tick()?;
            candidates.clear();
            let found = ids.chunks_exact(k).zip(distances.chunks_exact(k));
            for (owner, (ids, distances)) in block.clone().zip(found) {
                let near = ids.iter().copied().zip(distances.iter().copied());
                let near = near.take_while(|&(id, _)| (id as usize) < count);
                // As many as 32 bits can number.
                let far = carried.of(element(owner as u32));
                let far = far.filter_map(|(id, distance)| Some((position(id)?, distance)));
                let far = far.filter(|(id, _)| !ids.contains(id));
                candidates.push(near.chain(far))?;
            }
            let first = block.start;
            candidates.choose(self, leniency, first, &mut lists)?;
            if elements.is_none() {
                self.done = block.end;
            }
            self.tick()
        })?;
        if is_level {
            self.offer(&mut lists, leniency, space)?;
        }
        Ok(lists)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_hold_what_they_are_given() {
        let mut lists = Lists::new(3, 2, &mut Space::unlimited()).expect("memory");
        lists.set(1, [(2, 1.0), (0, 3.0), (7, 9.0)].into_iter());
        lists.set(2, [(1, 1.0)].into_iter());
        assert_eq!(lists.of(0).count(), 0);
        assert_eq!(lists.of(1).collect::<Vec<_>>(), [(2, 1.0), (0, 3.0)]);
        lists.set(1, [(0, 3.0)].into_iter());
        assert_eq!(lists.of(1).collect::<Vec<_>>(), [(0, 3.0)]);
        let carried = Carried::new(&[5, 7, 9], &lists).expect("memory");
        assert_eq!(carried.of(7).collect::<Vec<_>>(), [(5, 3.0)]);
        assert_eq!(carried.of(9).collect::<Vec<_>>(), [(7, 1.0)]);
        assert_eq!(carried.of(6).count() + Carried::none().of(5).count(), 0);
    }

    #[test]
    fn candidates_are_sorted_and_bounded() {
        let mut candidates = Candidates::default();
        candidates.push([(3, 2.0), (1, 2.0), (2, 0.5)].into_iter()).expect("memory");
        candidates.push([].into_iter()).expect("memory");
        let many = (0..2 * MAX_CANDIDATES as u32).map(|id| (id, -(id as f32)));
        candidates.push(many).expect("memory");
        let lists: Vec<_> = candidates.ranges().map(|range| &candidates.links[range]).collect();
        assert_eq!(lists[0], [(2, 0.5), (1, 2.0), (3, 2.0)]);
        assert!(lists[1].is_empty());
        assert_eq!(
            (lists[2].len(), lists[2][0].0),
            (MAX_CANDIDATES, 2 * MAX_CANDIDATES as u32 - 1)
        );
    }
}
