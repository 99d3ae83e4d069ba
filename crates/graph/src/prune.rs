//! Which neighbors an element keeps.

use quant::Metric;

/// Leniency for squared Euclidean distances. At equal `ef` 1.1 finds 0.3 to 1 percent more of the
/// ten nearest than 1 does (sentence embeddings, images, word vectors), as much as doubling
/// `ef_construction`; 1.2 finds less again.
const SQUARED_LENIENCY: f32 = 1.1;

/// How far neighbors of a list must lie apart: one is diverse if its rank to the owner is less than
/// this times that to each nearer diverse one. 1 is the rule of the HNSW paper; a little more keeps
/// more long links. Negated products have no ratio: 1.
pub(crate) fn leniency(metric: Metric) -> f32 {
    match metric {
        Metric::L2 | Metric::Cosine | Metric::Hamming | Metric::Jaccard => SQUARED_LENIENCY,
        Metric::L1 => SQUARED_LENIENCY.sqrt(),
        Metric::InnerProduct => 1.0,
    }
}

/// Chooses up to `limit` of the candidates, nearest first, and returns their positions, each with
/// whether it is diverse even with half the leniency (its root): worth an edge back.
///
/// The heuristic of the HNSW paper (algorithm 4): a candidate nearer to one already kept than to
/// the element itself is occluded and waits; places left over are filled with the nearest of those
/// that wait, because slots are paid for anyway and filled ones save up to half the expansions.
///
/// `ranks` are the candidates' ranks to the element, ascending; `between(i, j)` is the rank between
/// two of them; `leniency` is that of the metric.
pub(crate) fn select(
    ranks: &[f32],
    limit: usize,
    leniency: f32,
    mut between: impl FnMut(usize, usize) -> f32,
) -> Vec<(usize, bool)> {
    let mut kept: Vec<(usize, bool)> = Vec::with_capacity(limit);
    let half = leniency.sqrt();
    let mut waiting = Vec::new();
    for (i, &rank) in ranks.iter().enumerate() {
        if kept.len() == limit {
            break;
        }
        let mut diverse = true;
        let occluded = kept.iter().any(|&(other, counts)| {
            let between = between(i, other);
            diverse &= !counts || half * between >= rank;
            leniency * between < rank
        });
        if occluded {
            waiting.push((i, false));
        } else {
            kept.push((i, diverse));
        }
    }
    let room = limit - kept.len();
    kept.extend(waiting.into_iter().take(room));
    kept.sort_unstable();
    kept
}

/// The one candidate to give up when there is one too many: of those that `may_go`, the farthest
/// occluded one, or else the farthest. Other arguments as for [`select`], but in any order.
pub(crate) fn victim(
    ranks: &[f32],
    leniency: f32,
    may_go: impl Fn(usize) -> bool,
    mut between: impl FnMut(usize, usize) -> f32,
) -> Option<usize> {
    let mut order: Vec<usize> = (0..ranks.len()).collect();
    order.sort_unstable_by(|&a, &b| ranks[a].total_cmp(&ranks[b]));
    let mut kept: Vec<usize> = Vec::with_capacity(order.len());
    let mut farthest_occluded = None;
    for &i in &order {
        if kept.iter().any(|&other| leniency * between(i, other) < ranks[i]) {
            farthest_occluded = if may_go(i) { Some(i) } else { farthest_occluded };
        } else {
            kept.push(i);
        }
    }
    farthest_occluded.or(order.into_iter().rfind(|&i| may_go(i)))
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
        let ranks = POINTS.map(f32::abs);
        let (kept, filled) = (true, false);
        assert_eq!(select(&ranks, 2, 1.0, between), [(0, kept), (2, kept)]);
        assert_eq!(select(&ranks, 3, 1.0, between), [(0, kept), (1, filled), (2, kept)]);
        let all = [(0, kept), (1, filled), (2, kept), (3, filled), (4, filled)];
        assert_eq!(select(&ranks, 9, 1.0, between), all);
    }

    #[test]
    fn leniency_keeps_what_is_less_diverse() {
        let ranks = POINTS.map(f32::abs);
        // The second is a third as far from the first as from the element.
        assert_eq!(select(&ranks, 2, 2.9, between), [(0, true), (2, true)]);
        assert_eq!(select(&ranks, 2, 3.1, between), [(0, true), (1, false)]);
        assert_eq!(select(&ranks, 2, 9.1, between), [(0, true), (1, true)]);
    }

    #[test]
    fn gives_up_the_farthest_occluded() {
        let ranks = POINTS.map(f32::abs);
        assert_eq!(victim(&ranks, 1.0, |_| true, between), Some(4));
        assert_eq!(victim(&ranks, 1.0, |i| i < 4, between), Some(3));
        assert_eq!(victim(&[3.0, 1.0, 2.0], 1.0, |_| true, |_, _| 9.0), Some(0));
        assert_eq!(victim(&[3.0, 1.0, 2.0], 1.0, |_| false, |_, _| 9.0), None);
    }
}
