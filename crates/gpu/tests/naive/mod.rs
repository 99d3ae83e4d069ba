//! What results are compared with.

use gpu::{Measure, NONE};
use quant::SplitMix64;

/// Rows, one after another.
pub struct Data {
    pub rows: Vec<f32>,
    pub dims: usize,
    pub measure: Measure,
}

impl Data {
    /// Rows drawn from a normal distribution, some of them twice.
    pub fn random(count: usize, dims: usize, measure: Measure, seed: u64) -> Self {
        let mut random = SplitMix64::new(seed);
        let mut rows: Vec<f32> = (0..count * dims).map(|_| random.next_normal()).collect();
        for i in (10..count).step_by(10) {
            rows.copy_within((i - 7) * dims..(i - 6) * dims, i * dims);
        }
        Self { rows, dims, measure }
    }

    pub fn len(&self) -> usize {
        self.rows.len() / self.dims
    }

    pub fn row(&self, i: usize) -> &[f32] {
        &self.rows[i * self.dims..][..self.dims]
    }

    pub fn distance(&self, a: usize, b: usize) -> f64 {
        let (a, b) = (self.row(a), self.row(b));
        match self.measure {
            Measure::L2 => l2_squared(a, b),
            Measure::InnerProduct => -pairs(a, b).map(|(a, b)| a * b).sum::<f64>(),
        }
    }
}

fn pairs<'a>(a: &'a [f32], b: &'a [f32]) -> impl Iterator<Item = (f64, f64)> + 'a {
    a.iter().zip(b).map(|(&a, &b)| (a.into(), b.into()))
}

pub fn l2_squared(a: &[f32], b: &[f32]) -> f64 {
    pairs(a, b).map(|(a, b)| (a - b).powi(2)).sum()
}

/// A center for a set: zeros for products.
pub fn mean(data: &Data) -> Vec<f32> {
    let sum = |j: usize| data.rows.iter().skip(j).step_by(data.dims).sum::<f32>();
    let count = if data.measure == Measure::L2 { data.len() as f32 } else { f32::INFINITY };
    (0..data.dims).map(|j| sum(j) / count).collect()
}

/// Panics unless what was found of the rows at all positions is as promised: no row is itself or twice in
/// a list, distances are right and ascend, ties by position; and nearly all of the nearest are there.
pub fn check_neighbors(
    data: &Data,
    selected: Option<&[u32]>,
    k: usize,
    (ids, distances): &(Vec<u32>, Vec<f32>),
) {
    let all: Vec<u32> = (0..data.len() as u32).collect();
    let rows = selected.unwrap_or(&all);
    let (mut hits, mut wanted) = (0, 0);
    for own in 0..rows.len() {
        let exact = |p: usize| data.distance(rows[own] as usize, rows[p] as usize);
        let mut sorted: Vec<f64> = (0..rows.len()).filter(|&p| p != own).map(exact).collect();
        sorted.sort_by(f64::total_cmp);
        let used = k.min(sorted.len());
        let (ids, distances) = (&ids[own * k..][..k], &distances[own * k..][..k]);
        assert!(ids[used..].iter().all(|&id| id == NONE));
        let found: Vec<(f32, u32)> = distances.iter().copied().zip(ids.iter().copied()).collect();
        assert!(found[..used].is_sorted_by(|a, b| a.0 < b.0 || a.0 == b.0 && a.1 < b.1));
        for &(distance, id) in &found[..used] {
            assert_ne!(id as usize, own);
            let expected = exact(id as usize);
            let scale = expected.abs().max(1e-3 * data.dims as f64);
            assert!(
                (f64::from(distance) - expected).abs() <= 1e-4 * scale,
                "{distance} {expected}"
            );
        }
        if used > 0 {
            let bound = sorted[used - 1] + 1e-5 * sorted[used - 1].abs();
            hits += found[..used].iter().filter(|(_, id)| exact(*id as usize) <= bound).count();
            wanted += used;
        }
    }
    assert!(hits as f64 >= 0.99 * wanted as f64, "{hits} of {wanted}");
}
