//! Vectors unlike those that an index is tuned on: clusters, near-duplicates, outliers, offsets,
//! heavy tails, drift.  What an index finds in them is tested and measured against exact answers.
//!
//! Every distribution is drawn from a seed and is the same on every machine.

mod column;
mod draw;
mod extremes;

use quant::Metric;

pub use column::{Column, Conversion};
use draw::*;
pub use extremes::extremes;

/// A distribution of vectors, and one of queries for their nearest neighbors.
pub struct Distribution {
    /// What is unusual, a few words.
    pub name: &'static str,
    /// The metric that it is searched by.
    pub metric: Metric,
    rows: Draw,
    queries: Draw,
}

/// Draws as many vectors as asked, of one length, from a seed.
type Draw = Box<dyn Fn(u64, usize) -> Vec<Vec<f32>>>;

impl Distribution {
    /// The first `count` rows, in the order in which they arrive.
    pub fn rows(&self, count: usize) -> Vec<Vec<f32>> {
        (self.rows)(1, count)
    }

    /// `count` others, which replace some of the first.
    pub fn later_rows(&self, count: usize) -> Vec<Vec<f32>> {
        (self.rows)(3, count)
    }

    /// `count` queries; none equals a row, unless values are few.
    pub fn queries(&self, count: usize) -> Vec<Vec<f32>> {
        (self.queries)(2, count)
    }
}

/// All distributions.
pub fn all() -> Vec<Distribution> {
    use Metric::{Cosine, InnerProduct, L1, L2};
    let mut all = Vec::new();
    let mut add = |name, metric, draw: fn(u64, usize) -> Vec<Vec<f32>>| {
        all.push(Distribution { name, metric, rows: Box::new(draw), queries: Box::new(draw) });
    };
    add("normal", L2, |s, n| normals(s, n, 32));
    add("normal, L1", L1, |s, n| normals(s, n, 32));
    add("uniform, 3 dimensions", L2, |s, n| uniforms(s, n, 3));
    add("uniform, 3 dimensions, cosine", Cosine, |s, n| uniforms(s, n, 3));

    add("10 clusters 100 apart", L2, |s, n| clusters(s, n, 16, 10, 100.0 / 5.6, 1.0));
    add("50 clusters 200 spreads apart", L2, |s, n| clusters(s, n, 24, 50, 200.0, 1.0));
    add("50 clusters 200 spreads apart, L1", L1, |s, n| clusters(s, n, 24, 50, 200.0, 1.0));
    add("20 clusters 20,000 spreads apart", L2, |s, n| clusters(s, n, 16, 20, 20_000.0, 1.0));
    add("clusters of sizes by a power law", L2, |s, n| unequal_clusters(s, n, 32));
    add("near-duplicates, 2 % apart", L2, |s, n| clusters(s, n, 96, 20, 1.0, 0.02));
    add("near-duplicates, 1 % apart, cosine", Cosine, |s, n| clusters(s, n, 128, 8, 1.0, 0.01));
    add("near-duplicates, 5 % apart, IP", InnerProduct, |s, n| clusters(s, n, 64, 20, 1.0, 0.05));
    add("families, 20 % apart", L2, |s, n| clusters(s, n, 256, 20, 1.0, 0.2));

    add("offset of 1,000", L2, |s, n| each(normals(s, n, 32), |_, x| x + 1000.0));
    add("offset of 1,000, L1", L1, |s, n| each(normals(s, n, 32), |_, x| x + 1000.0));
    add("offset of 1,000, 128 dimensions", L2, |s, n| each(normals(s, n, 128), |_, x| x + 1000.0));
    add("rogue dimensions", Cosine, |s, n| {
        each(normals(s, n, 128), |i, x| if i < 3 { 40.0 } else { x })
    });
    add("places on a globe, a meter apart", L2, places);
    add("scales over ten orders", L2, |s, n| {
        each(normals(s, n, 32), |i, x| x * 10f32.powf(i as f32 / 3.2 - 5.0))
    });
    add("values around 1e-12", L2, |s, n| each(normals(s, n, 32), |_, x| x * 1e-12));
    add("values around 1e12", L2, |s, n| each(normals(s, n, 32), |_, x| x * 1e12));

    add("one-hot and noise", L2, one_hot);
    add("counts", L2, |s, n| each(normals(s, n, 40), |_, x| (x * 2.0).abs().floor().powi(2)));
    add("zeros and ones", L2, |s, n| each(normals(s, n, 64), |_, x| f32::from(x > 0.0)));
    add("heavy-tailed norms", L2, |s, n| heavy_tailed(s, n, 48));
    add("heavy-tailed norms, IP", InnerProduct, |s, n| heavy_tailed(s, n, 48));

    add("uniform, 2 dimensions, IP", InnerProduct, |s, n| uniforms(s, n, 2));
    add("uniform, 3 dimensions, IP", InnerProduct, |s, n| uniforms(s, n, 3));
    add("uniform, 8 dimensions, IP", InnerProduct, |s, n| uniforms(s, n, 8));
    add("uniform, 32 dimensions, IP", InnerProduct, |s, n| uniforms(s, n, 32));
    add("products, 3 dimensions, IP", InnerProduct, |s, n| products(s, n, 3));
    add("normal, 2 dimensions, IP", InnerProduct, |s, n| normals(s, n, 2));

    // What arrives last, repeats, or is asked, is unlike the rest.
    let mut add = |name,
                   metric,
                   rows: fn(u64, usize) -> Vec<Vec<f32>>,
                   queries: fn(u64, usize) -> _| {
        all.push(Distribution { name, metric, rows: Box::new(rows), queries: Box::new(queries) });
    };
    let plain = |s, n| normals(s, n, 32);
    add("every row ten times", L2, |s, n| repeated(normals(s, n.div_ceil(10), 32), n), plain);
    add("an outlier at 1e5", L2, |s, n| with_outlier(s, n, n / 2, 1e5), plain);
    add("an outlier at 1e7", L2, |s, n| with_outlier(s, n, n / 2, 1e7), plain);
    add("an outlier at 1e7, the first row", L2, |s, n| with_outlier(s, n, 0, 1e7), plain);
    add(
        "an outlier at 1e5, the last row",
        L2,
        |s, n| with_outlier(s, n, n.saturating_sub(1), 1e5),
        plain,
    );
    add("an outlier at 1e5, cosine", Cosine, |s, n| with_outlier(s, n, n / 2, 1e5), plain);
    add("drift", L2, |s, n| drifting(s, n, 32), |s, n| shuffled(s, drifting(s, n, 32)));
    add("sorted by a value", L2, |s, n| sorted(normals(s, n, 16)), |s, n| normals(s, n, 16));
    add(
        "queries unlike the rows",
        L2,
        |s, n| clusters(s, n, 64, 30, 1.0, 0.3),
        |s, n| each(normals(s, n, 64), |_, x| x * 3.0),
    );
    all
}
