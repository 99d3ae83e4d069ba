//! Which elements stand on upper levels.

use quant::splitmix64;

use crate::format::MAX_LEVEL;

/// Level 1 should have a quarter to half a thousand elements at least, as far as the next limit
/// allows: enough for a few in every region of the data.
const FIRST_LEVEL: u64 = 512;
/// Of how many elements one rises to level 1, as powers of two: in small indexes and in large.
const FIRST_RISE: std::ops::RangeInclusive<u32> = 4..=8;
/// And from any level to the next.
const RISE: u32 = 5;

/// Level of the element known by `key` in an index of about `count` elements, decided by `seed`.
///
/// The hierarchy is sparser than the usual 1/m: with codes on the edges a descent saves few
/// expansions, so the size of upper levels counts for more.
pub(crate) fn level_of(seed: u64, key: u64, count: u64) -> u8 {
    let first = first_rise(count);
    match rarity(seed, key).checked_sub(first) {
        None => 0,
        // At most 1 + 64 / RISE.
        Some(more) => ((1 + more / RISE) as u8).min(MAX_LEVEL),
    }
}

/// A number that one of 2^i keys reaches i with.
pub(crate) fn rarity(seed: u64, key: u64) -> u32 {
    splitmix64(seed ^ splitmix64(key)).trailing_zeros()
}

/// The [`rarity`] that elements of a level reach in an index of about `count` elements.
pub(crate) fn rarity_of_level(level: u8, count: u64) -> u32 {
    match level.checked_sub(1) {
        None => 0,
        Some(more) => first_rise(count) + u32::from(more) * RISE,
    }
}

/// How many places on upper levels an index of `count` elements has, about.
pub(crate) fn expected_upper(count: u64) -> u64 {
    let first = first_rise(count);
    (0..u32::from(MAX_LEVEL)).map(|level| count >> (first + level * RISE).min(63)).sum()
}

/// Of how many elements one rises to level 1, as a power of two.
fn first_rise(count: u64) -> u32 {
    let rise = count.div_ceil(FIRST_LEVEL).max(1).next_power_of_two().trailing_zeros();
    rise.clamp(*FIRST_RISE.start(), *FIRST_RISE.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_follow_from_rarity() {
        for (count, key) in (0..1_000).map(|key| (60_000, key)).chain([(100, 3), (1 << 40, 4)]) {
            let level = level_of(9, key, count);
            assert!(rarity(9, key) >= rarity_of_level(level, count));
            assert!(level == MAX_LEVEL || rarity(9, key) < rarity_of_level(level + 1, count));
        }
    }

    #[test]
    fn upper_levels_are_as_sparse_as_said() {
        for (count, expected) in [(3_200u64, 200.0), (60_000, 469.0), (1_000_000, 3_906.0)] {
            let at_least =
                |level| (0..count).filter(|&key| level_of(7, key, count) >= level).count();
            assert!((at_least(1) as f64 / expected - 1.0).abs() < 0.25, "{count}: {}", at_least(1));
            assert!((at_least(2) as f64) < expected / 16.0 + 4.0);
            let places = expected_upper(count) as f64;
            assert!(places >= expected - 1.0 && places < 1.1 * expected, "{count}: {places}");
        }
    }
}
