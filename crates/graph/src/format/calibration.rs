//! What searches of an index cost and find: measured after a build, kept in the metapage.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

/// Search widths at which an index is calibrated, ascending.
pub const CALIBRATED_EF: [u16; 9] = [5, 10, 20, 40, 80, 160, 320, 640, 1280];

/// How searches of an index behave. Without samples nothing was measured.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Calibration {
    /// Records ever used in the index when it was measured, less those that were freed since.
    pub records: u64,
    /// Searches that were measured.
    pub samples: u32,
    /// Records read for each element expanded, 1 where codes tell how far neighbors are.
    pub reads: f32,
    /// What was measured at each of [`CALIBRATED_EF`].
    pub points: [CalibrationPoint; CALIBRATED_EF.len()],
}

/// Searches of one width, on average.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CalibrationPoint {
    /// Share of the 10 nearest elements that is found, 0..=1.
    pub recall_10: f32,
    /// Share of the 100 nearest elements that is found, 0..=1.
    pub recall_100: f32,
    /// Elements expanded, on all levels.
    pub expanded: f32,
}

impl Calibration {
    /// Whether anything was measured, and all figures are possible ones.
    pub(crate) fn is_sound(&self) -> bool {
        let share = |x: f32| (0.0..=1.0).contains(&x);
        let count = |x: f32| (0.0..1e9).contains(&x);
        self.samples > 0
            && count(self.reads)
            && self.points.iter().all(|point| {
                share(point.recall_10) && share(point.recall_100) && count(point.expanded)
            })
    }
}
