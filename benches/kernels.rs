//! Kernels beside a well-known library, on vectors in the cache.
//!
//! `cargo bench -p benches --bench kernels -- --quick`

#![allow(missing_docs, reason = "of criterion_group")]

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use half::{bf16, f16};
use kernels::sparse::{self, Sparse};
use kernels::{BitQuery, CodeShape, CosineTerms, Element};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use simsimd::{BinarySimilarity, SpatialSimilarity};

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

/// Distances of vectors with elements `ours`, which `theirs` are the same bits as.
fn distances<E: Element, T: SpatialSimilarity>(
    c: &mut Criterion,
    name: &str,
    element: fn(&mut SmallRng) -> E,
    theirs: fn(E) -> T,
) {
    for dims in DIMS {
        let (a, b) = (&random(dims, element), &random(dims + 1, element)[1..]);
        let same = |ours: &[E]| ours.iter().map(|&x| theirs(x)).collect::<Vec<T>>();
        let (their_a, their_b) = (&same(a)[..], &same(b)[..]);

        let mut g = group(c, &format!("l2_squared/{name}/{dims}"));
        g.bench_function("ours", |t| t.iter(|| kernels::l2_squared(black_box(a), black_box(b))));
        g.bench_function("simsimd", |t| {
            t.iter(|| T::sqeuclidean(black_box(their_a), black_box(their_b)));
        });
        g.finish();

        let mut g = group(c, &format!("inner_product/{name}/{dims}"));
        g.bench_function("ours", |t| t.iter(|| kernels::inner_product(black_box(a), black_box(b))));
        g.bench_function("simsimd", |t| t.iter(|| T::dot(black_box(their_a), black_box(their_b))));
        g.finish();

        let mut g = group(c, &format!("cosine/{name}/{dims}"));
        g.bench_function("ours", |t| {
            t.iter(|| {
                let terms = kernels::cosine_terms(black_box(a), black_box(b));
                let norms = terms.norm_a.into() * terms.norm_b.into();
                1.0 - terms.dot.into() / norms.sqrt()
            });
        });
        g.bench_function("simsimd", |t| {
            t.iter(|| T::cosine(black_box(their_a), black_box(their_b)));
        });
        g.finish();

        let mut g = group(c, &format!("l1/{name}/{dims}"));
        g.bench_function("ours", |t| t.iter(|| kernels::l1(black_box(a), black_box(b))));
        g.finish();
    }
}

fn same_elements(c: &mut Criterion) {
    let float = |rng: &mut SmallRng| rng.random_range(-1.0..1.0);
    distances(c, "f32", float, |x| x);
    let half = |rng: &mut SmallRng| f16::from_f32(rng.random_range(-1.0..1.0));
    distances(c, "f16", half, |x| simsimd::f16(x.to_bits()));
    let half = |rng: &mut SmallRng| bf16::from_f32(rng.random_range(-1.0..1.0));
    distances(c, "bf16", half, |x| simsimd::bf16(x.to_bits()));
    distances(c, "i8", SmallRng::random::<i8>, |x| x);
}

/// Vectors beside halves of a page.
fn page_distances(c: &mut Criterion) {
    for dims in DIMS.into_iter().chain([100]) {
        let a = &floats(dims, 0.0);
        let b: &Vec<[u8; 2]> =
            &floats(dims, 0.1).into_iter().map(|x| f16::from_f32(x).to_le_bytes()).collect();
        let mut g = group(c, &format!("page/{dims}"));
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
    }
}

fn bits(c: &mut Criterion) {
    for dims in DIMS.into_iter().chain([64_000]) {
        let bytes = dims / 8;
        let (a, b) = (&random(bytes, SmallRng::random), &random(bytes + 1, SmallRng::random)[1..]);
        let mut g = group(c, &format!("hamming/{dims}"));
        g.bench_function("ours", |t| t.iter(|| kernels::hamming(black_box(a), black_box(b))));
        g.bench_function("simsimd", |t| t.iter(|| u8::hamming(black_box(a), black_box(b))));
        g.finish();

        let mut g = group(c, &format!("jaccard/{dims}"));
        g.bench_function("ours", |t| t.iter(|| kernels::jaccard_terms(black_box(a), black_box(b))));
        g.bench_function("simsimd", |t| t.iter(|| u8::jaccard(black_box(a), black_box(b))));
        g.finish();
    }
}

type SparseDistance = fn(Sparse<'_>, Sparse<'_>) -> f32;

fn sparse(c: &mut Criterion) {
    for (n, m) in [(30, 30), (100, 100), (100, 3_000), (1_000, 1_000)] {
        // Many pairs: a branch predictor would learn the course of one.
        let indices = |n: usize, seed: usize| {
            let indices = random(n + seed, |rng| rng.random_range(0..30_000)).split_off(seed);
            indices.into_iter().collect::<BTreeSet<u32>>().into_iter().collect::<Vec<_>>()
        };
        let pairs: Vec<_> = (0..200).map(|i| (indices(n, i), indices(m, 1000 + i))).collect();
        let values = &floats(m, 0.0);
        let mut g = group(c, &format!("sparse/{n}x{m}"));
        let distances: [(&str, SparseDistance); 3] = [
            ("l2_squared", sparse::l2_squared),
            ("inner_product", sparse::inner_product),
            ("plain inner_product", merge_products),
        ];
        for (name, distance) in distances {
            let mut pairs = pairs.iter().cycle();
            g.bench_function(name, |t| {
                t.iter(|| {
                    pairs.next().map(|(a, b)| {
                        distance(Sparse { indices: a, values }, Sparse { indices: b, values })
                    })
                });
            });
        }
        g.finish();
    }
}

/// The inner product by a plain merge.
fn merge_products(a: Sparse<'_>, b: Sparse<'_>) -> f32 {
    let (mut i, mut j, mut sum) = (0, 0, 0.0);
    while i < a.indices.len() && j < b.indices.len() {
        match a.indices[i].cmp(&b.indices[j]) {
            Ordering::Less => i += 1,
            Ordering::Greater => j += 1,
            Ordering::Equal => {
                sum += a.values[i] * b.values[j];
                (i, j) = (i + 1, j + 1);
            }
        }
    }
    sum
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

criterion_group!(benches, same_elements, page_distances, integers, bits, sparse, codes, transform);
criterion_main!(benches);
