//! Time and quality of a training on real vectors:
//! `cargo run --release -p kmeans --example train_time -- FILE.u8bin.gz CLUSTERS THREADS`

use std::fs::File;
use std::io::Read;
use std::time::Instant;

use kmeans::{Clusters, Options, Rows, train};
use threads::Workers;

fn read(path: &str) -> (Vec<f32>, usize) {
    let mut bytes = Vec::new();
    let file = File::open(path).expect("a file of vectors");
    flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).expect("a gzip file");
    let dims = u32::from_le_bytes(bytes[4..8].try_into().expect("a header")) as usize;
    let numbers = if path.contains("u8bin") {
        bytes[8..].iter().map(|&x| f32::from(x)).collect()
    } else {
        let halves = bytes[8..].as_chunks().0;
        let mut numbers = vec![0.0; halves.len()];
        kernels::widen_f16(halves, 1.0, &mut numbers);
        numbers
    };
    (numbers, dims)
}

/// Mean squared distance to the nearest centroid, and rows of each.
fn measure(rows: Rows<'_>, clusters: &Clusters) -> (f64, Vec<usize>) {
    let mut sizes = vec![0; clusters.len()];
    let mut sum = 0.0;
    for i in 0..rows.len() {
        let distance = |c: &usize| kernels::l2_squared(rows.row(i), clusters.centroid(*c));
        let best = (0..clusters.len()).min_by(|a, b| distance(a).total_cmp(&distance(b)));
        let best = best.expect("a cluster");
        sizes[best] += 1;
        sum += f64::from(distance(&best));
    }
    (sum / rows.len() as f64, sizes)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, clusters, threads] = &arguments[..] else {
        panic!("arguments: FILE CLUSTERS THREADS");
    };
    let (numbers, dims) = read(path);
    let rows = Rows::new(&numbers, dims);
    let number = |text: &str| text.parse().expect("a number");
    let options = Options { clusters: number(clusters), spherical: false, seed: 1 };
    let mut on_tick = |_| true;
    let mut workers = Workers::new(number(threads), &mut on_tick);
    let start = Instant::now();
    let clusters = train(rows, &options, &mut workers).expect("clusters");
    let seconds = start.elapsed().as_secs_f64();
    let (inertia, sizes) = measure(rows, &clusters);
    let squares: f64 = sizes.iter().map(|&n| (n * n) as f64).sum();
    let imbalance = squares * sizes.len() as f64 / (rows.len() * rows.len()) as f64;
    let largest = sizes.iter().max().expect("a cluster") * sizes.len();
    println!(
        "{} clusters in {} groups: {seconds:.2} s, inertia {inertia:.5}, imbalance {imbalance:.3}, largest / mean {:.2}, empty {}",
        clusters.len(),
        clusters.groups(),
        largest as f64 / rows.len() as f64,
        sizes.iter().filter(|&&n| n == 0).count(),
    );
}
