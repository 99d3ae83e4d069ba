//! The neighbor lists of one level while it is built.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use space::{Array, Space};

use super::{BuildError, NO_NEIGHBOR};
use prune::{Reason, beside, reason};

/// Locks that the lists share.
const STRIPES: usize = 1024;

/// A neighbor in a list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Link {
    pub(super) id: u32,
    /// Distance to the owner of the list.
    pub(super) distance: f32,
    /// Why it is in the list.
    pub(super) reason: Reason,
}

impl Link {
    /// The distance in a word, whose two lowest bits, worth one part in four million, are the reason.
    fn pack(self) -> u32 {
        self.distance.to_bits() & !3 | self.reason as u32
    }

    fn unpack(id: u32, packed: u32) -> Self {
        let reason = match packed & 3 {
            0 => Reason::Fills,
            1 => Reason::Lenient,
            _ => Reason::Diverse,
        };
        Self { id, distance: f32::from_bits(packed & !3), reason }
    }
}

/// Neighbors and why they are in their list.
pub(super) fn reasons(links: &[Link]) -> impl Iterator<Item = (u32, Reason)> {
    links.iter().map(|link| (link.id, link.reason))
}

/// The arrays that the lists of a level are in.
pub(super) struct Slots {
    capacity: usize,
    ids: Array<u32>,
    packed: Array<u32>,
}

impl Slots {
    /// Empty lists of `capacity` neighbors for `count` elements.
    pub(super) fn new(
        space: &mut Space,
        count: usize,
        capacity: usize,
    ) -> Result<Self, BuildError> {
        let slots = count.checked_mul(capacity).ok_or(BuildError::OutOfMemory)?;
        let mut ids = space.array(slots)?;
        ids.fill(NO_NEIGHBOR);
        Ok(Self { capacity, ids, packed: space.array(slots)? })
    }

    /// The lists, for several threads.
    pub(super) fn links(&mut self) -> Links<'_> {
        Links {
            capacity: self.capacity,
            ids: self.ids.shared(),
            packed: self.packed.shared(),
            stripes: (0..STRIPES).map(|_| Mutex::new(())).collect(),
        }
    }

    /// All slots, list after list, without the distances.
    pub(super) fn into_ids(self) -> Array<u32> {
        self.ids
    }
}

/// Neighbor lists of a fixed capacity. Reading takes no lock: a reader that meets a writer may
/// see a neighbor twice or miss one, which a search survives.
pub(super) struct Links<'a> {
    capacity: usize,
    ids: &'a [AtomicU32],
    packed: &'a [AtomicU32],
    stripes: Vec<Mutex<()>>,
}

impl Links<'_> {
    /// Most neighbors of a list.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// The neighbors of `element`, nearest first.
    pub(super) fn neighbors(&self, element: u32) -> impl Iterator<Item = u32> {
        let start = element as usize * self.capacity;
        let ids = self.ids[start..start + self.capacity].iter();
        ids.map(|id| id.load(Relaxed)).take_while(|&id| id != NO_NEIGHBOR)
    }

    /// Has the neighbors of `element` loaded into the processor's caches.
    pub(super) fn prefetch_neighbors(&self, element: u32) {
        kernels::prefetch(&self.ids[element as usize * self.capacity..][..self.capacity]);
    }

    /// The same with their distances.
    pub(super) fn prefetch(&self, element: u32) {
        self.prefetch_neighbors(element);
        kernels::prefetch(&self.packed[element as usize * self.capacity..][..self.capacity]);
    }

    /// Gives a new element its list, at most `capacity` neighbors and nearest first.
    pub(super) fn set(&self, element: u32, list: &[Link]) {
        let _guard = self.lock(element);
        self.store(element, 0, list);
    }

    /// Offers `element` the neighbor `id` at distance `distance`. A full list then drops the farthest
    /// of those with the least reason; this may be the new one.
    ///
    /// `between` is the distance between two neighbors; `list` is working space.
    pub(super) fn offer(
        &self,
        element: u32,
        id: u32,
        distance: f32,
        leniency: f32,
        between: impl Fn(u32, u32) -> f32,
        list: &mut Vec<Link>,
    ) {
        let _guard = self.lock(element);
        self.load(element, list);
        let full = list.len() == self.capacity;
        let at = list.partition_point(|link| link.distance <= distance);
        if full && at == list.len() && list.iter().all(|link| link.reason == Reason::Diverse) {
            return;
        }
        let (nearer, farther) = list.split_at_mut(at);
        if nearer.iter().any(|link| link.id == id) {
            return;
        }
        let new = Link {
            id,
            distance,
            reason: reason(reasons(nearer), distance, leniency, |a| between(a, id)),
        };
        if full
            && nearer.iter().all(|link| link.reason >= new.reason)
            && farther.iter().all(|link| link.reason > new.reason)
        {
            return;
        }
        if new.reason > Reason::Fills {
            for link in farther.iter_mut().filter(|link| link.reason > Reason::Fills) {
                let between = between(id, link.id);
                link.reason = link.reason.min(beside(new.reason, link.distance, leniency, between));
            }
        }
        list.insert(at, new);
        let mut changed = at;
        if full {
            let least = list.iter().map(|link| link.reason).min();
            let dropped = list.iter().rposition(|link| Some(link.reason) == least);
            let dropped = dropped.unwrap_or(list.len() - 1);
            list.remove(dropped);
            changed = changed.min(dropped);
        }
        self.store(element, changed, list);
    }

    fn lock(&self, element: u32) -> MutexGuard<'_, ()> {
        // A thread that panicked ends the whole build; until then its list is still a list.
        self.stripes[element as usize % STRIPES].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Copies the list of `element` to `list`.
    pub(super) fn load(&self, element: u32, list: &mut Vec<Link>) {
        list.clear();
        let packed = &self.packed[element as usize * self.capacity..];
        let links = self.neighbors(element).zip(packed);
        list.extend(links.map(|(id, packed)| Link::unpack(id, packed.load(Relaxed))));
    }

    /// Writes the links from position `from` on; those before are as they were.
    fn store(&self, element: u32, from: usize, list: &[Link]) {
        let start = element as usize * self.capacity;
        for (i, link) in list.iter().enumerate().skip(from) {
            self.ids[start + i].store(link.id, Relaxed);
            self.packed[start + i].store(link.pack(), Relaxed);
        }
    }
}
