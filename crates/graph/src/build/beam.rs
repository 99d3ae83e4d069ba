//! The search for the elements nearest to a point.

use memory::Grow;

use super::BuildError;

/// How many vectors are asked for before they are compared.
const AHEAD: usize = 4;

/// A graph as seen from a query.
pub(super) trait View {
    /// The neighbors of element `id`.
    fn neighbors(&self, id: u32) -> impl Iterator<Item = u32>;

    /// How far element `id` is from the query; never NaN.
    fn distance(&self, id: u32) -> f32;

    /// Says that [`neighbors`](Self::neighbors) of `id` will be asked for soon.
    fn expect_neighbors(&self, id: u32) {
        let _ = id;
    }

    /// Says that [`distance`](Self::distance) of `id` will be asked for soon.
    fn expect_distance(&self, id: u32) {
        let _ = id;
    }
}

/// An element found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    pub(super) distance: f32,
    pub(super) id: u32,
    /// Whether its neighbors are still to be looked at.
    open: bool,
}

/// Working space of searches among a fixed number of elements.
pub(super) struct Beam {
    /// The best so far, nearest first.
    pool: Vec<Candidate>,
    /// A bit for each element.
    visited: Vec<u64>,
    /// The elements whose bits are set.
    touched: Vec<u32>,
    /// Unvisited neighbors of the element at hand.
    fresh: Vec<u32>,
    /// Elements whose neighbors the latest search looked at.
    expanded: usize,
}

impl Beam {
    /// A beam for elements number 0 .. `count`.
    pub(super) fn new(count: usize) -> Result<Self, BuildError> {
        Ok(Self {
            pool: Vec::new(),
            visited: memory::filled(count.div_ceil(64), 0)?,
            touched: Vec::new(),
            fresh: Vec::new(),
            expanded: 0,
        })
    }

    /// Finds the `ef` elements of least distance that lead to one another from `entry`, nearest
    /// first (algorithm 2 of the HNSW paper, with one list for candidates and results).
    ///
    /// # Errors
    /// [`BuildError::OutOfMemory`].
    pub(super) fn search(
        &mut self,
        entry: u32,
        ef: usize,
        view: &impl View,
    ) -> Result<&[Candidate], BuildError> {
        for id in self.touched.drain(..) {
            self.visited[id as usize / 64] = 0;
        }
        self.pool.clear();
        self.expanded = 0;
        self.visit(entry)?;
        self.pool.push(Candidate { distance: view.distance(entry), id: entry, open: true });
        let mut next = 0;
        while let Some(candidate) = self.pool.get_mut(next) {
            if std::mem::take(&mut candidate.open) {
                let id = candidate.id;
                next += 1;
                if let Some(following) = self.pool[next..].iter().find(|other| other.open) {
                    view.expect_neighbors(following.id);
                }
                next = next.min(self.expand(id, ef, view)?);
            } else {
                next += 1;
            }
        }
        Ok(&self.pool)
    }

    /// Offers the unvisited neighbors of element `id` to the pool; the first position changed.
    fn expand(&mut self, id: u32, ef: usize, view: &impl View) -> Result<usize, BuildError> {
        self.expanded += 1;
        let mut fresh = std::mem::take(&mut self.fresh);
        for id in view.neighbors(id) {
            if self.visit(id)? {
                fresh.push(id);
            }
        }
        fresh.iter().take(AHEAD).for_each(|&id| view.expect_distance(id));
        let mut changed = usize::MAX;
        for (i, &id) in fresh.iter().enumerate() {
            if let Some(&later) = fresh.get(i + AHEAD) {
                view.expect_distance(later);
            }
            changed = changed.min(self.offer(id, view.distance(id), ef));
        }
        fresh.clear();
        self.fresh = fresh;
        Ok(changed)
    }

    /// How many elements the latest search looked at the neighbors of.
    pub(super) fn expanded(&self) -> usize {
        self.expanded
    }

    /// Marks an element; whether it was not marked yet.
    fn visit(&mut self, id: u32) -> Result<bool, BuildError> {
        let (word, bit) = (&mut self.visited[id as usize / 64], 1u64 << (id % 64));
        let unvisited = *word & bit == 0;
        if unvisited {
            self.touched.try_push(id)?;
            *word |= bit;
        }
        Ok(unvisited)
    }

    /// Puts an element into the pool of at most `ef` if it is near enough. Returns its position
    /// or, if it is not taken, a larger number.
    fn offer(&mut self, id: u32, distance: f32, ef: usize) -> usize {
        if self.pool.len() >= ef {
            if self.pool.last().is_some_and(|worst| distance >= worst.distance) {
                return usize::MAX;
            }
            self.pool.pop();
        }
        let position = self.pool.partition_point(|other| other.distance <= distance);
        self.pool.insert(position, Candidate { distance, id, open: true });
        position
    }
}
