//! What a calibration found, in the metapage.

/// The share of the nearest rows that searches find where nothing else is asked for.
pub const DEFAULT_RECALL: f64 = 0.95;

/// Numbers of lists that are told about: 1, 2, 4 and so on.
pub(crate) const POINTS: usize = 16;

/// Numbers that the metapage holds.
const NUMBERS: usize = POINTS + 2;

/// What searches of the index find, by the lists that they read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// Searches that were made.
    pub searches: u32,
    /// Share of the ten nearest that are in the nearest 1, 2, 4 … lists.
    pub recall: [f32; POINTS],
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
    /// The lists that a search must read to find the share `target` of the nearest rows; none where
    /// no search that was made found as many.
    pub fn probes(&self, target: f64) -> Option<usize> {
        let reached = self.recall.iter().position(|&recall| f64::from(recall) >= target)?;
        let Some(before) = reached.checked_sub(1) else { return Some(1) };
        let [low, high] = [before, reached].map(|i| f64::from(self.recall[i]));
        let between = (target - low) / (high - low);
        Some((before as f64 + between).exp2().ceil() as usize)
    }

    /// As the metapage holds it; zeros for none.
    pub(crate) fn encode(calibration: Option<&Self>) -> [u8; 4 * (1 + NUMBERS)] {
        let mut bytes = [0; 4 * (1 + NUMBERS)];
        if let Some(Self { searches, recall, reach }) = calibration {
            let numbers = recall.iter().chain([&reach.spread, &reach.cosine]);
            let numbers = std::iter::once(*searches).chain(numbers.map(|x| x.to_bits()));
            let numbers = numbers.flat_map(u32::to_le_bytes);
            bytes.iter_mut().zip(numbers).for_each(|(byte, number)| *byte = number);
        }
        bytes
    }

    /// What [`Self::encode`] wrote. None where the index was never calibrated, where recall does not
    /// grow from 0 to 1, and where the reach is not a number.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (searches, points) = bytes.split_first_chunk()?;
        let numbers = points.as_chunks().0.first_chunk::<NUMBERS>()?.map(f32::from_le_bytes);
        let (recall, rest) = numbers.split_first_chunk::<POINTS>()?;
        let &[spread, cosine] = rest.first_chunk()?;
        let sound = recall.is_sorted() && recall.iter().all(|x| (0.0..=1.0).contains(x));
        let sound = sound && spread >= 0.0 && !cosine.is_nan();
        let searches = u32::from_le_bytes(*searches);
        let (recall, reach) = (*recall, Reach { spread, cosine });
        (searches > 0 && sound).then_some(Self { searches, recall, reach })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_reach_the_target() {
        let recall = std::array::from_fn(|i| if i < 4 { 0.2 * (i as f32 + 1.0) } else { 1.0 });
        let calibration = Calibration { searches: 100, recall, reach: Reach::NONE };
        // 0.2, 0.4, 0.6, 0.8, 1 of the nearest in 1, 2, 4, 8, 16 lists.
        let probes = [0.1, 0.2, 0.4, 0.5, 0.9, 1.0].map(|target| calibration.probes(target));
        assert_eq!(probes, [1, 1, 2, 3, 12, 16].map(Some));
        let poor = Calibration { recall: [0.5; POINTS], ..calibration };
        assert_eq!(poor.probes(0.6), None);
    }

    #[test]
    fn nonsense_is_no_calibration() {
        let reach = Reach { spread: 2.0, cosine: 0.5 };
        let sound = Calibration { searches: 1, recall: [0.5; POINTS], reach };
        assert_eq!(Calibration::decode(&Calibration::encode(Some(&sound))), Some(sound));
        assert_eq!(Calibration::decode(&Calibration::encode(None)), None);
        for recall in [f32::NAN, 1.5, -0.5, 0.4] {
            let mut broken = sound;
            broken.recall[POINTS - 1] = recall;
            assert_eq!(Calibration::decode(&Calibration::encode(Some(&broken))), None);
        }
        for reach in [(f32::NAN, 0.5), (-1.0, 0.5), (1.0, f32::NAN)] {
            let reach = Reach { spread: reach.0, cosine: reach.1 };
            let broken = Calibration { reach, ..sound };
            assert_eq!(Calibration::decode(&Calibration::encode(Some(&broken))), None);
        }
    }
}
