//! Kernels beside a well-known library and the plain iterator, on vectors in the cache.
//!
//! `cargo bench -p benches --bench kernels -- --quick`

#![allow(missing_docs, reason = "of criterion_group")]

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use half::f16;
use kernels::{BitQuery, CodeShape, CosineTerms};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use simsimd::SpatialSimilarity;

const DIMS: [usize; 4] = [128, 384, 768, 1536];

fn group<'a>(c: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = c.benchmark_group(name);
    group.warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(500));
    group
}

fn random<T>(n: usize, mut value: impl FnMut(&mut SmallRng) -> T) -> Vec<T> {
    let rng = &mut SmallRng::seed_from_u64(n as u64);
    (0..n).map(|_| value(rng)).collect()
}

fn floats(n: usize, start: f32) -> Vec<f32> {
    random(n, |rng| start + rng.random_range(-1.0..1.0))
}

fn cosine(CosineTerms { dot, norm_a, norm_b }: CosineTerms) -> f32 {
    1.0 - dot / (norm_a * norm_b).sqrt()
}

fn f32_distances(c: &mut Criterion) {
    for dims in DIMS {
        let (a, b) = (&floats(dims, 0.0), &floats(dims, 0.1));
        let mut g = group(c, &format!("l2_squared/{dims}"));
        g.bench_function("ours", |t| t.iter(|| kernels::l2_squared(black_box(a), black_box(b))));
        g.bench_function("simsimd", |t| t.iter(|| f32::sqeuclidean(black_box(a), black_box(b))));
        g.bench_function("iterator", |t| {
            t.iter(|| {
                let terms = black_box(a).iter().zip(black_box(b)).map(|(a, b)| (a - b) * (a - b));
                terms.sum::<f32>()
            });
        });
        g.finish();

        let mut g = group(c, &format!("inner_product/{dims}"));
        g.bench_function("ours", |t| t.iter(|| kernels::inner_product(black_box(a), black_box(b))));
        g.bench_function("simsimd", |t| t.iter(|| f32::dot(black_box(a), black_box(b))));
        g.bench_function("iterator", |t| {
            t.iter(|| black_box(a).iter().zip(black_box(b)).map(|(a, b)| a * b).sum::<f32>());
        });
        g.finish();

        let mut g = group(c, &format!("cosine/{dims}"));
        g.bench_function("ours", |t| {
            t.iter(|| cosine(kernels::cosine_terms(black_box(a), black_box(b))));
        });
        g.bench_function("simsimd", |t| t.iter(|| f32::cosine(black_box(a), black_box(b))));
        g.finish();

        let mut g = group(c, &format!("l1/{dims}"));
        g.bench_function("ours", |t| t.iter(|| kernels::l1(black_box(a), black_box(b))));
        g.finish();
    }
}

fn f16_distances(c: &mut Criterion) {
    for dims in DIMS.into_iter().chain([100]) {
        let a = &floats(dims, 0.0);
        let b: &Vec<[u8; 2]> =
            &floats(dims, 0.1).into_iter().map(|x| f16::from_f32(x).to_le_bytes()).collect();
        let mut g = group(c, &format!("f16/{dims}"));
        g.bench_function("l2_squared", |t| {
            t.iter(|| kernels::l2_squared_f16(black_box(a), black_box(b), black_box(0.5)));
        });
        g.bench_function("cosine", |t| {
            t.iter(|| {
                cosine(kernels::cosine_terms_f16(black_box(a), black_box(b), black_box(0.5)))
            });
        });
        let out = &mut vec![0.0; dims];
        g.bench_function("widen", |t| {
            t.iter(|| kernels::widen_f16(black_box(b), black_box(0.5), black_box(out)));
        });
        g.finish();
    }
}

fn integers(c: &mut Criterion) {
    for dims in DIMS {
        let value = |rng: &mut SmallRng| rng.random_range(-127..=127);
        let (a, b) = (&random(dims, value), &random(dims, value));
        let mut g = group(c, &format!("inner_product_i8/{dims}"));
        g.bench_function("ours", |t| {
            t.iter(|| kernels::inner_product_i8(black_box(a), black_box(b)));
        });
        g.bench_function("simsimd", |t| t.iter(|| i8::dot(black_box(a), black_box(b))));
        g.finish();

        let (a, b) = (&random(dims / 8, SmallRng::random), &random(dims / 8, SmallRng::random));
        let mut g = group(c, &format!("hamming/{dims}"));
        g.bench_function("ours", |t| t.iter(|| kernels::hamming(black_box(a), black_box(b))));
        g.finish();
    }
}

fn codes(c: &mut Criterion) {
    for (dims, planes) in [(104, 1), (104, 2), (256, 1), (384, 1), (512, 1), (768, 1), (1536, 1)] {
        let shape = CodeShape { planes, plane_bytes: dims / 8 };
        let query = BitQuery::new(&random(dims, |rng| rng.random_range(-8..=7)));
        let mut g = group(c, &format!("score_codes/{dims}x{planes}"));
        for n in [4, 16, 24, 32] {
            let codes = &random(n * shape.bytes() + 64, SmallRng::random);
            let scores = &mut vec![0; n];
            g.throughput(Throughput::Elements(n as u64)).bench_function(n.to_string(), |t| {
                t.iter(|| {
                    let (codes, scores) = (black_box(&codes[..]), black_box(&mut scores[..]));
                    kernels::score_codes(&query, codes, shape, shape.bytes(), scores);
                });
            });
        }
        let values = &random(dims, |rng| rng.random_range(-8..=7));
        g.bench_function("query", |t| t.iter(|| BitQuery::new(black_box(values))));
        g.finish();
    }
}

fn transform(c: &mut Criterion) {
    let mut g = group(c, "hadamard");
    for dims in [128, 512, 2048] {
        let x = &mut floats(dims, 0.0);
        g.bench_function(dims.to_string(), |t| {
            x.fill(0.0);
            t.iter(|| kernels::hadamard(black_box(x)));
        });
    }
    g.finish();
}

criterion_group!(benches, f32_distances, f16_distances, integers, codes, transform);
criterion_main!(benches);
