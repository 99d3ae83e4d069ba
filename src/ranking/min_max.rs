//! `min_max_score`: the scores of one ranking on a scale from 0 to 1, by the worst and the best of
//! them. Unlike `norm_score`, it needs no metric, and uses the whole scale whatever the scores are.

use crate::pg::function::pg_functions;

pg_functions! {
    /// 1 for the best score and 0 for the worst; see [`scaled`].
    fn min_max_score(score: f64, worst: f64, best: f64) -> f32 {
        scaled(score, worst, best) as f32
    }
}

/// The position of a score between the worst and the best of its ranking, from 0 to 1; 0 if it is
/// not a number. `best` is less than `worst` if the scores are distances.
///
/// If all scores are equal, each is the best: 1. They would otherwise count as little as rows that
/// the ranking does not contain.
fn scaled(score: f64, worst: f64, best: f64) -> f64 {
    if score == best {
        return 1.0;
    }
    // Halves, whose difference is finite if they are.
    let [score, worst, best] = [score / 2.0, worst / 2.0, best / 2.0];
    let position = (score - worst) / (best - worst);
    if position.is_nan() && score.is_finite() {
        // Between infinities; infinitely better than the worst.
        return if best.is_infinite() { 0.5 } else { 1.0 };
    }
    if position.is_nan() { 0.0 } else { position.clamp(0.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::scaled;

    #[test]
    fn scores_lie_between_the_worst_and_the_best() {
        let infinite = f64::INFINITY;
        for (score, worst, best, wanted) in [
            (3.0, 1.0, 5.0, 0.5),
            (1.0, 1.0, 5.0, 0.0),
            (5.0, 1.0, 5.0, 1.0),
            (2.0, 5.0, 1.0, 0.75),
            (2.0, 2.0, 2.0, 1.0),
            (9.0, 1.0, 5.0, 1.0),
            (0.0, 1.0, 5.0, 0.0),
            (0.0, -1e308, 1e308, 0.5),
            (1.0, 0.0, infinite, 0.0),
            (1.0, infinite, 0.0, 1.0),
            (0.0, -infinite, infinite, 0.5),
            (infinite, 0.0, infinite, 1.0),
            (-infinite, -infinite, infinite, 0.0),
            (infinite, infinite, infinite, 1.0),
            (f64::NAN, 0.0, 1.0, 0.0),
        ] {
            let context = format!("{score} between {worst} and {best}");
            assert_eq!(scaled(score, worst, best), wanted, "{context}");
        }
    }
}
