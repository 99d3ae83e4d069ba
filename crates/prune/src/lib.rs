//! Which neighbors an element keeps: one rule for builds, inserts, and vacuum.

use std::cmp::Reverse;

use quant::Metric;

/// Leniency for squared Euclidean distances. At equal `ef` 1.1 finds up to 1 percent more of the ten
/// nearest than 1 does (sentence embeddings, images, word vectors), as much as doubling
/// `ef_construction`; 1.2 finds less again.
const SQUARED_LENIENCY: f32 = 1.1;

/// How far neighbors of a list must lie apart: one is diverse if its distance to the owner is less than
/// this times that to each nearer diverse one. 1 is the rule of the HNSW paper; a little more keeps
/// more long links. Negated products have no ratio, and shares lie too close to each other: 1.
pub fn leniency(metric: Metric) -> f32 {
    match metric {
        Metric::L2 | Metric::Cosine | Metric::Hamming => SQUARED_LENIENCY,
        Metric::L1 => SQUARED_LENIENCY.sqrt(),
        Metric::InnerProduct | Metric::Jaccard => 1.0,
    }
}

/// How many of an element's `slots` may be edges that others are reached by, which never give way, as
/// long as others have places for them: an eighth, and two at least, as a tree that does not branch is
/// a chain. With a quarter, up to 1 % fewer are found by inner product (evidence:
/// `src/am/hnsw/README.md`).
pub fn max_reachability_edges(slots: usize) -> usize {
    (slots / 8).max(2)
}

/// Why a neighbor is in a list; those with the least reason go first. Between clusters that lie far
/// apart the few diverse neighbors are the only ways, so lenient ones must not drive them out: a
/// million rows in clusters were found with a recall of 0.953 at `ef` 160 where both had equal weight,
/// and are with 0.986.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It fills a place: slots are paid for anyway, and filled ones save up to half the expansions.
    Fills = 0,
    /// It is diverse with [`leniency`] only.
    Lenient = 1,
    /// It is nearer to the owner than to each nearer diverse neighbor: the rule of the HNSW paper
    /// (algorithm 4). Equal distances count as not diverse, so that many equal vectors do not keep each
    /// other busy.
    Diverse = 2,
}

/// Why a neighbor of `distance` belongs in a list beside the `nearer` ones; `between` is the distance
/// between it and one of these.
pub fn reason<T>(
    nearer: impl Iterator<Item = (T, Reason)>,
    distance: f32,
    leniency: f32,
    mut between: impl FnMut(T) -> f32,
) -> Reason {
    let mut least = Reason::Diverse;
    for (other, reason) in nearer.filter(|&(_, reason)| reason > Reason::Fills) {
        least = least.min(beside(reason, distance, leniency, between(other)));
        if least == Reason::Fills {
            break;
        }
    }
    least
}

/// The same beside one neighbor, which is in the list for `other` and at the distance `between` from
/// it.
pub fn beside(other: Reason, distance: f32, leniency: f32, between: f32) -> Reason {
    match other {
        _ if between > distance => Reason::Diverse,
        Reason::Lenient if leniency * between > distance => Reason::Diverse,
        Reason::Diverse if leniency * between > distance => Reason::Lenient,
        Reason::Lenient | Reason::Diverse => Reason::Fills,
        Reason::Fills => Reason::Diverse,
    }
}

/// Chooses up to `limit` of the candidates by their reasons and then the nearest, and returns their
/// positions, nearest first.
///
/// `distances` are the candidates' distances to the element, ascending; `between(i, j)` is the distance
/// between two of them; `leniency` is that of the metric.
pub fn select(
    distances: &[f32],
    limit: usize,
    leniency: f32,
    mut between: impl FnMut(usize, usize) -> f32,
) -> Vec<(usize, Reason)> {
    let mut chosen: Vec<(usize, Reason)> = Vec::with_capacity(distances.len());
    for (i, &distance) in distances.iter().enumerate() {
        chosen.push((i, reason(chosen.iter().copied(), distance, leniency, |j| between(i, j))));
    }
    chosen.sort_unstable_by_key(|&(i, reason)| (Reverse(reason), i));
    chosen.truncate(limit);
    chosen.sort_unstable_by_key(|&(i, _)| i);
    chosen
}

/// The one candidate to give up when there is one too many: of those that `may_go`, the farthest
/// with the least reason. Other arguments as for [`select`], but in any order.
pub fn victim(
    distances: &[f32],
    leniency: f32,
    may_go: impl Fn(usize) -> bool,
    mut between: impl FnMut(usize, usize) -> f32,
) -> Option<usize> {
    let mut order: Vec<usize> = (0..distances.len()).collect();
    order.sort_unstable_by(|&a, &b| distances[a].total_cmp(&distances[b]));
    let mut listed: Vec<(usize, Reason)> = Vec::with_capacity(order.len());
    for &i in &order {
        let nearer = listed.iter().copied();
        listed.push((i, reason(nearer, distances[i], leniency, |j| between(i, j))));
    }
    let farthest_first = listed.into_iter().rev().filter(|&(i, _)| may_go(i));
    farthest_first.min_by_key(|&(_, reason)| reason).map(|(i, _)| i)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points on a line, the element at 0.
    const POINTS: [f32; 5] = [1.0, 1.5, -2.0, 4.0, -9.0];

    fn between(i: usize, j: usize) -> f32 {
        (POINTS[i] - POINTS[j]).abs()
    }

    #[test]
    fn keeps_all_directions_then_fills() {
        use Reason::{Diverse, Fills};
        let distances = POINTS.map(f32::abs);
        assert_eq!(select(&distances, 2, 1.0, between), [(0, Diverse), (2, Diverse)]);
        assert_eq!(select(&distances, 3, 1.0, between), [(0, Diverse), (1, Fills), (2, Diverse)]);
        let all = [(0, Diverse), (1, Fills), (2, Diverse), (3, Fills), (4, Fills)];
        assert_eq!(select(&distances, 9, 1.0, between), all);
    }

    #[test]
    fn leniency_comes_after_diversity() {
        use Reason::{Diverse, Fills, Lenient};
        let distances = POINTS.map(f32::abs);
        // The second is a third as far from the first as from the element, the fourth at 2.5 of 4
        // from the second, the last at 7 of 9 from the third.
        let all = [(0, Diverse), (1, Fills), (2, Diverse), (3, Lenient), (4, Lenient)];
        assert_eq!(select(&distances, 9, 1.4, between), all);
        assert_eq!(select(&distances, 2, 1.4, between), [(0, Diverse), (2, Diverse)]);
        assert_eq!(select(&distances, 3, 1.4, between), [(0, Diverse), (2, Diverse), (3, Lenient)]);
        assert_eq!(victim(&distances, 1.4, |_| true, between), Some(1));
        assert_eq!(victim(&distances, 1.4, |i| i != 1, between), Some(4));
    }

    #[test]
    fn gives_up_the_farthest_occluded() {
        let distances = POINTS.map(f32::abs);
        assert_eq!(victim(&distances, 1.0, |_| true, between), Some(4));
        assert_eq!(victim(&distances, 1.0, |i| i < 4, between), Some(3));
        assert_eq!(victim(&[3.0, 1.0, 2.0], 1.0, |_| true, |_, _| 9.0), Some(0));
        assert_eq!(victim(&[3.0, 1.0, 2.0], 1.0, |_| false, |_, _| 9.0), None);
    }
}
