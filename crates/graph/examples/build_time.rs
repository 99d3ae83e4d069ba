//! Builds a graph of a data set in memory and tells the time it took and what searches find.
//!
//! ```text
//! cargo run --release -p graph --example build_time -- DIR l2|ip|cosine [THREADS [M [EF_CONSTRUCTION]]]
//! ```
//!
//! DIR holds `base` and `query` as `.u8bin.gz` or `.f16bin.gz` (numbers of rows and columns as
//! u32, then the rows) and `gt.ibin.gz`, the exact nearest of each query in the same form.

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use graph::build::{BuildOptions, Graph, Sq8Distances, build_graph};
use half::f16;
use quant::{Metric, Rotation, Sq8Coder, Sq8Set};
use space::{Array, Space};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Rows of numbers.
struct Matrix<T> {
    columns: usize,
    values: Vec<T>,
}

impl<T> Matrix<T> {
    fn rows(&self) -> std::slice::ChunksExact<'_, T> {
        self.values.chunks_exact(self.columns)
    }
}

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [dir, metric, rest @ ..] = args.as_slice() else {
        return Err("usage: build_time DIR l2|ip|cosine [THREADS [M [EF_CONSTRUCTION]]]".into());
    };
    let metric = match metric.as_str() {
        "l2" => Metric::L2,
        "ip" => Metric::InnerProduct,
        "cosine" => Metric::Cosine,
        other => return Err(format!("unknown metric {other}").into()),
    };
    let numbers: Vec<usize> = rest.iter().map(|arg| arg.parse()).collect::<Result<_, _>>()?;
    let number = |i: usize, default| numbers.get(i).copied().unwrap_or(default);
    let (threads, m, ef_construction) = (number(0, 2), number(1, 16), number(2, 64));
    let options = BuildOptions { m, ef_construction, threads, seed: 1 };

    let dir = Path::new(dir);
    let base = vectors(&dir.join("base"), metric)?;
    let start = (Instant::now(), cpu_seconds()?);
    let (coder, rows) = encode(&base, metric)?;
    let coded = Sq8Set::new(&coder, &rows);
    println!("{} vectors coded in {:.2} s", coded.len(), start.0.elapsed().as_secs_f64());
    let start = (Instant::now(), cpu_seconds()?);
    let distances = Sq8Distances::new(coded, metric);
    let graph = build_graph(&distances, &options, &mut Space::unlimited(), &mut |_| true)?;
    let (wall, cpu) = (start.0.elapsed().as_secs_f64(), cpu_seconds()? - start.1);
    println!("graph built in {wall:.2} s, {cpu:.2} s of CPU, {options:?}");
    let used = graph.level0.iter().filter(|&&id| id != graph::build::NO_NEIGHBOR).count();
    println!("{:.1} neighbors an element", used as f64 / graph.len() as f64);

    let queries = vectors(&dir.join("query"), metric)?;
    let truth = read(&dir.join("gt.ibin.gz"), |bytes: [u8; 4]| u32::from_le_bytes(bytes))?;
    for ef in [10, 20, 40, 80, 160] {
        report(&graph, &base, &queries, &truth, metric, ef)?;
    }
    Ok(())
}

/// Searches with all queries and prints recall among ten and effort.
fn report(
    graph: &Graph,
    base: &Matrix<f32>,
    queries: &Matrix<f32>,
    truth: &Matrix<u32>,
    metric: Metric,
    ef: usize,
) -> Outcome<()> {
    let mut searcher = graph.searcher()?;
    let (mut hits, mut expanded) = (0, 0);
    let start = Instant::now();
    for (query, truth) in queries.rows().zip(truth.rows()) {
        let found = searcher.search(ef, |id| {
            let x = &base.values[id as usize * base.columns..][..base.columns];
            match metric {
                Metric::InnerProduct => -kernels::inner_product(query, x),
                Metric::L2 | Metric::Cosine | Metric::L1 | Metric::Hamming | Metric::Jaccard => {
                    kernels::l2_squared(query, x)
                }
            }
        })?;
        expanded += searcher.expanded();
        hits += found.iter().take(10).filter(|(id, _)| truth[..10].contains(id)).count();
    }
    let count = queries.rows().len() as f64;
    println!(
        "ef {ef}: recall {:.4}, {:.1} expansions, {:.0} us a query",
        hits as f64 / (10.0 * count),
        expanded as f64 / count,
        start.elapsed().as_secs_f64() * 1e6 / count
    );
    Ok(())
}

/// Rotates and codes all vectors.
fn encode(base: &Matrix<f32>, metric: Metric) -> Outcome<(Sq8Coder, Array<i8>)> {
    let rotation = Rotation::new(base.columns, 1);
    let mut mean = vec![0.0f32; base.columns];
    if metric != Metric::InnerProduct {
        for row in base.rows() {
            mean.iter_mut().zip(row).for_each(|(m, x)| *m += x / base.rows().len() as f32);
        }
    }
    let mut rotated = vec![0.0; base.columns];
    rotation.apply(&mean, &mut rotated);
    let coder = Sq8Coder::new(rotated.clone());
    let row_len = Sq8Coder::row_len(base.columns);
    let mut coded = Array::in_memory(base.rows().len() * row_len)?;
    for (row, out) in base.rows().zip(coded.chunks_exact_mut(row_len)) {
        rotation.apply(row, &mut rotated);
        coder.encode(&rotated, out);
    }
    Ok((coder, coded))
}

/// The vectors of `stem` with the ending that is there, of length one for cosine.
fn vectors(stem: &Path, metric: Metric) -> Outcome<Matrix<f32>> {
    let halves = stem.with_extension("f16bin.gz");
    let mut matrix = if halves.exists() {
        read(&halves, |bytes| f16::from_le_bytes(bytes).to_f32())?
    } else {
        read(&stem.with_extension("u8bin.gz"), |[byte]: [u8; 1]| f32::from(byte))?
    };
    if metric == Metric::Cosine {
        for row in matrix.values.chunks_exact_mut(matrix.columns) {
            let norm = kernels::inner_product(row, row).sqrt();
            row.iter_mut().for_each(|x| *x /= norm);
        }
    }
    Ok(matrix)
}

/// The matrix in a compressed file, whose numbers of `N` bytes `decode` makes out.
fn read<T, const N: usize>(path: &Path, decode: impl Fn([u8; N]) -> T) -> Outcome<Matrix<T>> {
    let output = Command::new("gzip").arg("-dc").arg(path).output()?;
    if !output.status.success() {
        return Err(format!("could not read {}", path.display()).into());
    }
    let (header, body) = output.stdout.split_at_checked(8).ok_or("file too short")?;
    let columns = u32::from_le_bytes(header[4..].try_into()?) as usize;
    Ok(Matrix { columns, values: body.as_chunks().0.iter().map(|&bytes| decode(bytes)).collect() })
}

/// Processor time of this process, all threads.
fn cpu_seconds() -> Outcome<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').ok_or("unreadable /proc/self/stat")?;
    let mut ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    let (user, system) = (ticks.next().ok_or("no time")??, ticks.next().ok_or("no time")??);
    Ok((user + system) / 100.0)
}
