//! Recall on data unlike embeddings: clusters far apart, near-duplicates, outliers, offsets, heavy
//! tails; built at once and grown row by row.

mod support;

use quant::{Metric, SplitMix64};
use support::*;

/// Width of the searches: the default.
const EF: usize = 40;

/// Rows, then queries.
struct Data {
    name: &'static str,
    metric: Metric,
    rows: Vec<Vec<f32>>,
    queries: Vec<Vec<f32>>,
}

fn normal(random: &mut SplitMix64, dims: usize, scale: f32) -> Vec<f32> {
    (0..dims).map(|_| scale * random.next_normal()).collect()
}

fn uniform(random: &mut SplitMix64, dims: usize) -> Vec<f32> {
    (0..dims).map(|_| random.next_u64() as f32 / u64::MAX as f32).collect()
}

/// `count` vectors around `groups` centers drawn with `apart`, `spread` from them.
fn groups(
    seed: u64,
    count: usize,
    dims: usize,
    groups: usize,
    apart: f32,
    spread: f32,
) -> Vec<Vec<f32>> {
    let mut centers = SplitMix64::new(77);
    let centers: Vec<Vec<f32>> = (0..groups).map(|_| normal(&mut centers, dims, apart)).collect();
    let mut random = SplitMix64::new(seed);
    (0..count)
        .map(|_| {
            let center = &centers[random.next_u64() as usize % groups];
            let off = normal(&mut random, dims, spread);
            center.iter().zip(off).map(|(c, x)| c + x).collect()
        })
        .collect()
}

fn map(mut rows: Vec<Vec<f32>>, mut f: impl FnMut(usize, &mut f32)) -> Vec<Vec<f32>> {
    rows.iter_mut().for_each(|row| row.iter_mut().enumerate().for_each(|(i, x)| f(i, x)));
    rows
}

fn plain(seed: u64, count: usize, dims: usize) -> Vec<Vec<f32>> {
    let mut random = SplitMix64::new(seed);
    (0..count).map(|_| normal(&mut random, dims, 1.0)).collect()
}

fn data(count: usize) -> Vec<Data> {
    use Metric::{Cosine, InnerProduct, L2};
    let q = 60;
    let both = |f: &dyn Fn(u64, usize) -> Vec<Vec<f32>>| (f(1, count), f(2, q));
    let mut all = Vec::new();
    let mut add = |name, metric, (rows, queries)| all.push(Data { name, metric, rows, queries });
    add("normal l1", Metric::L1, both(&|s, n| plain(s, n, 32)));
    add("offset l1", Metric::L1, both(&|s, n| map(plain(s, n, 32), |_, x| *x += 1000.0)));
    add("clusters l1", Metric::L1, both(&|s, n| groups(s, n, 24, 50, 200.0, 1.0)));
    add(
        "uniform cosine 3",
        Cosine,
        both(&|s, n| {
            let mut random = SplitMix64::new(s);
            (0..n).map(|_| uniform(&mut random, 3)).collect()
        }),
    );
    add(
        "uniform l2 3",
        L2,
        both(&|s, n| {
            let mut random = SplitMix64::new(s);
            (0..n).map(|_| uniform(&mut random, 3)).collect()
        }),
    );
    add("normal 32", L2, both(&|s, n| plain(s, n, 32)));
    add("50 clusters 200 sigma", L2, both(&|s, n| groups(s, n, 24, 50, 200.0, 1.0)));
    add("10 clusters 100 apart", L2, both(&|s, n| groups(s, n, 16, 10, 100.0 / 5.6, 1.0)));
    add("20 clusters 20000 sigma", L2, both(&|s, n| groups(s, n, 16, 20, 20_000.0, 1.0)));
    add("near-duplicates 2%", L2, both(&|s, n| groups(s, n, 96, 20, 1.0, 0.02)));
    add("near-duplicates 1% cosine", Cosine, both(&|s, n| groups(s, n, 128, 8, 1.0, 0.01)));
    add("families 20% 256 dims", L2, both(&|s, n| groups(s, n, 256, 20, 1.0, 0.2)));
    let outlier = |at: f32| {
        let mut rows = plain(1, count, 32);
        rows[count / 2] = vec![at; 32];
        (rows, plain(2, q, 32))
    };
    add("outlier 1e5", L2, outlier(1e5));
    add("outlier 1e7", L2, outlier(1e7));
    add(
        "one-hot",
        L2,
        both(&|s, n| {
            let mut random = SplitMix64::new(s);
            (0..n)
                .map(|_| {
                    let mut x = normal(&mut random, 48, 0.05);
                    x[random.next_u64() as usize % 48] += 5.0;
                    x
                })
                .collect()
        }),
    );
    add("offset 1000", L2, both(&|s, n| map(plain(s, n, 32), |_, x| *x += 1000.0)));
    add(
        "rogue dimensions",
        Cosine,
        both(&|s, n| {
            map(plain(s, n, 128), |i, x| {
                if i < 3 {
                    *x = 40.0;
                }
            })
        }),
    );
    add(
        "scales over ten orders",
        L2,
        both(&|s, n| map(plain(s, n, 32), |i, x| *x *= 10f32.powf(i as f32 / 3.2 - 5.0))),
    );
    add("tiny values", L2, both(&|s, n| map(plain(s, n, 32), |_, x| *x *= 1e-12)));
    add(
        "heavy tails ip",
        InnerProduct,
        both(&|s, n| {
            let mut random = SplitMix64::new(s);
            (0..n)
                .map(|_| {
                    let length = (1.0
                        / (1.0 - random.next_u64() as f32 / u64::MAX as f32).max(1e-4))
                    .powf(0.5);
                    normal(&mut random, 48, length)
                })
                .collect()
        }),
    );
    for (name, dims) in
        [("uniform ip 2", 2), ("uniform ip 3", 3), ("uniform ip 8", 8), ("uniform ip 32", 32)]
    {
        add(
            name,
            InnerProduct,
            both(&|s, n| {
                let mut random = SplitMix64::new(s);
                (0..n).map(|_| uniform(&mut random, dims)).collect()
            }),
        );
    }
    let products = |s, n| {
        let mut random = SplitMix64::new(s);
        let mut vector = || uniform(&mut random, 3).into_iter();
        (0..n).map(|_| vector().zip(vector()).map(|(a, b)| a * b).collect()).collect()
    };
    add("products ip 3", InnerProduct, both(&products));
    add("normal ip 2", InnerProduct, both(&|s, n| plain(s, n, 2)));
    add("near-duplicates ip", InnerProduct, both(&|s, n| groups(s, n, 64, 20, 1.0, 0.05)));
    add(
        "counts",
        L2,
        both(&|s, n| map(plain(s, n, 40), |_, x| *x = (*x * 2.0).abs().floor().powi(2))),
    );
    all
}

/// The share of the ten nearest that searches must find.
const FLOOR: f64 = 0.95;

/// With `ROWS` and `ONLY` (a part of a name) in the environment, other sizes and some of the data.
#[test]
fn built_and_grown_indexes_find_the_neighbors_in_any_data() {
    let count = std::env::var("ROWS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000);
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut low = Vec::new();
    for Data { name, metric, rows, queries } in data(count) {
        if !name.contains(&only) {
            continue;
        }
        let options = options(metric, rows[0].len());
        let all: Vec<usize> = (0..rows.len()).collect();
        let grown = empty(options);
        for &i in &all {
            graph::insert(&grown, &rows[i], tid(i)).expect("inserts");
        }
        for (how, store) in [("built", bulk_built(options, &rows)), ("grown", grown)] {
            let recall = recall(&store, metric, &rows, &all, &queries, EF);
            println!("{name:28} {how}: {recall:.3}");
            if recall < FLOOR {
                low.push((name, how, recall));
            }
        }
    }
    assert!(low.is_empty(), "{low:?}");
}
