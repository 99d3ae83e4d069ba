//! Which element stands on which levels.

use memory::{Grow, collected};

use super::{BuildError, NO_NEIGHBOR};
use crate::level::level_of;

/// The levels of all elements.
pub(super) struct Strata {
    /// The highest level of each element.
    pub(super) levels: Vec<u8>,
    /// The elements that stand on level 1, 2, …, ascending; none of the levels is empty.
    pub(super) upper: Vec<Vec<u32>>,
}

impl Strata {
    pub(super) fn new(count: u32, seed: u64) -> Result<Self, BuildError> {
        let levels = collected((0..count).map(|e| level_of(seed, e.into(), count.into())))?;
        let mut upper: Vec<Vec<u32>> = Vec::new();
        for (element, &level) in (0..count).zip(&levels) {
            for below in 0..usize::from(level) {
                if below == upper.len() {
                    upper.push(Vec::new());
                }
                upper[below].try_push(element)?;
            }
        }
        Ok(Self { levels, upper })
    }

    /// Where a search begins: the first element of the highest level.
    pub(super) fn entry(&self) -> u32 {
        match self.upper.last() {
            Some(elements) => elements[0],
            None if self.levels.is_empty() => NO_NEIGHBOR,
            None => 0,
        }
    }

    /// The positions in `upper[i]` of the elements that also stand on the level above it.
    pub(super) fn positions_of_level_above(&self, i: usize) -> Result<Vec<u32>, BuildError> {
        let level = i + 1;
        let elements = (0u32..).zip(&self.upper[i]);
        let above = elements.filter(|(_, e)| usize::from(self.levels[**e as usize]) > level);
        Ok(collected(above.map(|(position, _)| position))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_hold_what_rises_to_them() {
        let strata = Strata::new(1 << 18, 42).expect("memory");
        assert!(strata.upper.len() > 1);
        let positions = strata.positions_of_level_above(0).expect("memory");
        let elements: Vec<u32> = positions.iter().map(|&p| strata.upper[0][p as usize]).collect();
        assert_eq!(elements, strata.upper[1]);
        assert_eq!(strata.entry(), strata.upper.last().expect("upper levels")[0]);
    }

    #[test]
    fn few_elements_need_no_upper_level() {
        let strata = Strata::new(1, 1).expect("memory");
        assert_eq!((strata.entry(), strata.levels.len()), (0, 1));
    }
}
