//! Drawing vectors.

use quant::SplitMix64;

/// Centers of clusters and the like are the same for rows and queries.
const CENTERS: u64 = 77;

fn normal(random: &mut SplitMix64, dims: usize, scale: f32) -> Vec<f32> {
    (0..dims).map(|_| scale * random.next_normal()).collect()
}

/// A value from 0 to 1.
fn unit(random: &mut SplitMix64) -> f32 {
    random.next_u64() as f32 / u64::MAX as f32
}

fn around(random: &mut SplitMix64, center: &[f32], spread: f32) -> Vec<f32> {
    center.iter().map(|c| c + spread * random.next_normal()).collect()
}

/// Heavy-tailed: P(x > t) falls as t^-2, up to 100.
fn heavy_tail(random: &mut SplitMix64) -> f32 {
    (1.0 - unit(random)).max(1e-4).powf(-0.5)
}

/// Standard normal values.
pub(crate) fn normals(seed: u64, count: usize, dims: usize) -> Vec<Vec<f32>> {
    let mut random = SplitMix64::new(seed);
    (0..count).map(|_| normal(&mut random, dims, 1.0)).collect()
}

/// Values from 0 to 1.
pub(crate) fn uniforms(seed: u64, count: usize, dims: usize) -> Vec<Vec<f32>> {
    let mut random = SplitMix64::new(seed);
    (0..count).map(|_| (0..dims).map(|_| unit(&mut random)).collect()).collect()
}

/// Products of two values from 0 to 1.
pub(crate) fn products(seed: u64, count: usize, dims: usize) -> Vec<Vec<f32>> {
    let mut random = SplitMix64::new(seed);
    (0..count).map(|_| (0..dims).map(|_| unit(&mut random) * unit(&mut random)).collect()).collect()
}

/// Vectors normal around `groups` centers, `spread` from them; the centers' own values are normal
/// with `apart`.
pub(crate) fn clusters(
    seed: u64,
    count: usize,
    dims: usize,
    groups: usize,
    apart: f32,
    spread: f32,
) -> Vec<Vec<f32>> {
    let mut random = SplitMix64::new(CENTERS);
    let centers: Vec<Vec<f32>> = (0..groups).map(|_| normal(&mut random, dims, apart)).collect();
    let mut random = SplitMix64::new(seed);
    (0..count)
        .map(|_| {
            let center = &centers[random.next_u64() as usize % groups];
            around(&mut random, center, spread)
        })
        .collect()
}

/// Clusters of which the largest has half of the rows, the next a quarter, and so on, each ten times
/// as dense as the one before.
pub(crate) fn unequal_clusters(seed: u64, count: usize, dims: usize) -> Vec<Vec<f32>> {
    let mut random = SplitMix64::new(CENTERS);
    let centers: Vec<Vec<f32>> = (0..6).map(|_| normal(&mut random, dims, 5.0)).collect();
    let mut random = SplitMix64::new(seed);
    (0..count)
        .map(|_| {
            let group = (random.next_u64().trailing_zeros() as usize).min(centers.len() - 1);
            around(&mut random, &centers[group], 0.1f32.powi(group as i32))
        })
        .collect()
}

/// Normal directions with heavy-tailed lengths.
pub(crate) fn heavy_tailed(seed: u64, count: usize, dims: usize) -> Vec<Vec<f32>> {
    let mut random = SplitMix64::new(seed);
    (0..count)
        .map(|_| {
            let length = heavy_tail(&mut random);
            normal(&mut random, dims, length)
        })
        .collect()
}

/// One dimension of 48 at 5, noise in all.
pub(crate) fn one_hot(seed: u64, count: usize) -> Vec<Vec<f32>> {
    let mut random = SplitMix64::new(seed);
    (0..count)
        .map(|_| {
            let mut vector = normal(&mut random, 48, 0.05);
            vector[random.next_u64() as usize % 48] += 5.0;
            vector
        })
        .collect()
}

/// Latitude and longitude in towns: places some meters apart, towns far from another.
pub(crate) fn places(seed: u64, count: usize) -> Vec<Vec<f32>> {
    clusters(seed, count, 2, 40, 40.0, 0.001)
}

/// Normal vectors, and one whose values are all `value`, at place `at`.
pub(crate) fn with_outlier(seed: u64, count: usize, at: usize, value: f32) -> Vec<Vec<f32>> {
    let mut rows = normals(seed, count, 32);
    if let Some(row) = rows.get_mut(at) {
        row.fill(value);
    }
    rows
}

/// Normal vectors whose mean moves away: by 30 in each dimension from the first to the last.
pub(crate) fn drifting(seed: u64, count: usize, dims: usize) -> Vec<Vec<f32>> {
    let mut random = SplitMix64::new(seed);
    (0..count)
        .map(|i| {
            let mean = 30.0 * i as f32 / count as f32;
            (0..dims).map(|_| mean + random.next_normal()).collect()
        })
        .collect()
}

/// `rows` one after another until there are `count`.
pub(crate) fn repeated(rows: Vec<Vec<f32>>, count: usize) -> Vec<Vec<f32>> {
    rows.iter().cycle().take(count).cloned().collect()
}

/// Ascending by the first value.
pub(crate) fn sorted(mut rows: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
    rows.sort_by(|a, b| a[0].total_cmp(&b[0]));
    rows
}

/// In an order drawn from `seed`.
pub(crate) fn shuffled(seed: u64, mut rows: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
    let mut random = SplitMix64::new(seed);
    for i in (1..rows.len()).rev() {
        rows.swap(i, (random.next_u64() % (i as u64 + 1)) as usize);
    }
    rows
}

/// Each value replaced by what `f` makes of its dimension and itself.
pub(crate) fn each(mut rows: Vec<Vec<f32>>, f: impl Fn(usize, f32) -> f32) -> Vec<Vec<f32>> {
    for row in &mut rows {
        for (i, x) in row.iter_mut().enumerate() {
            *x = f(i, *x);
        }
    }
    rows
}
