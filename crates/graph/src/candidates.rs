//! Elements that may become the neighbors of a new one.

use std::cell::OnceCell;

use memory::{OutOfMemory, with_room};
use vectors::bits::reduced_distance_bits;
use vectors::{Form, VectorBuf, reduced_distance, reduced_distance_f16};

use crate::Hnsw;
use crate::format::{NodeNo, State};
use crate::stored::normalized_scale;
use crate::walk::Visit;
use prune::Reason;

/// The nearest live elements that a search has visited, as their records hold them: only those that
/// are chosen are worth widening.
#[derive(Debug)]
pub(crate) struct Candidates {
    limit: usize,
    list: Vec<Candidate>,
}

#[derive(Debug)]
struct Candidate {
    node: NodeNo,
    version: u32,
    distance: f32,
    /// The vector as it is stored.
    stored: Vec<u8>,
    /// As [`normalized_scale`] gives it.
    scale: f32,
    /// As [`Hnsw::normalized`] gives it, once it was asked for.
    vector: OnceCell<VectorBuf>,
}

/// An element chosen to be a neighbor.
#[derive(Debug)]
pub(crate) struct Neighbor {
    pub(crate) node: NodeNo,
    /// Life of its record in which its vector was read.
    pub(crate) version: u32,
    /// As [`Hnsw::normalized`] gives it.
    pub(crate) vector: VectorBuf,
    pub(crate) reason: Reason,
}

impl Candidates {
    /// None yet, and room for `limit`.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, list: Vec::with_capacity(limit) }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Takes an element in if it is live, and gives up the farthest where there is no room.
    pub(crate) fn offer(&mut self, hnsw: &Hnsw, visit: &Visit<'_>) {
        if visit.record.state() != State::Live {
            return;
        }
        let mut candidate = Candidate {
            node: visit.node,
            version: visit.record.version(),
            distance: visit.exact.reduced,
            stored: Vec::new(),
            scale: normalized_scale(hnsw, &visit.record.element()),
            vector: OnceCell::new(),
        };
        if self.list.len() < self.limit {
            candidate.stored = visit.record.vector().to_vec();
            self.list.push(candidate);
        } else if let Some(farthest) =
            self.list.iter_mut().max_by(|a, b| a.distance.total_cmp(&b.distance))
            && candidate.distance < farthest.distance
        {
            candidate.stored = std::mem::take(&mut farthest.stored);
            candidate.stored.clear();
            candidate.stored.extend_from_slice(visit.record.vector());
            *farthest = candidate;
        }
    }

    /// The neighbors of the new element, nearest first, by the heuristic. Some slots stay empty, for
    /// edges back from elements that come later: filling all would double what is written, and searches
    /// find no more. `own` is its vector as it is stored, as [`Hnsw::normalized`] gives it.
    ///
    /// # Errors
    /// [`OutOfMemory`].
    pub(crate) fn choose(
        mut self,
        hnsw: &Hnsw,
        own: &VectorBuf,
    ) -> Result<Vec<Neighbor>, OutOfMemory> {
        // Many wide vectors are better refused at once than one by one.
        drop(with_room::<f32>(self.list.len() * hnsw.geometry().coded_space())?);
        if hnsw.geometry().form.is_rotated() {
            // What rounding lost counts between two candidates, so it has to count here: all would
            // else seem diverse.
            for candidate in &mut self.list {
                candidate.distance = reduced_distance(hnsw.metric(), own, candidate.widened(hnsw));
            }
        }
        self.list.sort_unstable_by(|a, b| a.distance.total_cmp(&b.distance));
        let list = &self.list;
        let distances: Vec<f32> = list.iter().map(|candidate| candidate.distance).collect();
        let m = usize::from(hnsw.meta().m);
        let leniency = prune::leniency(hnsw.metric());
        let widened = |i: usize| list[i].widened(hnsw);
        let kept =
            prune::select(&distances, m + m / 4, leniency, |i, j| match hnsw.geometry().form {
                Form::Halves => {
                    let (halves, scale) = (list[i].stored.as_chunks().0, list[i].scale);
                    reduced_distance_f16(hnsw.metric(), widened(j).values(), halves, scale)
                }
                Form::Floats | Form::Bytes | Form::Sq8 | Form::Rabitq | Form::Sparse => {
                    reduced_distance(hnsw.metric(), widened(i), widened(j))
                }
                Form::Bits => {
                    reduced_distance_bits(hnsw.metric(), &list[i].stored, &list[j].stored)
                }
            });
        let neighbor = |(index, reason): (usize, Reason)| Neighbor {
            node: list[index].node,
            version: list[index].version,
            vector: list[index].widened(hnsw).clone(),
            reason,
        };
        Ok(kept.into_iter().map(neighbor).collect())
    }
}

impl Candidate {
    /// The vector as [`Hnsw::normalized`] gives it.
    fn widened(&self, hnsw: &Hnsw) -> &VectorBuf {
        self.vector.get_or_init(|| hnsw.holder().widened(&self.stored, self.scale))
    }
}
