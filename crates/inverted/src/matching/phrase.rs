//! Phrases.

/// Whether there are positions, one of each term, at which the phrase would begin at most `slop` apart.
/// Terms come with their place in the phrase and their ascending positions.
///
/// Takes time in proportion to the number of positions.
pub(crate) fn is_within<'d>(terms: impl IntoIterator<Item = (u32, &'d [u32])>, slop: u32) -> bool {
    // Where the phrase would begin by the first position that is left.
    let start = |&(at, left): &(u32, &[u32])| Some(i64::from(*left.first()?) - i64::from(at));
    let mut terms: Vec<(u32, &[u32])> = terms.into_iter().collect();
    let Some(mut last) =
        terms.iter().map(start).try_fold(i64::MIN, |last, this| Some(last.max(this?)))
    else {
        return false;
    };
    loop {
        // No choice of what is left has its last beginning before this.
        let before = last;
        for term in &mut terms {
            while start(term).is_some_and(|this| this < last - i64::from(slop)) {
                term.1 = &term.1[1..];
            }
            let Some(this) = start(term) else { return false };
            last = last.max(this);
        }
        if last == before {
            return !terms.is_empty();
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    fn naive(terms: &[(u32, Vec<u32>)], range: Option<(i64, i64)>, slop: i64) -> bool {
        let Some(((at, positions), rest)) = terms.split_first() else { return true };
        positions.iter().any(|&position| {
            let start = i64::from(position) - i64::from(*at);
            let (low, high) = range.unwrap_or((start, start));
            let (low, high) = (low.min(start), high.max(start));
            high - low <= slop && naive(rest, Some((low, high)), slop)
        })
    }

    #[test]
    fn as_all_combinations() {
        let mut rng = SmallRng::seed_from_u64(1);
        for _ in 0..5_000 {
            let mut terms = Vec::new();
            let mut at = 0;
            for _ in 0..rng.random_range(1..5) {
                let mut positions: Vec<u32> =
                    (0..rng.random_range(0..6)).map(|_| rng.random_range(0..20)).collect();
                positions.sort_unstable();
                terms.push((at, positions));
                at += rng.random_range(1..3);
            }
            let slop = rng.random_range(0..8);
            let found = is_within(terms.iter().map(|(at, list)| (*at, &list[..])), slop);
            assert_eq!(found, naive(&terms, None, slop.into()), "{terms:?} {slop}");
        }
    }

    #[test]
    fn swapped_neighbors_are_two_apart() {
        let swapped = [(0, &[1u32][..]), (1, &[0])];
        assert!(!is_within(swapped, 1) && is_within(swapped, 2) && is_within(swapped, u32::MAX));
        let apart = [(0, &[0u32][..]), (1, &[2])];
        assert!(!is_within(apart, 0) && is_within(apart, 1));
        let extremes = [(0, &[u32::MAX][..]), (u32::MAX, &[0])];
        assert!(!is_within(extremes, u32::MAX));
    }
}
