//! How far the rows of a list are from its centroid: what a search need not read.
//!
//! The radius stands in the entry of the list in the list of lists, where that of a row has its tid's
//! offset: the upper half of an `f32` (bf16), rounded up, with the highest bit set.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use half::bf16;
use pages::{Batch, HeapTid, PageStore, Result};
use quant::Metric;

use crate::block::{BlockMut, ROOT};
use crate::geometry::BlockNo;
use crate::index::Ivf;
use crate::lists::List;
use crate::query::CentroidDistance;
use crate::vector::Stored;

/// Set where the radius is known: it is never negative, so this bit is free.
const KNOWN: u16 = 1 << 15;
/// What rounding of sums may add to a distance, as a part of it.
const ROUNDING: f32 = 1e-4;
/// Standard deviations of the cosine between a query and a random direction that one of the rows of a list
/// is likely to have.
const LIKELY: f32 = 2.0;

/// An upper bound of the distance between a centroid and the rows of its list, as lists are made of
/// them; of bits, of the number of those that differ. Infinite where nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct Radius(f32);

impl Radius {
    /// Of a list without rows.
    pub(crate) const NONE: Self = Self(0.0);

    /// How far the row whose vector is `stored`, and `placed` (see [`Ivf::place`]), reaches from
    /// `centroid`.
    pub(crate) fn of_row(ivf: &Ivf, stored: &Stored<'_>, placed: &[f32], centroid: &[f32]) -> Self {
        let squared = kernels::l2_squared(placed, centroid);
        let reach = match ivf.metric() {
            Metric::Hamming | Metric::L1 | Metric::Jaccard => squared,
            Metric::L2 | Metric::InnerProduct | Metric::Cosine => {
                squared.sqrt() + stored.placed_error(ivf.metric())
            }
        };
        let reach = reach * (1.0 + ROUNDING);
        Self(if reach.is_nan() { f32::INFINITY } else { reach })
    }

    /// The larger of two.
    pub(crate) fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    /// Whether rows that reach so far are within.
    pub(crate) fn covers(self, reach: Self) -> bool {
        self >= reach
    }

    /// The tid of a list's entry, whose first block is `first`.
    pub(crate) fn tid(self, first: BlockNo) -> HeapTid {
        let nearest = bf16::from_f32(self.0);
        let up = nearest.to_f32() < self.0;
        HeapTid { block: first.0, offset: nearest.to_bits().saturating_add(up.into()) | KNOWN }
    }

    /// What the tid of a list's entry says.
    pub(crate) fn of_tid(tid: HeapTid) -> Self {
        let radius = bf16::from_bits(tid.offset & !KNOWN).to_f32();
        Self(if tid.offset & KNOWN == 0 || radius.is_nan() { f32::INFINITY } else { radius })
    }

    /// The least reduced distance that a row of a list with this radius may have; `centroid` is the
    /// distance of its centroid from a query of length `norm`.
    pub(crate) fn least_reduced(
        self,
        metric: Metric,
        centroid: &CentroidDistance,
        norm: f32,
    ) -> f32 {
        let least = match metric {
            Metric::Hamming | Metric::L1 | Metric::Jaccard => centroid.reduced - self.0,
            Metric::InnerProduct => centroid.reduced - norm * self.0 * (1.0 + ROUNDING),
            Metric::L2 | Metric::Cosine => {
                let apart = centroid.reduced.sqrt() * (1.0 - ROUNDING) - self.0;
                if apart > 0.0 { apart * apart } else { 0.0 }
            }
        };
        if least.is_nan() { f32::NEG_INFINITY } else { least }
    }

    /// How far below its centroid's reduced distance the least of a list with this radius is likely to be, for
    /// a query of `dims` dimensions and length `norm`. Not 0 under inner product alone: a long row
    /// that is far from its centroid has a large product with many queries.
    pub(crate) fn likely_gain(self, metric: Metric, dims: usize, norm: f32) -> f32 {
        let cosine = (LIKELY / (dims as f32).sqrt()).min(1.0);
        let gain = norm * self.0 * cosine;
        if metric == Metric::InnerProduct && gain.is_finite() { gain } else { 0.0 }
    }
}

/// Lets the entry of a list say that its rows reach so far: before such a row is added, so that no
/// search leaves it out. Returns whether the list is still there.
pub(crate) fn raise<S: PageStore>(
    store: &S,
    ivf: &Ivf,
    list: &List,
    reach: Radius,
) -> Result<bool> {
    let geometry = ivf.geometry();
    let mut root = None;
    ivf.blocks_of(store, (ivf.meta().root, ROOT), |no, block| {
        let listed = block.entries().any(|(_, entry)| entry.vector == list.entry.vector);
        root = listed.then_some(no);
        Ok(!listed)
    })?;
    let Some(no) = root else { return Ok(false) };
    let mut batch = store.batch();
    let mut block = BlockMut::open(batch.page(no.page(geometry))?, no, ROOT, geometry)?;
    let found = block.as_ref().entries().find(|(_, entry)| entry.vector == list.entry.vector);
    let Some((slot, entry)) = found else { return Ok(false) };
    let radius = List::of(entry).radius();
    if !radius.covers(reach) {
        block.set_tid(slot, reach.tid(List::of(entry).first));
        batch.commit()?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tids_hold_no_less() {
        let first = BlockNo(77);
        for radius in [0.0, 1e-40, 1e-3, 0.999, 1.0, 1.001, 12_345.6, f32::MAX, f32::INFINITY] {
            let tid = Radius(radius).tid(first);
            let stored = Radius::of_tid(tid);
            assert_eq!(tid.block, 77);
            assert!(stored.covers(Radius(radius)), "{radius}: {stored:?}");
            assert!(
                stored.0 <= radius * 1.01 || radius < 1e-30 || stored.0.is_infinite(),
                "{stored:?}"
            );
        }
        // What an entry said before there were radii.
        assert_eq!(Radius::of_tid(HeapTid { block: 77, offset: 1 }), Radius(f32::INFINITY));
    }

    #[test]
    fn a_list_holds_nothing_nearer_than_its_least_distance() {
        let centroid = CentroidDistance::of_reduced(25.0);
        assert!((Radius(2.0).least_reduced(Metric::L2, &centroid, 1.0) - 9.0).abs() < 0.02);
        assert_eq!(Radius(6.0).least_reduced(Metric::L2, &centroid, 1.0), 0.0);
        assert_eq!(Radius(6.0).least_reduced(Metric::Hamming, &centroid, 1.0), 19.0);
        let product = CentroidDistance::of_reduced(-3.0);
        assert!(
            (Radius(2.0).least_reduced(Metric::InnerProduct, &product, 4.0) + 11.0).abs() < 0.01
        );
        let unknown = Radius(f32::INFINITY);
        assert_eq!(unknown.least_reduced(Metric::InnerProduct, &product, 0.0), f32::NEG_INFINITY);
        assert_eq!(unknown.least_reduced(Metric::L2, &centroid, 1.0), 0.0);
    }

    #[test]
    fn long_rows_gain_by_inner_product() {
        let gain = |radius, metric, dims| Radius(radius).likely_gain(metric, dims, 4.0);
        assert_eq!(gain(3.0, Metric::InnerProduct, 64), 3.0);
        assert_eq!(gain(3.0, Metric::InnerProduct, 2), 12.0, "at most what the radius allows");
        assert_eq!(gain(3.0, Metric::L2, 64), 0.0);
        assert_eq!(gain(f32::INFINITY, Metric::InnerProduct, 64), 0.0, "nothing is known");
    }
}
