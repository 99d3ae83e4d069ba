//! Exact distances, and recall counted by distance.

use std::str::FromStr;

use serde::Serialize;

use crate::matrix::Matrix;

/// What "near" means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// Squared Euclidean distance.
    L2,
    /// One minus the cosine of the angle.
    Cosine,
}

impl FromStr for Metric {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "l2" => Ok(Self::L2),
            "cosine" => Ok(Self::Cosine),
            other => Err(format!("unknown metric \"{other}\": l2 and cosine are known")),
        }
    }
}

impl Metric {
    /// The distance of two vectors of equal length in `f64`: squared for `L2`.
    pub fn distance(self, a: &[f32], b: &[f32]) -> f64 {
        match self {
            Self::L2 => sum(a, b, |x, y| (x - y) * (x - y)),
            Self::Cosine => {
                let product = |a, b| sum(a, b, |x, y| x * y);
                1.0 - product(a, b) / (product(a, a) * product(b, b)).sqrt()
            }
        }
    }
}

/// Sums `term` over two vectors in eight lanes, so that it can be vectorised.
fn sum(a: &[f32], b: &[f32], term: fn(f64, f64) -> f64) -> f64 {
    let ((a8, a), (b8, b)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut lanes = [0.0; 8];
    for (x, y) in a8.iter().zip(b8) {
        for i in 0..8 {
            lanes[i] += term(x[i].into(), y[i].into());
        }
    }
    let rest: f64 = a.iter().zip(b).map(|(&x, &y)| term(x.into(), y.into())).sum();
    lanes.iter().sum::<f64>() + rest
}

/// How many of `ids` are among the `k` nearest of `query`: distinct rows, at most `k`, whose
/// distance is at most that of the `k`-th true neighbor. Ties count, whichever row was returned.
pub fn hits(
    metric: Metric,
    base: &Matrix<f32>,
    query: &[f32],
    ids: &[i32],
    k: usize,
    kth: f64,
) -> usize {
    // Ground truth is stored in f32; near zero only its rounding in f64 remains.
    let bound = kth + 1e-6 * kth.abs() + 1e-12;
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let near = |&id: &i32| {
        usize::try_from(id)
            .is_ok_and(|id| id < base.rows() && metric.distance(base.row(id), query) <= bound)
    };
    ids.iter().filter(|id| near(id)).count().min(k)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points 0, 1, … 9 on a line, and a second 3.
    fn line() -> Matrix<f32> {
        Matrix { cols: 1, data: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 3].map(|v| v as f32).to_vec() }
    }

    #[test]
    fn distances_agree_with_the_definition() {
        let a: Vec<f32> = (0..19).map(|i| i as f32).collect();
        let b: Vec<f32> = (0..19).map(|i| (i * i) as f32 - 3.0).collect();
        let l2: f64 = a.iter().zip(&b).map(|(x, y)| f64::from(x - y).powi(2)).sum();
        assert_eq!(Metric::L2.distance(&a, &b), l2);
        assert_eq!(Metric::Cosine.distance(&[1.0, 0.0], &[0.0, 2.0]), 1.0);
        assert_eq!(Metric::Cosine.distance(&[1.0, 0.0], &[-3.0, 0.0]), 2.0);
    }

    #[test]
    fn recall_counts_by_distance() {
        let count = |ids: &[i32]| hits(Metric::L2, &line(), &[3.0], ids, 3, 1.0);
        assert_eq!(count(&[3, 10, 2]), 3);
        assert_eq!(count(&[3, 10, 4]), 3, "2 and 4 are equally near");
        assert_eq!(count(&[3, 10, 2, 4]), 3, "never more than k");
        assert_eq!(count(&[3, 3, 3]), 1, "a row counts once");
        assert_eq!(count(&[3, 5, 9]), 1);
        assert_eq!(count(&[-1, 99]), 0, "no such rows");
        assert_eq!(count(&[]), 0);
    }

    #[test]
    fn rounding_of_the_truth_is_forgiven() {
        let truth = f64::from(0.1f32 * 0.1);
        assert_eq!(hits(Metric::L2, &line(), &[0.1], &[0], 1, truth), 1);
    }
}
