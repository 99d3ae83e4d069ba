//! What a search should have found.

use memory::{Grow, copied};
use pages::{PageStore, Result};
use vectors::VectorBuf;

use super::WIDEST;
use super::search::{Row, Search, Visited, found, search};
use crate::Hnsw;
use crate::exact::ExactQuery;
use crate::format::{NodeNo, Record};

/// A query for the `k` nearest elements, and what its search found.
pub(super) struct Question {
    pub(super) k: usize,
    /// The element that is not there.
    without: NodeNo,
    query: VectorBuf,
    exact: ExactQuery,
    /// The `k` nearest elements that the search visited, and those as far as the farthest.
    nearest: Vec<Visited>,
    /// Elements nearer than the farthest of these that it did not visit, and the width of the
    /// narrowest beam that does: [`usize::MAX`] where none is known.
    overlooked: Vec<Visited>,
}

impl Question {
    pub(super) fn new(
        hnsw: &Hnsw,
        row: &Row,
        query: &VectorBuf,
        search: &Search,
        k: usize,
    ) -> Result<Self> {
        Ok(Self {
            k,
            without: row.node,
            query: query.clone(),
            exact: ExactQuery::new(hnsw.holder(), query.view()),
            nearest: copied(search.nearest(k))?,
            overlooked: Vec::new(),
        })
    }

    /// Notes an element that may be one of the nearest.
    pub(super) fn compare(&mut self, node: NodeNo, record: &Record<'_>) -> Result<()> {
        let distance = self.exact.measure(record).reduced;
        let farthest =
            self.nearest.get(self.k - 1).map_or(f32::INFINITY, |visited| visited.distance);
        let known = || self.nearest.iter().any(|visited| visited.node == node);
        if distance < farthest && node != self.without && !known() {
            self.overlooked.try_push(Visited { distance, node, width: usize::MAX })?;
        }
        Ok(())
    }

    /// Searches again, as widely as is ever tried, where elements were overlooked.
    pub(super) fn look_again<S: PageStore>(&mut self, store: &S, hnsw: &Hnsw) -> Result<()> {
        if self.overlooked.is_empty() {
            return Ok(());
        }
        let search = search(store, hnsw, self.without, &self.query, WIDEST)?;
        for visited in &search.visited {
            let same = |one: &&mut Visited| one.node == visited.node;
            if let Some(one) = self.overlooked.iter_mut().find(same) {
                one.width = visited.width;
            }
        }
        Ok(())
    }

    /// How many of the nearest elements a beam of `width` visits, where the overlooked ones are but
    /// the given share of all: each of these takes the place of one that was found.
    pub(super) fn found(&self, width: usize, share: f64) -> f64 {
        let nearest = found(&self.nearest, self.k, width) as f64 / self.known().max(1) as f64;
        let overlooked = self.overlooked.iter().filter(|visited| visited.width <= width).count();
        let overlooked = overlooked as f64 / self.overlooked.len().max(1) as f64;
        let lost = self.lost(share);
        nearest * (self.there(share) - lost) + overlooked * lost
    }

    /// How many nearest elements there are: `k` but in a small index.
    pub(super) fn there(&self, share: f64) -> f64 {
        (self.known() as f64 + self.lost(share)).min(self.k as f64)
    }

    fn known(&self) -> usize {
        self.nearest.len().min(self.k)
    }

    fn lost(&self, share: f64) -> f64 {
        (self.overlooked.len() as f64 / share).min(self.k as f64)
    }
}
