//! What a calibration found, in the metapage.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

/// The share of the nearest rows that searches find where nothing else is asked for.
pub const DEFAULT_RECALL: f64 = 0.95;

/// Share for which lists were measured that searches read by default: rows that come before the next
/// vacuum measures again lie up to a hundredth worse.
pub const DEFAULT_TARGET: f64 = 0.96;

/// Shares of the ten nearest for which the lists to read were measured, ascending.
const RECALLS: [f64; 16] =
    [0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995, 1.0];

/// Numbers that the metapage holds.
const NUMBERS: usize = RECALLS.len() + 2;

/// No index has as many lists.
const TOO_MANY: u32 = 1 << 20;

/// What searches of the index find, by the lists that they read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// Searches that were made.
    pub searches: u32,
    /// The least lists to read for each of [`RECALLS`].
    pub(crate) probes: [u32; RECALLS.len()],
    /// Which lists may be left out, however many were searched.
    pub reach: Reach,
}

/// Which lists may hold rows nearer than those found.
///
/// A row that is `spread` from the centroid of its list has a reduced distance that follows from the
/// cosine of the angle between its direction from there and the query's. A list is left out where this
/// had to be above `cosine`. An ordinary query has few such lists beyond those that it searches anyway;
/// one that is far from all rows, and so about as far from many centroids, has many.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reach {
    /// Median of the distance between a row and the centroid of its list.
    pub spread: f32,
    /// The cosine; minus infinity leaves all lists out.
    pub cosine: f32,
}

impl Reach {
    /// Leaves out whatever is not searched anyway.
    pub(crate) const NONE: Self = Self { spread: 0.0, cosine: f32::NEG_INFINITY };
}

impl Calibration {
    /// Of searches of so many lists, `recall(lists)` of the nearest are found, which grows to 1.
    pub(crate) fn new(searches: u32, recall: impl Fn(u32) -> f64) -> Self {
        let mut lists = 1;
        let probes = RECALLS.map(|target| {
            while recall(lists) < target && lists < TOO_MANY {
                lists = lists.saturating_add(1);
            }
            lists
        });
        Self { searches, probes, reach: Reach::NONE }
    }

    /// The lists that a search must read to find the share `target` of the nearest rows, or slightly
    /// more.
    pub fn probes(&self, target: f64) -> usize {
        let known = RECALLS.iter().position(|&recall| recall >= target);
        self.probes[known.unwrap_or(const { RECALLS.len() - 1 })] as usize
    }

    /// As the metapage holds it; zeros for none.
    pub(crate) fn encode(calibration: Option<&Self>) -> [u8; 4 * (1 + NUMBERS)] {
        let mut bytes = [0; 4 * (1 + NUMBERS)];
        if let Some(Self { searches, probes, reach }) = calibration {
            let reach = [reach.spread, reach.cosine].map(f32::to_bits);
            let numbers = [searches].into_iter().chain(probes).chain(&reach);
            let numbers = numbers.flat_map(|number| number.to_le_bytes());
            bytes.iter_mut().zip(numbers).for_each(|(byte, number)| *byte = number);
        }
        bytes
    }

    /// What [`Self::encode`] wrote. None where the index was never calibrated, where the numbers of lists
    /// are impossible, and where the reach is not a number.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let numbers = bytes.as_chunks().0.first_chunk::<{ 1 + NUMBERS }>()?.map(u32::from_le_bytes);
        let (&searches, rest) = numbers.split_first()?;
        let (&probes, rest) = rest.split_first_chunk::<{ RECALLS.len() }>()?;
        let [spread, cosine] = rest.first_chunk()?.map(f32::from_bits);
        let sound = probes.is_sorted() && probes.iter().all(|lists| (1..=TOO_MANY).contains(lists));
        let sound = sound && spread >= 0.0 && !cosine.is_nan();
        let reach = Reach { spread, cosine };
        (searches > 0 && sound).then_some(Self { searches, probes, reach })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_reach_the_target() {
        let calibration = Calibration::new(100, |lists| (f64::from(lists) / 60.0).min(1.0));
        let probes = [0.1, 0.5, 0.78, 0.8, 0.95, 0.951, 0.99, 0.999, 1.0];
        let probes = probes.map(|target| calibration.probes(target));
        assert_eq!(probes, [30, 30, 48, 48, 57, 58, 60, 60, 60]);
    }

    #[test]
    fn nonsense_is_no_calibration() {
        let reach = Reach { spread: 2.0, cosine: 0.5 };
        let sound = Calibration { searches: 1, probes: [7; RECALLS.len()], reach };
        assert_eq!(Calibration::decode(&Calibration::encode(Some(&sound))), Some(sound));
        assert_eq!(Calibration::decode(&Calibration::encode(None)), None);
        for lists in [0, 6, TOO_MANY + 1, u32::MAX] {
            let mut broken = sound;
            broken.probes[RECALLS.len() - 1] = lists;
            assert_eq!(Calibration::decode(&Calibration::encode(Some(&broken))), None);
        }
        for reach in [(f32::NAN, 0.5), (-1.0, 0.5), (1.0, f32::NAN)] {
            let reach = Reach { spread: reach.0, cosine: reach.1 };
            let broken = Calibration { reach, ..sound };
            assert_eq!(Calibration::decode(&Calibration::encode(Some(&broken))), None);
        }
    }
}
