//! Offering elements to those that they have chosen.

use memory::filled;
use space::{Array, Space};

use super::lists::{Candidates, Lists};
use super::{Batch, BatchError};

/// Lists that are looked at between two looks for a request to stop.
const LISTS_PER_TICK: usize = 1 << 14;

/// For each element, those that have chosen it, ascending.
struct Offers {
    starts: Vec<usize>,
    owners: Array<u32>,
    distances: Array<f32>,
}

impl Offers {
    /// What the lists say, by counting.
    fn of(
        lists: &Lists,
        space: &mut Space,
        tick: &mut dyn FnMut() -> Result<(), BatchError>,
    ) -> Result<Self, BatchError> {
        // One place more, as positions are kept one behind until all are filled.
        let mut starts = filled(lists.len() + 2, 0usize)?;
        for owner in 0..lists.len() {
            lists.of(owner).for_each(|(id, _)| starts[id as usize + 2] += 1);
            if owner % LISTS_PER_TICK == 0 {
                tick()?;
            }
        }
        for i in 2..starts.len() {
            starts[i] += starts[i - 1];
        }
        let total = starts.last().copied().unwrap_or(0);
        let mut owners = space.array(total)?;
        let mut distances = space.array(total)?;
        for owner in 0..lists.len() {
            for (id, distance) in lists.of(owner) {
                let place = &mut starts[id as usize + 1];
                // As many as 32 bits can number.
                (owners[*place], distances[*place]) = (owner as u32, distance);
                *place += 1;
            }
            if owner % LISTS_PER_TICK == 0 {
                tick()?;
            }
        }
        Ok(Self { starts, owners, distances })
    }

    fn to(&self, id: usize) -> impl Iterator<Item = (u32, f32)> {
        let range = self.starts[id]..self.starts[id + 1];
        let owners = self.owners[range.clone()].iter().copied();
        owners.zip(self.distances[range].iter().copied())
    }

    fn bytes(&self) -> usize {
        self.owners.len() * size_of::<(u32, f32)>()
    }
}

impl Batch<'_> {
    /// Offers each owner to its neighbors; all choose again.
    pub(super) fn offer(
        &mut self,
        lists: &mut Lists,
        leniency: f32,
        space: &mut Space,
    ) -> Result<(), BatchError> {
        let offers = Offers::of(lists, space, &mut || self.tick())?;
        let mut candidates = Candidates::default();
        let mut own: Vec<u32> = Vec::new();
        self.pace().run(lists.len(), |block| {
            candidates.clear();
            for owner in block.clone() {
                own.clear();
                own.extend(lists.of(owner).map(|(id, _)| id));
                let new = offers.to(owner).filter(|(id, _)| !own.contains(id));
                candidates.push(lists.of(owner).chain(new))?;
            }
            candidates.choose(self, leniency, block.start, lists)?;
            self.tick()
        })?;
        space.give_back(offers.bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_turn_lists_around() {
        let mut lists = Lists::new(4, 2, &mut Space::unlimited()).expect("memory");
        lists.set(0, [(2, 1.0), (3, 2.0)].into_iter());
        lists.set(1, [(2, 5.0)].into_iter());
        lists.set(3, [(2, 4.0), (0, 2.0)].into_iter());
        let offers = Offers::of(&lists, &mut Space::unlimited(), &mut || Ok(())).expect("memory");
        let to = |id| offers.to(id).collect::<Vec<_>>();
        assert_eq!(to(0), [(3, 2.0)]);
        assert_eq!(to(1), []);
        assert_eq!(to(2), [(0, 1.0), (1, 5.0), (3, 4.0)]);
        assert_eq!(to(3), [(0, 2.0)]);
    }
}
