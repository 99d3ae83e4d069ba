//! What searches of the widths that a calibration tells about do on average.

use crate::format::{CALIBRATED_EF, Calibration};

use super::question::Question;
use super::search::Search;
use crate::{Hnsw, ScanStats};

/// Sums over searches, by [`CALIBRATED_EF`].
#[derive(Default)]
pub(super) struct Sums {
    searches: u32,
    stats: ScanStats,
    expanded: [f64; CALIBRATED_EF.len()],
    of_10: RecallSums,
    of_100: RecallSums,
}

/// Elements that searches found, and those that there were.
#[derive(Default)]
struct RecallSums {
    found: [f64; CALIBRATED_EF.len()],
    there: f64,
}

impl Sums {
    /// Adds what a search for ten has cost.
    pub(super) fn add_search(&mut self, hnsw: &Hnsw, search: &Search) {
        self.searches += 1;
        self.stats.expanded += search.stats.expanded;
        self.stats.exact += search.stats.exact;
        for (sum, ef) in self.expanded.iter_mut().zip(CALIBRATED_EF) {
            *sum += search.expanded(hnsw.beam_width(ef.into()), hnsw.meta().records());
        }
    }

    /// Adds what was found, where overlooked elements are but the given share of all.
    pub(super) fn add_answer(&mut self, hnsw: &Hnsw, question: &Question, share: f64) {
        let sums = if question.k == 10 { &mut self.of_10 } else { &mut self.of_100 };
        for (sum, ef) in sums.found.iter_mut().zip(CALIBRATED_EF) {
            *sum += question.found(hnsw.beam_width(ef.into()), share);
        }
        sums.there += question.there(share);
    }

    /// Means; none where nothing was found.
    pub(super) fn mean(&self, records: u64) -> Option<Calibration> {
        if self.searches == 0 || self.of_10.there == 0.0 || self.of_100.there == 0.0 {
            return None;
        }
        let reads = self.stats.exact as f32 / self.stats.expanded.max(1) as f32;
        let mut mean =
            Calibration { records, samples: self.searches, reads, ..Calibration::default() };
        for (i, point) in mean.points.iter_mut().enumerate() {
            point.recall_10 = (self.of_10.found[i] / self.of_10.there) as f32;
            point.recall_100 = (self.of_100.found[i] / self.of_100.there) as f32;
            point.expanded = (self.expanded[i] / f64::from(self.searches)) as f32;
        }
        Some(mean)
    }
}
