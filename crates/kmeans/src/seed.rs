//! First centroids, by the rule of k-means++.

use memory::{Result, copied, filled, with_room};
use quant::SplitMix64;

use crate::rows::Rows;

/// Rows looked at for each centroid.
const ROWS_PER_CENTROID: usize = 16;

/// Chooses `count` of the rows `members`, each with a chance that grows with the square of its
/// distance to those chosen before it (Arthur and Vassilvitskii, k-means++, SODA 2007), or as many
/// as there are distinct ones.
pub(crate) fn choose_seeds(
    rows: Rows<'_>,
    members: &[u32],
    count: usize,
    random: &mut SplitMix64,
) -> Result<Vec<u32>> {
    let sample = sample(members, count.saturating_mul(ROWS_PER_CENTROID), random)?;
    let mut seeds = with_room(count.min(sample.len()))?;
    // Squared distance to the nearest seed.
    let mut weights = filled(sample.len(), f32::MAX)?;
    while seeds.len() < count && !sample.is_empty() {
        let chosen = if seeds.is_empty() {
            (random.next_u64() % sample.len() as u64) as usize
        } else {
            match weighted(&weights, random) {
                Some(chosen) => chosen,
                None => break,
            }
        };
        seeds.push(sample[chosen]);
        let seed = rows.row(sample[chosen] as usize);
        for (weight, &row) in weights.iter_mut().zip(&sample) {
            if *weight > 0.0 {
                *weight = weight.min(kernels::l2_squared(seed, rows.row(row as usize)));
            }
        }
        weights[chosen] = 0.0;
    }
    Ok(seeds)
}

/// A position whose chance is proportional to its weight; none where all are zero.
fn weighted(weights: &[f32], random: &mut SplitMix64) -> Option<usize> {
    let total: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
    let mut left = f64::from(random.next_f32()) * total;
    let mut last = None;
    for (i, &weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
        last = Some(i);
        left -= f64::from(weight);
        if left < 0.0 {
            break;
        }
    }
    last
}

/// Up to `count` of `items`, ascending, drawn without putting back.
pub(crate) fn sample(items: &[u32], count: usize, random: &mut SplitMix64) -> Result<Vec<u32>> {
    if count >= items.len() {
        return copied(items);
    }
    let mut wanted = count as u64;
    let mut chosen = with_room(count)?;
    for (i, &item) in items.iter().enumerate() {
        let left = (items.len() - i) as u64;
        if random.next_u64() % left < wanted {
            chosen.push(item);
            wanted -= 1;
        }
    }
    Ok(chosen)
}
