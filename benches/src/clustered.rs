//! Made-up vectors whose search is as hard as that of real embeddings: the same on every machine.
//!
//! Rows come from overlapping clusters. The share of the cluster of rank `i` falls as `1 / (i + 4)`,
//! as topics do in a corpus. Inside, a row moves along [`LATENT`] directions, the `j`-th
//! `1 / sqrt(j + 1)` times as far as the first, and a little in all others: so a neighborhood has
//! some ten effective dimensions, whatever the width of the vectors. The directions are common to
//! all clusters but tilted in each, as with embeddings, whose principal components are those of
//! the model. Centers spread half as far as a cluster does, and rows lie between 0.7 and 1.3 times
//! as far out: neighbors are in several clusters. At 100,000 x 128 a graph of m 16 and
//! ef_construction 64 has recall@10 of 0.70, 0.91 and 0.98 at ef 10, 40 and 160, somewhat below
//! that on embeddings of sentences. Queries are further rows, held out.
//!
//! Only additions, multiplications, divisions and square roots are used, which IEEE 754 rounds in
//! one way. A row depends on its number alone: smaller sets are the beginning of greater ones.

use std::ops::Range;

use quant::{SplitMix64, splitmix64};

use crate::matrix::Matrix;

const CLUSTERS: usize = 500;
/// Directions in which a cluster extends.
const LATENT: usize = 24;
/// Number of the first query among all rows.
const FIRST_QUERY: usize = 1 << 40;

/// The clusters of vectors of one width.
pub struct Clustered {
    dims: usize,
    /// Sum of the shares of the clusters up to each.
    shares: Vec<f32>,
    clusters: Vec<Cluster>,
}

struct Cluster {
    center: Vec<f32>,
    /// `LATENT` rows of `dims` values.
    directions: Vec<f32>,
}

impl Clustered {
    /// The distribution of vectors of `dims` dimensions.
    pub fn new(dims: usize) -> Self {
        let mut sum = 0.0;
        let share = |rank| {
            sum += 1.0 / (rank as f32 + 4.0);
            sum
        };
        let shares = (0..CLUSTERS).map(share).collect();
        let common = normals(u64::MAX, LATENT * dims);
        let clusters = (1..=CLUSTERS).map(|number| Cluster::new(number, dims, &common)).collect();
        Self { dims, shares, clusters }
    }

    /// The first `count` rows.
    pub fn base(&self, count: usize) -> Matrix<f32> {
        self.rows(0..count)
    }

    /// The first `count` queries.
    pub fn queries(&self, count: usize) -> Matrix<f32> {
        self.rows(FIRST_QUERY..FIRST_QUERY + count)
    }

    fn rows(&self, numbers: Range<usize>) -> Matrix<f32> {
        let mut data = Vec::with_capacity(numbers.len() * self.dims);
        numbers.for_each(|number| self.push_row(number, &mut data));
        Matrix { cols: self.dims, data }
    }

    fn push_row(&self, number: usize, data: &mut Vec<f32>) {
        let mut random = SplitMix64::new(splitmix64(number as u64));
        let whole = self.shares[CLUSTERS - 1];
        let point = random.next_f32() * whole;
        let cluster = self.shares.partition_point(|&sum| sum <= point).min(CLUSTERS - 1);
        let Cluster { center, directions } = &self.clusters[cluster];
        let spread = 0.7 + 0.6 * random.next_f32();
        let start = data.len();
        data.extend(center.iter().map(|x| x + 0.1 * normal(&mut random)));
        for (j, direction) in directions.chunks_exact(self.dims).enumerate() {
            let step = spread * normal(&mut random) / (j as f32 + 1.0).sqrt();
            for (x, d) in data[start..].iter_mut().zip(direction) {
                *x += step * d;
            }
        }
    }
}

impl Cluster {
    fn new(number: usize, dims: usize, common: &[f32]) -> Self {
        let own = normals(u64::MAX - number as u64, dims + common.len());
        let (center, tilts) = own.split_at(dims);
        let directions = common.iter().zip(tilts).map(|(common, tilt)| common + 0.2 * tilt);
        Self { center: center.to_vec(), directions: directions.collect() }
    }
}

/// The first normal numbers of sequence `number`. Rows have the small numbers.
fn normals(number: u64, count: usize) -> Vec<f32> {
    let mut random = SplitMix64::new(splitmix64(number));
    (0..count).map(|_| normal(&mut random)).collect()
}

/// About normally distributed with mean 0 and standard deviation 1: the sum of four uniform
/// numbers, which unlike a logarithm is the same everywhere.
fn normal(random: &mut SplitMix64) -> f32 {
    let bits = random.next_u64();
    let sum: u64 = (0..4).map(|i| bits >> (16 * i) & 0xffff).sum();
    // A uniform number of 0 .. 65535 has variance (65536^2 - 1) / 12.
    let deviation = ((65536.0f32 * 65536.0 - 1.0) / 3.0).sqrt();
    (sum as f32 - 2.0 * 65535.0) / deviation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_fixed() {
        let data = Clustered::new(8);
        let (few, more) = (data.base(2), data.base(50));
        assert_eq!(few.data, more.data[..16]);
        let bits = more.data.iter().fold(0, |hash, x| splitmix64(hash ^ u64::from(x.to_bits())));
        assert_eq!(bits, 9_901_428_629_977_219_981, "the same on every machine");
        assert_ne!(data.queries(1).data, few.data[..8]);
    }

    #[test]
    fn steps_are_normal() {
        let mut random = SplitMix64::new(1);
        let steps: Vec<f32> = (0..10_000).map(|_| normal(&mut random)).collect();
        let mean = steps.iter().sum::<f32>() / 1e4;
        let variance = steps.iter().map(|x| x * x).sum::<f32>() / 1e4;
        assert!(mean.abs() < 0.05 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }
}
