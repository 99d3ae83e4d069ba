//! Data sets as the benchmarks keep them.

use quant::Metric;

/// The metric of that name; cosine where it is unknown.
pub fn metric(name: &str) -> Metric {
    match name {
        "l2" => Metric::L2,
        "ip" => Metric::InnerProduct,
        "l1" => Metric::L1,
        _ => Metric::Cosine,
    }
}

/// Distance of the `k`-th nearest of `base` to `query`.
pub fn kth_distance(metric: Metric, query: &[f32], base: &[f32], k: usize) -> f64 {
    let mut distances: Vec<f64> = base
        .chunks_exact(query.len())
        .map(|vector| match metric {
            Metric::L2 => f64::from(kernels::l2_squared(query, vector)).sqrt(),
            Metric::InnerProduct => -f64::from(kernels::inner_product(query, vector)),
            Metric::L1 | Metric::Hamming | Metric::Jaccard => f64::from(kernels::l1(query, vector)),
            Metric::Cosine => {
                let t = kernels::cosine_terms(query, vector);
                1.0 - f64::from(t.dot) / (f64::from(t.norm_a) * f64::from(t.norm_b)).sqrt()
            }
        })
        .collect();
    *distances.select_nth_unstable_by(k - 1, f64::total_cmp).1
}

/// Dimensions and values of a file of vectors, at most `limit` of them.
pub fn read(dir: &str, name: &str, limit: usize) -> std::io::Result<(usize, Vec<f32>)> {
    use std::io::Read;
    for (suffix, size) in [("u8bin", 1), ("f16bin", 2), ("fbin", 4)] {
        let path = format!("{dir}/{name}.{suffix}.gz");
        let Ok(file) = std::fs::File::open(path) else { continue };
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(file).read_to_end(&mut bytes)?;
        let dims = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]) as usize;
        let values = bytes[8..].chunks_exact(size).take(limit.saturating_mul(dims));
        let values = values.map(|b| match *b {
            [x] => f32::from(x),
            [a, b] => half::f16::from_le_bytes([a, b]).to_f32(),
            [a, b, c, d] => f32::from_le_bytes([a, b, c, d]),
            _ => 0.0,
        });
        return Ok((dims, values.collect()));
    }
    Err(std::io::Error::other("no such data set"))
}
