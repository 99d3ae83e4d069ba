//! True neighbors, computed by comparing with every row, and kept under Cargo's target folder.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::{env, io, thread};

use crate::exact::Metric;
use crate::matrix::Matrix;

/// Rows compared with one query after the other while they are in the cache.
const BLOCK: usize = 256;

/// The distance of each query's `k`-th nearest row of `base`, of those rows that are `live`;
/// infinite where there are fewer.
pub fn kth_distances(
    metric: Metric,
    base: &Matrix<f32>,
    queries: &Matrix<f32>,
    k: usize,
    live: &(dyn Fn(usize) -> bool + Sync),
) -> Vec<f64> {
    let live: Vec<usize> = (0..base.rows()).filter(|&row| live(row)).collect();
    let scan = |first: usize, kth: &mut [f64]| {
        let mut nearest = vec![vec![f64::INFINITY; k]; kth.len()];
        for block in live.chunks(BLOCK) {
            for (i, nearest) in nearest.iter_mut().enumerate() {
                let query = queries.row(first + i);
                for &row in block {
                    let distance = metric.distance(base.row(row), query);
                    if distance < nearest[k - 1] {
                        nearest.pop();
                        nearest.insert(nearest.partition_point(|&d| d <= distance), distance);
                    }
                }
            }
        }
        for (kth, nearest) in kth.iter_mut().zip(nearest) {
            *kth = nearest[k - 1];
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let part = queries.rows().div_ceil(threads).max(1);
    let mut all = vec![0.0; queries.rows()];
    thread::scope(|scope| {
        for (number, chunk) in all.chunks_mut(part).enumerate() {
            let scan = &scan;
            scope.spawn(move || scan(number * part, chunk));
        }
    });
    all
}

/// [`kth_distances`] over all rows, from an earlier run on the same vectors if there was one.
pub fn remembered(metric: Metric, base: &Matrix<f32>, queries: &Matrix<f32>, k: usize) -> Vec<f64> {
    let path = folder().join(format!("{:016x}", fingerprint(metric, base, queries, k)));
    if let Some(kth) = read(&path).filter(|kth| kth.len() == queries.rows()) {
        return kth;
    }
    eprintln!("comparing {} queries with {} rows", queries.rows(), base.rows());
    let kth = kth_distances(metric, base, queries, k, &|_| true);
    if let Err(error) = write(&path, &kth) {
        eprintln!("the truth is not kept: {}: {error}", path.display());
    }
    kth
}

fn folder() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"));
    target.join("bench_truth")
}

/// Differs where the truth does.
fn fingerprint(metric: Metric, base: &Matrix<f32>, queries: &Matrix<f32>, k: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u8(metric as u8);
    hasher.write_usize(k);
    for Matrix { cols, data } in [base, queries] {
        hasher.write_usize(*cols);
        data.iter().for_each(|value| hasher.write_u32(value.to_bits()));
    }
    hasher.finish()
}

fn read(path: &Path) -> Option<Vec<f64>> {
    let bytes = fs::read(path).ok()?;
    let (values, rest) = bytes.as_chunks::<8>();
    rest.is_empty().then(|| values.iter().map(|&value| f64::from_le_bytes(value)).collect())
}

fn write(path: &Path, kth: &[f64]) -> io::Result<()> {
    let bytes: Vec<u8> = kth.iter().flat_map(|distance| distance.to_le_bytes()).collect();
    fs::create_dir_all(folder())?;
    fs::write(path, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points 0, 1, … 9 on a line, and a second 3.
    fn line() -> Matrix<f32> {
        Matrix { cols: 1, data: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 3].map(|v| v as f32).to_vec() }
    }

    #[test]
    fn kth_distance_of_each_query() {
        let queries = Matrix { cols: 1, data: vec![0.0, 3.0, 9.5] };
        let kth = |k, live: &(dyn Fn(usize) -> bool + Sync)| {
            kth_distances(Metric::L2, &line(), &queries, k, live)
        };
        assert_eq!(kth(2, &|_| true), [1.0, 0.0, 2.25]);
        assert_eq!(kth(3, &|_| true), [4.0, 1.0, 6.25]);
        assert_eq!(kth(2, &|row| row != 3 && row != 9), [1.0, 1.0, 6.25]);
        assert_eq!(kth(2, &|row| row == 3), [f64::INFINITY; 3]);
    }

    #[test]
    fn what_is_kept_is_found_by_its_vectors() {
        let queries = Matrix { cols: 1, data: vec![0.25, 7.5] };
        let truth = remembered(Metric::L2, &line(), &queries, 1);
        let path = folder().join(format!("{:016x}", fingerprint(Metric::L2, &line(), &queries, 1)));
        assert_eq!(read(&path).unwrap(), truth);
        write(&path, &[7.0, 8.0]).unwrap();
        assert_eq!(remembered(Metric::L2, &line(), &queries, 1), [7.0, 8.0]);
        fs::remove_file(path).unwrap();
        assert_eq!(remembered(Metric::L2, &line(), &queries, 1), [0.0625, 0.25]);
    }
}
