//! The frontier of a search.

use memory::{Grow, OutOfMemory, Result, copied, with_room};

use crate::format::NodeNo;

/// About how many edges of a spill lead to the same element, or to one that was expanded since.
const REPEATS: usize = 4;

/// Edges in a spill from which on those that lead nowhere new are dropped, whatever it costs.
const MANY: usize = 1 << 16;

/// One edge that leads to an element, with the estimated distance of that element.
///
/// An element that several expanded elements point at has several entries, with different
/// estimates: codes are relative to the owner of the edge, and "first estimate wins" was measured
/// to need a third more expansions.
#[derive(Debug, Clone, Copy)]
struct Entry {
    distance: f32,
    node: NodeNo,
    taken: bool,
}

/// The best edges seen so far, in order of their estimates, at most `width` of them. The others
/// wait in a spill, for a search that is asked to go on.
#[derive(Debug)]
pub(crate) struct Beam {
    entries: Vec<Entry>,
    width: usize,
    /// No entry before this one is open.
    first_open: usize,
    /// Place of the farthest entry taken so far.
    deepest: usize,
    /// Distance of the entry taken last.
    latest: f32,
    spill: Option<Vec<(f32, NodeNo)>>,
}

impl Beam {
    /// An empty beam; `resumable` ones remember what does not fit.
    pub(crate) fn new(width: usize, resumable: bool) -> Result<Self> {
        Ok(Self {
            entries: with_room(width + 1)?,
            width,
            first_open: 0,
            deepest: 0,
            latest: f32::INFINITY,
            spill: resumable.then(Vec::new),
        })
    }

    /// The distance that an edge must be below to enter.
    pub(crate) fn bound(&self) -> f32 {
        match self.entries.last() {
            Some(last) if self.entries.len() >= self.width => last.distance,
            _ => f32::INFINITY,
        }
    }

    /// Adds an edge. Below [`Beam::bound`] it enters, otherwise it is spilled.
    pub(crate) fn push(&mut self, distance: f32, node: NodeNo) -> Result<()> {
        if self.entries.len() >= self.width {
            if distance >= self.bound() {
                return self.spill_edge(distance, node);
            }
            if let Some(worst) = self.entries.pop()
                && !worst.taken
            {
                self.spill_edge(worst.distance, worst.node)?;
            }
        }
        if self.entries.len() == self.entries.capacity() {
            self.entries.try_reserve(1).map_err(|_| OutOfMemory)?;
        }
        let at = self.entries.partition_point(|entry| entry.distance <= distance);
        self.entries.insert(at, Entry { distance, node, taken: false });
        self.first_open = self.first_open.min(at);
        Ok(())
    }

    /// Takes the nearest open entry for which `fresh` holds. Others are dropped: they lead to
    /// elements that have been expanded from another edge.
    ///
    /// # Errors
    /// Those of `fresh`.
    pub(crate) fn pop(
        &mut self,
        mut fresh: impl FnMut(NodeNo) -> Result<bool>,
    ) -> Result<Option<NodeNo>> {
        loop {
            let open = self.entries.get(self.first_open..).unwrap_or_default();
            let ahead = open.iter().position(|entry| !entry.taken);
            self.first_open = ahead.map_or(self.entries.len(), |ahead| self.first_open + ahead);
            let Some(entry) = self.entries.get_mut(self.first_open) else { return Ok(None) };
            if fresh(entry.node)? {
                entry.taken = true;
                self.latest = entry.distance;
                self.first_open += 1;
                self.deepest = self.deepest.max(self.first_open);
                return Ok(Some(entry.node));
            }
            self.entries.remove(self.first_open);
        }
    }

    /// The nearest open entries, those to be taken next.
    pub(crate) fn ahead(&self) -> impl Iterator<Item = NodeNo> {
        let open = self.entries[self.first_open..].iter().filter(|entry| !entry.taken);
        open.map(|entry| entry.node)
    }

    /// Widens the beam and lets the best of the spill in: edges to elements for which `fresh` holds,
    /// the best of those to the same element. False where there is none.
    pub(crate) fn widen(&mut self, width: usize, fresh: impl Fn(NodeNo) -> bool) -> Result<bool> {
        self.width = self.width.max(width);
        let mut widened = false;
        if let Some(spill) = self.spill.as_mut().filter(|spill| spill.len() > MANY) {
            best_of_each(spill, &fresh);
        }
        while let Some(spill) = self.spill.as_mut().filter(|spill| !spill.is_empty()) {
            let room = self.width.saturating_sub(self.entries.len());
            if room == 0 {
                break;
            }
            // A spill is many times as long as the room: only its best edges are put in order.
            let rest = spill.len().saturating_sub(room * REPEATS);
            spill.select_nth_unstable_by(rest, |a, b| b.0.total_cmp(&a.0));
            let mut edges = copied(&spill[rest..])?;
            spill.truncate(rest);
            best_of_each(&mut edges, &fresh);
            edges.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
            widened |= !edges.is_empty();
            // Those for which there is no room are spilled again.
            for (distance, node) in edges {
                self.push(distance, node)?;
            }
        }
        Ok(widened)
    }

    /// Width of the narrowest beam that takes all that was taken so far: one of `w` entries takes
    /// the same ones in the same order as a wider one, until that takes one behind the first `w`.
    /// (Nearly: repeats that were dropped have made room.)
    pub(crate) fn deepest(&self) -> usize {
        self.deepest
    }

    /// Estimated distance of the element taken last.
    pub(crate) fn latest(&self) -> f32 {
        self.latest
    }

    /// Bytes in use.
    pub(crate) fn memory(&self) -> usize {
        size_of::<Entry>() * self.entries.capacity()
            + self.spill.as_ref().map_or(0, |spill| size_of::<(f32, NodeNo)>() * spill.len())
    }

    fn spill_edge(&mut self, distance: f32, node: NodeNo) -> Result<()> {
        self.spill.as_mut().map_or(Ok(()), |spill| spill.try_push((distance, node)))
    }
}

/// Keeps the best edge to each element for which `fresh` holds.
fn best_of_each(edges: &mut Vec<(f32, NodeNo)>, fresh: impl Fn(NodeNo) -> bool) {
    edges.retain(|&(_, node)| fresh(node));
    edges.sort_unstable_by(|a, b| a.1.cmp(&b.1).then(a.0.total_cmp(&b.0)));
    edges.dedup_by_key(|edge| edge.1);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(beam: &mut Beam) -> Vec<u32> {
        std::iter::from_fn(|| beam.pop(|_| Ok(true)).expect("memory")).map(|node| node.0).collect()
    }

    #[test]
    fn takes_the_nearest_first_and_spills_the_rest() {
        let mut beam = Beam::new(3, true).expect("memory");
        for (distance, node) in [(5.0, 5), (1.0, 1), (4.0, 4), (2.0, 2), (9.0, 9)] {
            beam.push(distance, NodeNo(node)).expect("memory");
        }
        assert_eq!(beam.pop(|_| Ok(true)), Ok(Some(NodeNo(1))));
        beam.push(0.5, NodeNo(0)).expect("memory");
        assert_eq!(drain(&mut beam), [0, 2]);
        assert_eq!(beam.widen(6, |_| true), Ok(true));
        assert_eq!(drain(&mut beam), [4, 5, 9]);
        assert_eq!(beam.widen(100, |_| true), Ok(false));
        beam.push(7.0, NodeNo(7)).expect("memory");
        beam.push(8.0, NodeNo(8)).expect("memory");
        assert_eq!(beam.pop(|node| Ok(node != NodeNo(7))), Ok(Some(NodeNo(8))));
    }

    #[test]
    fn a_long_spill_keeps_one_edge_to_each_element() {
        let mut beam = Beam::new(1, true).expect("memory");
        for i in 0..MANY + 10 {
            beam.push(i as f32, NodeNo((i % 100) as u32)).expect("memory");
        }
        let long = beam.memory();
        assert_eq!(beam.widen(2, |_| true), Ok(true));
        assert!(beam.memory() < long / 100);
        beam.widen(1_000, |_| true).expect("memory");
        assert_eq!(drain(&mut beam).len(), 101, "the first, and one of each element");
    }
}
