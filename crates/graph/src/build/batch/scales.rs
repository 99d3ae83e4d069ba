//! The samples of elements that choose neighbors among themselves.

use memory::{collected, copied};

use crate::build::BuildError;
use crate::build::strata::Strata;
use crate::level::{rarity, rarity_of_level};

/// Of how many elements one is in the next sample, as a power of two.
const STEP: u32 = 2;

/// Some or all elements.
pub(super) struct Scale {
    /// Ascending; all if there are none.
    pub(super) elements: Option<Vec<u32>>,
    /// The level whose elements these are, if it is one.
    pub(super) level: Option<u8>,
}

/// All scales: all elements, a quarter of them, and so on; each sample is part of the one before.
pub(super) fn of(strata: &Strata, seed: u64) -> Result<Vec<Scale>, BuildError> {
    let count = strata.levels.len();
    let mut scales = vec![Scale { elements: None, level: Some(0) }];
    // Levels are few, and each sample is much smaller than the one before.
    for level in 0..=strata.upper.len() {
        // Numbers of levels are bytes.
        let level = level as u8;
        if let Some(below) = level.checked_sub(1) {
            let elements = Some(copied(&strata.upper[usize::from(below)])?);
            scales.push(Scale { elements, level: Some(level) });
        }
        let own = rarity_of_level(level, count as u64);
        let next = rarity_of_level(level + 1, count as u64);
        for least in (own + STEP..next).step_by(STEP as usize) {
            let all = 0..count as u32;
            let elements = collected(all.filter(|&e| rarity(seed, e.into()) >= least))?;
            if elements.len() > 1 {
                scales.push(Scale { elements: Some(elements), level: None });
            }
        }
    }
    Ok(scales)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_nested() {
        for count in [1, 2, 17, 3_000, 100_000] {
            let strata = Strata::new(count, 5).expect("memory");
            let scales = of(&strata, 5).expect("memory");
            let levels: Vec<u8> = scales.iter().filter_map(|scale| scale.level).collect();
            assert_eq!(levels, (0..=strata.upper.len() as u8).collect::<Vec<_>>());
            let mut before: Vec<u32> = (0..count).collect();
            for scale in scales {
                let Some(elements) = scale.elements else { continue };
                assert!(elements.is_sorted_by(|a, b| a < b));
                assert!(elements.iter().all(|e| before.binary_search(e).is_ok()));
                if let Some(level) = scale.level {
                    assert_eq!(elements, strata.upper[usize::from(level) - 1]);
                }
                before = elements;
            }
        }
    }
}
