//! How wide to search: read off an index's calibration.

use crate::format::{CALIBRATED_EF, Calibration};

/// The least `ef` whose searches find `target` (a share below 1) of the `k` nearest, by the
/// calibration: the greatest calibrated one where none does.
///
/// Between two calibrated widths the share that is missed falls as a power of the width; between
/// 10 and 100 rows, and beyond, the width grows as a power of their number.
pub fn ef_for_recall(calibration: &Calibration, target: f64, k: usize) -> usize {
    let of_10 = least_ef(calibration, target, |i| calibration.points[i].recall_10);
    if k <= 10 {
        return of_10.ceil() as usize;
    }
    let of_100 = least_ef(calibration, target, |i| calibration.points[i].recall_100).max(of_10);
    let decades = (k as f64 / 10.0).log10();
    let ef = if decades < 1.0 {
        of_10 * (of_100 / of_10).powf(decades)
    } else {
        of_100 * (k as f64 / 100.0)
    };
    (ef.ceil() as usize).max(k)
}

/// Share of the ten nearest that a search finds whose width nobody has chosen, and the width that
/// it takes for that at most.
pub const DEFAULT_RECALL: f64 = 0.95;
const WIDEST_DEFAULT: usize = 400;

/// The width of a search for which none was set: `ef`, or as much more as it takes to find
/// [`DEFAULT_RECALL`] of the ten nearest, up to 400.
pub fn default_ef(calibration: &Calibration, ef: usize) -> usize {
    let enough = ef_for_recall(calibration, DEFAULT_RECALL, 10);
    ef.max(enough.min(WIDEST_DEFAULT))
}

/// The share of the ten nearest that a search of width `ef` finds, by the calibration.
///
/// Between two calibrated widths the share that is missed falls as a power of the width.
pub fn expected_recall(calibration: &Calibration, ef: usize) -> f64 {
    let at = |i: usize| f64::from(calibration.points[i].recall_10);
    let last = CALIBRATED_EF.len() - 1;
    let Some(upper) = CALIBRATED_EF.iter().position(|&known| ef <= usize::from(known)) else {
        return at(last);
    };
    let Some(lower) = upper.checked_sub(1) else { return at(upper) };
    let [from, to] = [lower, upper].map(|i| f64::from(CALIBRATED_EF[i]));
    let part = (ef as f64 / from).ln() / (to / from).ln();
    let [missed, later] = [lower, upper].map(|i| (1.0 - at(i)).max(f64::MIN_POSITIVE));
    1.0 - missed * (later / missed).powf(part)
}

/// Elements that a search of width `ef` expands, on average.
pub fn expansions(calibration: &Calibration, ef: usize) -> f64 {
    let ef = ef as f64;
    let at = |i: usize| (f64::from(CALIBRATED_EF[i]), f64::from(calibration.points[i].expanded));
    // The line through the two nearest points, whichever side of them `ef` is on.
    let last = CALIBRATED_EF.len() - 1;
    let upper = (1..last).find(|&i| ef <= at(i).0).unwrap_or(last);
    let ((ef_a, a), (ef_b, b)) = (at(upper - 1), at(upper));
    (a + (b - a) * (ef - ef_a) / (ef_b - ef_a)).max(1.0)
}

fn least_ef(calibration: &Calibration, target: f64, recall: impl Fn(usize) -> f32) -> f64 {
    // What was found in every search may still be missed in the next.
    let least = 0.1 / f64::from(calibration.samples.max(1));
    let missed = |i: usize| (1.0 - f64::from(recall(i))).max(least).ln();
    let ef = |i: usize| f64::from(CALIBRATED_EF[i]);
    let goal = (1.0 - target).max(least).ln();
    let Some(i) = (0..CALIBRATED_EF.len()).find(|&i| missed(i) <= goal) else {
        return ef(CALIBRATED_EF.len() - 1);
    };
    if i == 0 {
        return ef(0);
    }
    let part = (missed(i - 1) - goal) / (missed(i - 1) - missed(i));
    ef(i - 1) * (ef(i) / ef(i - 1)).powf(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calibration() -> Calibration {
        let mut calibration = Calibration { samples: 500, reads: 1.0, ..Calibration::default() };
        for (point, ef) in calibration.points.iter_mut().zip(CALIBRATED_EF) {
            point.recall_10 = 1.0 - 2.0 / f32::from(ef);
            point.recall_100 = 1.0 - 4.0 / f32::from(ef);
            point.expanded = 1.5 * f32::from(ef) + 10.0;
        }
        calibration
    }

    #[test]
    fn the_width_follows_the_target() {
        let ef = |target, k| ef_for_recall(&calibration(), target, k);
        assert_eq!(ef(0.1, 10), 5);
        assert!((20..=21).contains(&ef(0.9, 10)), "rounded up");
        assert!((40..=41).contains(&ef(0.95, 1)));
        assert_eq!(ef(0.9999, 10), 1280, "no width reaches it");
        assert_eq!(ef(0.5, 100), 100, "never fewer than rows");
        assert!((400..=401).contains(&ef(0.99, 100)));
        assert!((201..401).contains(&ef(0.99, 30)));
        assert!((4_000..=4_001).contains(&ef(0.99, 1000)));
    }

    #[test]
    fn the_default_width_is_raised_as_far_as_needed() {
        assert_eq!(default_ef(&calibration(), 77), 77);
        assert!((40..=41).contains(&default_ef(&calibration(), 10)));
        let mut poor = calibration();
        poor.points.iter_mut().for_each(|point| point.recall_10 = 0.9);
        assert_eq!(default_ef(&poor, 40), 400);
        assert_eq!(default_ef(&poor, 1000), 1000);
    }

    #[test]
    fn recall_is_expected_as_measured_and_between() {
        for (ef, recall) in [(1, 0.6), (5, 0.6), (40, 0.95), (60, 0.9667), (1280, 0.9984)] {
            let expected = expected_recall(&calibration(), ef);
            assert!((expected - recall).abs() < 1e-4, "{ef}: {expected}");
        }
        assert_eq!(expected_recall(&calibration(), 5000), expected_recall(&calibration(), 1280));
        let mut perfect = calibration();
        perfect.points.iter_mut().for_each(|point| point.recall_10 = 1.0);
        assert_eq!(expected_recall(&perfect, 60), 1.0);
    }

    #[test]
    fn expansions_lie_on_lines() {
        for ef in [1, 5, 33, 1280, 5000] {
            let expected = 1.5 * ef as f64 + 10.0;
            assert!((expansions(&calibration(), ef) - expected).abs() < 1e-3);
        }
    }
}
