//! Codes and estimates together, against exact distances.

use kernels::{BLOCK, CodeShape};

use super::{EdgeCoder, EdgeQuery, SeenOwner};
use crate::{Metric, Rotation, SplitMix64};

/// `count` vectors with normally distributed coordinates around `mean`.
fn normals(random: &mut SplitMix64, count: usize, dims: usize, mean: f32) -> Vec<Vec<f32>> {
    (0..count).map(|_| (0..dims).map(|_| mean + random.next_normal()).collect()).collect()
}

fn coder(dims: usize, code_dims: usize, planes: usize, metric: Metric) -> EdgeCoder {
    let shape = CodeShape { planes, plane_bytes: code_dims.div_ceil(8) };
    EdgeCoder::new(Rotation::new(dims, 11), shape, metric, vec![0.0; code_dims])
}

/// The same with a center of `mean` in all coordinates.
fn centered(coder: &EdgeCoder, mean: f32) -> EdgeCoder {
    let mut center = coder.rotate(&vec![mean; coder.rotation().dims()]);
    center.truncate(coder.code_dims());
    EdgeCoder::new(coder.rotation().clone(), coder.shape(), coder.metric(), center)
}

/// The reduced distance itself.
fn reduced_distance(metric: Metric, q: &[f32], x: &[f32]) -> f32 {
    match metric {
        Metric::L2 | Metric::Cosine => kernels::l2_squared(q, x),
        Metric::InnerProduct => -kernels::inner_product(q, x),
        Metric::L1 | Metric::Hamming | Metric::Jaccard => unreachable!("{metric:?} has no codes"),
    }
}

/// Estimated distances for `q` of `neighbors` in the list of `owner`.
fn estimates(coder: &EdgeCoder, owner: &[f32], neighbors: &[Vec<f32>], q: &[f32]) -> Vec<f32> {
    let prepared = coder.prepare(owner);
    let (mut codes, mut adds, mut ress) = (Vec::new(), Vec::new(), Vec::new());
    for neighbor in neighbors {
        let mut code = vec![0xFF; coder.code_bytes()];
        let factors = coder.encode(&prepared, neighbor, &mut code);
        codes.extend(code);
        adds.push(factors.add.to_le_bytes());
        ress.push(factors.res.to_le_bytes());
    }
    let (base, alpha) = if coder.metric() == Metric::InnerProduct {
        let product = kernels::inner_product(q, owner);
        (-product, product / kernels::inner_product(owner, owner))
    } else {
        (reduced_distance(coder.metric(), q, owner), 1.0)
    };
    let alpha = if alpha.is_finite() { alpha } else { 0.0 };
    let mut out = vec![0.0; neighbors.len()];
    EdgeQuery::new(coder, q).estimate(&codes, &adds, &ress, base, alpha, &mut out);
    out
}

/// Mean and standard deviation of (estimate - distance) over many owners, in units of
/// |q - c| · |r| (inner product: the part of q across c instead of q - c).
fn errors(coder: &EdgeCoder, query_scale: f32) -> (f64, f64) {
    let mut random = SplitMix64::new(12);
    let dims = coder.rotation().dims();
    let mut errors = Vec::new();
    for _ in 0..60 {
        let mut vectors = normals(&mut random, 34, dims, 0.0);
        if coder.metric() == Metric::Cosine {
            for x in &mut vectors {
                let norm = kernels::inner_product(x, x).sqrt();
                x.iter_mut().for_each(|x| *x /= norm);
            }
        }
        let mut q = vectors.pop().expect("34 vectors");
        q.iter_mut().for_each(|q| *q *= query_scale);
        let owner = vectors.pop().expect("33 vectors");
        let spread = match coder.metric() {
            Metric::InnerProduct => kernels::inner_product(&q, &q).sqrt(),
            Metric::L2 | Metric::Cosine | Metric::L1 | Metric::Hamming | Metric::Jaccard => {
                2.0 * kernels::l2_squared(&q, &owner).sqrt()
            }
        };
        for (x, estimate) in vectors.iter().zip(estimates(coder, &owner, &vectors, &q)) {
            let unit = spread * kernels::l2_squared(x, &owner).sqrt();
            errors.push(f64::from((estimate - reduced_distance(coder.metric(), &q, x)) / unit));
        }
    }
    let mean = errors.iter().sum::<f64>() / errors.len() as f64;
    let variance = errors.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / errors.len() as f64;
    (mean, variance.sqrt())
}

#[test]
fn estimates_are_unbiased_and_as_precise_as_their_bits() {
    // (dimensions, coded, planes, largest deviation in units of 1 / sqrt(coded))
    let cases = [
        (384, 384, 1, 0.85),
        (784, 448, 1, 1.15),
        (100, 100, 2, 0.45),
        (128, 128, 2, 0.45),
        (48, 48, 3, 0.25),
        (16, 16, 4, 0.15),
        (5, 5, 4, 0.10),
    ];
    for metric in [Metric::L2, Metric::Cosine, Metric::InnerProduct] {
        for (dims, coded, planes, limit) in cases {
            let (mean, deviation) = errors(&coder(dims, coded, planes, metric), 1.0);
            let unit = 1.0 / (coded as f64).sqrt();
            let case = format!("{metric:?} {dims} {coded} {planes}: {mean} {deviation}");
            assert!(deviation < limit * unit, "{case}");
            assert!(mean.abs() < 0.08 * limit * unit, "{case}");
        }
    }
}

#[test]
fn inner_product_follows_the_scale_of_the_query() {
    let coder = coder(96, 96, 2, Metric::InnerProduct);
    for scale in [1e-6, 0.1, 30.0, 1e6] {
        let (mean, deviation) = errors(&coder, scale);
        assert!(deviation < 0.045 && mean.abs() < 0.005, "{scale}: {mean} {deviation}");
    }
}

#[test]
fn a_common_offset_does_not_hide_the_order() {
    let mut random = SplitMix64::new(13);
    let coder = centered(&coder(100, 100, 2, Metric::L2), 1_000.0);
    let mut ordered = (0, 0);
    for _ in 0..20 {
        let vectors = normals(&mut random, 34, 100, 1_000.0);
        let (q, owner, neighbors) = (&vectors[0], &vectors[1], &vectors[2..]);
        let estimates = estimates(&coder, owner, neighbors, q);
        for a in 0..neighbors.len() {
            for b in 0..a {
                let exact = [a, b].map(|i| reduced_distance(Metric::L2, q, &neighbors[i]));
                let agree = (exact[0] < exact[1]) == (estimates[a] < estimates[b]);
                ordered = (ordered.0 + usize::from(agree), ordered.1 + 1);
            }
        }
    }
    assert!(ordered.0 * 100 > ordered.1 * 80, "{ordered:?}");
}

#[test]
fn near_queries_are_told_apart_however_far_the_center_is() {
    let mut random = SplitMix64::new(18);
    for (dims, planes, limit) in [(256, 1, 0.1), (100, 2, 0.1), (16, 4, 0.2)] {
        // A group of vectors 10,000 times as far from the center as from one another.
        let coder = coder(dims, dims, planes, Metric::L2);
        let vectors = normals(&mut random, 34, dims, 1e4);
        let (q, owner, neighbors) = (&vectors[0], &vectors[1], &vectors[2..]);
        let prepared = coder.prepare(owner);
        let (mut codes, mut ress) = (Vec::new(), Vec::new());
        for neighbor in neighbors {
            let mut code = vec![0; coder.code_bytes()];
            ress.push(coder.encode(&prepared, neighbor, &mut code).res.to_le_bytes());
            codes.extend(code);
        }
        let base = kernels::l2_squared(q, owner);
        let difference: Vec<f32> = q.iter().zip(owner).map(|(q, c)| q - c).collect();
        let mut query = EdgeQuery::new(&coder, q);
        assert!(query.is_near(base));
        let mut out = vec![0.0; neighbors.len()];
        query.estimate_near(&coder, &difference, &codes, &ress, base, &mut out);
        let error = |(estimate, x): (&f32, &Vec<f32>)| {
            let exact = kernels::l2_squared(q, x);
            f64::from((estimate - exact) / exact).powi(2)
        };
        let errors: f64 = out.iter().zip(neighbors).map(error).sum();
        let deviation = (errors / neighbors.len() as f64).sqrt();
        assert!(deviation < limit, "{dims} {planes}: {deviation}");
    }
}

#[test]
fn an_equal_neighbor_has_the_distance_of_its_owner() {
    for metric in [Metric::L2, Metric::Cosine, Metric::InnerProduct] {
        let coder = coder(20, 20, 2, metric);
        let vectors = normals(&mut SplitMix64::new(14), 2, 20, 0.0);
        let distance_of_owner = reduced_distance(metric, &vectors[1], &vectors[0]);
        let same = [vectors[0].clone()];
        assert_eq!(estimates(&coder, &vectors[0], &same, &vectors[1]), [distance_of_owner]);
    }
}

#[test]
fn zeros_and_extremes_give_numbers() {
    for metric in [Metric::L2, Metric::InnerProduct] {
        for planes in 1..=4 {
            let coder = coder(24, 16, planes, metric);
            for magnitude in [0.0, f32::MIN_POSITIVE, 1e-20, 1.0, 1e18, 1e30, f32::MAX / 8.0] {
                let mut random = SplitMix64::new(15);
                let mut vectors = normals(&mut random, 6, 24, 0.0);
                vectors.iter_mut().flatten().for_each(|x| *x *= magnitude / 8.0);
                vectors.push(vec![0.0; 24]);
                for owner in &vectors {
                    for q in &vectors {
                        let estimates = estimates(&coder, owner, &vectors, q);
                        assert!(estimates.iter().all(|e| !e.is_nan()), "{magnitude}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_pair_is_coded_as_each_for_itself() {
    let mut random = SplitMix64::new(17);
    for (dims, code_dims, planes) in [(100, 100, 2), (101, 45, 1), (64, 61, 4)] {
        for metric in [Metric::L2, Metric::InnerProduct] {
            let coder = coder(dims, code_dims, planes, metric);
            let vectors = normals(&mut random, 2, dims, 0.5);
            for (a, b) in [(&vectors[0], &vectors[1]), (&vectors[0], &vectors[0])] {
                let mut codes = [(); 4].map(|()| vec![0xAA; coder.code_bytes()]);
                let [there, back, one, other] = &mut codes;
                let pair = coder.encode_pair((a, b), there, back);
                let single = [coder.encode_rotated(a, b, one), coder.encode_rotated(b, a, other)];
                assert_eq!((&there, &back), (&one, &other), "{dims} {planes} {metric:?}");
                for (pair, single) in pair.iter().zip(single) {
                    let close = |x: half::bf16, y: half::bf16| {
                        (x.to_f64() - y.to_f64()).abs() <= 0.01 * x.to_f64().abs() + 1e-3
                    };
                    assert!(close(pair.add, single.add), "{pair:?} {single:?}");
                    assert!(close(pair.res, single.res), "{pair:?} {single:?}");
                }
            }
        }
    }
}

/// The codes of a block, byte by byte.
fn interleaved(codes: &[Vec<u8>]) -> Vec<u8> {
    (0..codes[0].len()).flat_map(|byte| codes.iter().map(move |code| code[byte])).collect()
}

#[test]
fn errors_are_as_large_as_told() {
    let mut random = SplitMix64::new(21);
    for (dims, code_dims, planes) in
        [(128, 128, 1), (100, 100, 2), (60, 60, 4), (512, 512, 1), (512, 200, 1), (300, 300, 3)]
    {
        for metric in [Metric::L2, Metric::InnerProduct] {
            let coder = coder(dims, code_dims, planes, metric);
            let (mut squares, mut count) = (0.0, 0);
            for round in 0..60 {
                // Queries near and far from the owner, in units of the neighbors' distance.
                let scale = [0.5, 1.0, 3.0][round % 3];
                let owner = &normals(&mut random, 1, dims, 0.2)[0];
                let apart = |x: &[f32], by: f32| -> Vec<f32> {
                    owner.iter().zip(x).map(|(c, x)| c + by * x).collect()
                };
                let q = apart(&normals(&mut random, 1, dims, 0.0)[0], scale);
                let neighbors = normals(&mut random, BLOCK, dims, 0.0);
                let neighbors: Vec<_> = neighbors.iter().map(|x| apart(x, 1.0)).collect();
                let prepared = coder.prepare(owner);
                let mut codes = vec![vec![0; coder.code_bytes()]; BLOCK];
                let factors: Vec<_> = neighbors
                    .iter()
                    .zip(&mut codes)
                    .map(|(neighbor, code)| coder.encode(&prepared, neighbor, code))
                    .collect();
                let adds = std::array::from_fn(|j| factors[j].add.to_le_bytes());
                let ress = std::array::from_fn(|j| factors[j].res.to_le_bytes());
                let by_product = metric == Metric::InnerProduct;
                let product = kernels::inner_product(&q, owner);
                let square = kernels::inner_product(owner, owner);
                let base = reduced_distance(metric, &q, owner);
                let alpha = if by_product { product / square } else { 1.0 };
                let across = kernels::inner_product(&q, &q) - product * product / square;
                let distance = if by_product { across.sqrt() } else { base.sqrt() };
                let query = EdgeQuery::new(&coder, &q);
                let mut out = [0.0; BLOCK];
                let seen = SeenOwner { base, slack: 0.0, alpha, across: distance };
                query.bound_block(&interleaved(&codes), &adds, &ress, &seen, 0.0, &mut out);
                for (j, estimate) in out.into_iter().enumerate() {
                    let error = estimate - reduced_distance(metric, &q, &neighbors[j]);
                    let told = query.deviation(distance) * factors[j].res.to_f32().abs();
                    squares += f64::from(error / told).powi(2);
                    count += 1;
                }
            }
            let ratio = (squares / f64::from(count)).sqrt();
            assert!(
                (0.85..1.15).contains(&ratio),
                "{dims} {code_dims} {planes} {metric:?}: {ratio}"
            );
        }
    }
}
