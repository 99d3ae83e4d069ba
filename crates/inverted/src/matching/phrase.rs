//! Phrases.

/// Whether there are positions, one of each term, whose displacement is at most `slop` in all. Terms
/// come with their place in the phrase and their ascending positions.
///
/// Takes time in proportion to the number of positions.
pub(crate) fn is_within<'d>(terms: impl IntoIterator<Item = (u32, &'d [u32])>, slop: u32) -> bool {
    let mut terms = terms.into_iter();
    let Some((at, positions)) = terms.next() else { return false };
    // Where the phrase would begin, and the least displacement of the terms so far.
    let start = |at: u32, position: u32| i64::from(position) - i64::from(at);
    let mut reached: Vec<(i64, u64)> =
        positions.iter().map(|&position| (start(at, position), 0)).collect();
    let mut next: Vec<(i64, u64)> = Vec::new();
    for (at, positions) in terms {
        next.clear();
        let starts = || positions.iter().map(|&position| start(at, position));
        if slop == 0 {
            let mut rest = &reached[..];
            for this in starts() {
                rest = &rest[rest.partition_point(|&(other, _)| other < this)..];
                if rest.first().is_some_and(|&(other, _)| other == this) {
                    next.push((this, 0));
                }
            }
        } else {
            // The best of those before, then the best of those behind.
            let (mut i, mut best) = (0, None::<i64>);
            for this in starts() {
                while let Some(&(other, cost)) = reached.get(i).filter(|&&(other, _)| other <= this)
                {
                    let less = cost as i64 - other;
                    best = Some(best.map_or(less, |best| best.min(less)));
                    i += 1;
                }
                next.push((this, best.map_or(u64::MAX, |best| (best + this) as u64)));
            }
            let (mut i, mut best) = (reached.len(), None::<i64>);
            for (this, cost) in next.iter_mut().rev() {
                while let Some(&(other, before)) = i
                    .checked_sub(1)
                    .and_then(|i| reached.get(i))
                    .filter(|&&(other, _)| other >= *this)
                {
                    let more = before as i64 + other;
                    best = Some(best.map_or(more, |best| best.min(more)));
                    i -= 1;
                }
                *cost = best.map_or(*cost, |best| (*cost).min((best - *this) as u64));
            }
            next.retain(|&(_, cost)| cost <= u64::from(slop));
        }
        std::mem::swap(&mut reached, &mut next);
    }
    !reached.is_empty()
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    fn naive(terms: &[(u32, Vec<u32>)], before: Option<i64>, slop: i64) -> bool {
        let Some(((at, positions), rest)) = terms.split_first() else { return true };
        positions.iter().any(|&position| {
            let start = i64::from(position) - i64::from(*at);
            let left = slop - before.map_or(0, |before| (before - start).abs());
            left >= 0 && naive(rest, Some(start), left)
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
