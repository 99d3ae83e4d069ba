//! Building one level, and entering it from those above.

use std::cmp::Reverse;

use space::{Array, Space};
use threads::Workers;

use super::beam::{Beam, Candidate, View};
use super::distances::Distances;
use super::graph::list;
use super::links::{Link, Links, Slots, reasons};
use super::{BuildError, BuildOptions, UpperLevel};
use prune::reason;

/// So many elements are inserted one by one, before threads work side by side: two that are
/// inserted at the same time do not find one another, which does no harm among many.
const SERIAL: usize = 256;

/// Walks down the levels `above`, highest first, to the element nearest to `element`: on each
/// to the neighbor nearest to it, until there is none nearer. None if there is no level.
pub(super) fn descend<D: Distances>(
    data: &D,
    above: &[UpperLevel],
    degree: usize,
    element: u32,
) -> Option<u32> {
    let mut nearest = *above.first()?.elements.first()?;
    let mut least = data.distance(element, nearest);
    for level in above {
        let mut position = level.elements.binary_search(&nearest).ok()? as u32;
        loop {
            let from = position;
            for &neighbor in list(&level.neighbors, degree, from) {
                let candidate = level.elements[neighbor as usize];
                let distance = data.distance(element, candidate);
                if distance < least {
                    (position, nearest, least) = (neighbor, candidate, distance);
                }
            }
            if position == from {
                break;
            }
        }
    }
    Some(nearest)
}

/// Links all elements of `data`: first the `seeds`, which searches from the level above may
/// arrive at, then the others. `enter` says where the search for an element begins.
pub(super) fn build_level<D: Distances>(
    data: &D,
    seeds: &[u32],
    enter: &(impl Fn(u32) -> Option<u32> + Sync),
    options: &BuildOptions,
    space: &mut Space,
    workers: &mut Workers,
) -> Result<Array<u32>, BuildError> {
    let order = insertion_order(data.len(), seeds)?;
    let Some((&first, _)) = order.split_first() else {
        return Ok(Array::in_memory(0)?);
    };
    let mut slots = Slots::new(space, data.len(), 2 * options.m)?;
    let links = slots.links();
    let inserter = Inserter { data, links: &links, ef: options.ef_construction.max(1) };
    let scratch = || Scratch::new(data.len());
    let serial = SERIAL.min(order.len());
    let seeded = seeds.len().max(serial);
    let from_first = |scratch: &mut Scratch, element: u32| {
        if element != first {
            inserter.insert(element, first, scratch)?;
        }
        Ok(())
    };
    workers.run(1, &order[..serial], scratch, from_first)?;
    workers.run(workers.threads(), &order[serial..seeded], scratch, from_first)?;
    workers.run(workers.threads(), &order[seeded..], scratch, |scratch, element| {
        inserter.insert(element, enter(element).unwrap_or(first), scratch)
    })?;
    Ok(slots.into_ids())
}

/// The numbers 0 .. `count`, those of `seeds` (ascending) first.
fn insertion_order(count: usize, seeds: &[u32]) -> Result<Vec<u32>, BuildError> {
    let mut skipped = seeds.iter().copied().peekable();
    let others = (0..count as u32).filter(move |id| skipped.next_if_eq(id).is_none());
    let mut order = memory::with_room(count)?;
    order.extend(seeds.iter().copied().chain(others).take(count));
    Ok(order)
}

/// Working space of one thread.
struct Scratch {
    beam: Beam,
    chosen: Vec<Link>,
    list: Vec<Link>,
}

impl Scratch {
    fn new(count: usize) -> Result<Self, BuildError> {
        Ok(Self { beam: Beam::new(count)?, chosen: Vec::new(), list: Vec::new() })
    }
}

/// The level as seen from one of its elements.
struct FromElement<'a, D> {
    data: &'a D,
    links: &'a Links<'a>,
    element: u32,
}

impl<D: Distances> View for FromElement<'_, D> {
    fn neighbors(&self, id: u32) -> impl Iterator<Item = u32> {
        self.links.neighbors(id)
    }

    fn distance(&self, id: u32) -> f32 {
        self.data.distance(self.element, id)
    }

    fn expect_neighbors(&self, id: u32) {
        self.links.prefetch_neighbors(id);
    }

    fn expect_distance(&self, id: u32) {
        self.data.prefetch(id);
    }
}

/// What inserting into a level takes.
struct Inserter<'a, D> {
    data: &'a D,
    links: &'a Links<'a>,
    ef: usize,
}

impl<D: Distances> Inserter<'_, D> {
    /// Links `element` with the best of what a search from `entry` finds, both ways.
    fn insert(&self, element: u32, entry: u32, scratch: &mut Scratch) -> Result<(), BuildError> {
        let Scratch { beam, chosen, list } = scratch;
        let view = FromElement { data: self.data, links: self.links, element };
        let found = beam.search(entry, self.ef, &view)?;
        self.choose(found, chosen);
        self.links.set(element, chosen);
        for (i, link) in chosen.iter().enumerate() {
            if let Some(following) = chosen.get(i + 1) {
                self.links.prefetch(following.id);
            }
            let between = |a, b| self.data.distance(a, b);
            let leniency = self.data.leniency();
            self.links.offer(link.id, element, link.distance, leniency, between, list);
        }
        Ok(())
    }

    /// Selects neighbors from `found` (nearest first) by their reasons and then the nearest, as
    /// [`prune::select`](prune::select) does, in working space.
    fn choose(&self, found: &[Candidate], chosen: &mut Vec<Link>) {
        chosen.clear();
        let (capacity, leniency) = (self.links.capacity(), self.data.leniency());
        for &Candidate { distance, id, .. } in found {
            let nearer = reasons(chosen);
            let reason = reason(nearer, distance, leniency, |a| self.data.distance(a, id));
            chosen.push(Link { id, distance, reason });
        }
        chosen.sort_by_key(|link| Reverse(link.reason));
        chosen.truncate(capacity);
        chosen.sort_by(|a, b| a.distance.total_cmp(&b.distance));
    }
}
