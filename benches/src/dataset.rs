//! A data set: base vectors, queries and the true distances of their neighbors.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use pg_test::Vector;

use crate::Result;
use crate::clustered::Clustered;
use crate::exact::{Metric, hits};
use crate::matrix::{Matrix, read_vectors, rows_in};
use crate::truth::remembered;

/// Vectors to load, queries to ask, and what the answers should be.
pub struct Dataset {
    /// The directory's name, or what was asked of the generator.
    pub name: String,
    /// What "near" means for these vectors.
    pub metric: Metric,
    /// Neighbors asked for.
    pub k: usize,
    /// The rows of the table; a row's number is its id.
    pub base: Matrix<f32>,
    /// The queries.
    pub queries: Matrix<f32>,
    /// Each query's distance to its `k`-th true neighbor, once it is known.
    kth: OnceCell<Vec<f64>>,
}

/// Queries of a generated set, if no other number is asked for.
const QUERIES: usize = 1000;

/// What to take of a data set.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Only the first rows of base.
    pub rows: Option<usize>,
    /// Only the first queries.
    pub queries: Option<usize>,
    /// Instead of the metric that the directory's name implies.
    pub metric: Option<Metric>,
    /// Neighbors asked for.
    pub k: usize,
}

impl Dataset {
    /// The data set called `name`: `clustered:ROWSxDIMS` is generated (metric L2), anything else
    /// is a directory.
    pub fn open(name: &str, selection: &Selection) -> Result<Self> {
        let Some(size) = name.strip_prefix("clustered:") else {
            return Self::read(Path::new(name), selection);
        };
        let size = size.split_once('x').and_then(|(r, d)| Some((r.parse().ok()?, d.parse().ok()?)));
        let (rows, dims) = size.ok_or_else(|| format!("{name} is not clustered:ROWSxDIMS"))?;
        let rows = selection.rows.map_or(rows, |limit| limit.min(rows));
        let clustered = Clustered::new(dims);
        Self {
            name: format!("clustered-{dims}"),
            metric: selection.metric.unwrap_or(Metric::L2),
            k: selection.k,
            base: clustered.base(rows),
            queries: clustered.queries(selection.queries.unwrap_or(QUERIES)),
            kth: OnceCell::new(),
        }
        .checked()
    }

    /// Reads `base.*`, `query.*` and the ground truth of directory `dir`. Truth is taken from
    /// `gt.dist.fbin` (all rows), from `gt10k.dist.fbin` (the first 10,000), else computed.
    fn read(dir: &Path, selection: &Selection) -> Result<Self> {
        let name = dir.canonicalize().map_err(|e| format!("{}: {e}", dir.display()))?;
        let name = name.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let metric = selection.metric.or_else(|| metric_of(&name));
        let metric = metric.ok_or_else(|| format!("what is the metric of {name}? use --metric"))?;
        let k = selection.k;

        let base_path = find(dir, "base")?;
        let base = read_vectors(&base_path, selection.rows)?;
        let queries = read_vectors(&find(dir, "query")?, selection.queries)?;
        let whole = rows_in(&base_path)? == base.rows();
        let kth = truth(dir, whole, base.rows(), queries.rows(), k)?;
        let kth = kth.map_or_else(OnceCell::new, OnceCell::from);
        Self { name, metric, k, base, queries, kth }.checked()
    }

    fn checked(self) -> Result<Self> {
        let Self { name, k, base, queries, .. } = &self;
        if base.cols != queries.cols {
            let (base, queries) = (base.cols, queries.cols);
            return Err(format!("{name}: base has {base} dimensions, queries {queries}").into());
        }
        let (rows, asked) = (base.rows(), queries.rows());
        if *k == 0 || *k > rows || asked == 0 {
            return Err(format!("{name}: {k} neighbors of {rows} rows for {asked} queries").into());
        }
        Ok(self)
    }

    /// Each query's distance to its `k`-th true neighbor; computed if no file tells.
    pub fn kth(&self) -> &[f64] {
        self.kth.get_or_init(|| remembered(self.metric, &self.base, &self.queries, self.k))
    }

    /// The queries as parameters of statements.
    pub fn query_vectors(&self) -> Vec<Vector> {
        (0..self.queries.rows()).map(|i| Vector(self.queries.row(i).to_vec())).collect()
    }

    /// Mean recall of `answers`, one list of ids a query.
    pub fn recall(&self, answers: &[Vec<i32>]) -> f64 {
        self.recall_by(self.kth(), answers)
    }

    /// Mean recall of `answers` where the distances of the `k`-th true neighbors are `kth`, as of
    /// a part of the rows.
    pub fn recall_by(&self, kth: &[f64], answers: &[Vec<i32>]) -> f64 {
        let asked = answers.iter().zip(kth).enumerate();
        let found = asked.map(|(i, (ids, &kth))| {
            hits(self.metric, &self.base, self.queries.row(i), ids, self.k, kth)
        });
        found.sum::<usize>() as f64 / (self.k * answers.len()) as f64
    }
}

fn metric_of(name: &str) -> Option<Metric> {
    let has = |words: &[&str]| words.iter().any(|w| name.contains(w));
    if has(&["fashion", "euclidean", "sift", "gist"]) {
        Some(Metric::L2)
    } else if has(&["glove", "minilm", "angular", "cosine"]) {
        Some(Metric::Cosine)
    } else {
        None
    }
}

/// The file `stem.{fbin,f16bin,u8bin}[.gz]` of `dir`.
fn find(dir: &Path, stem: &str) -> Result<PathBuf> {
    ["fbin", "f16bin", "u8bin"]
        .iter()
        .flat_map(|kind| ["", ".gz"].map(|gz| dir.join(format!("{stem}.{kind}{gz}"))))
        .find(|path| path.exists())
        .ok_or_else(|| format!("{}: no {stem}.fbin, .f16bin or .u8bin", dir.display()).into())
}

/// The stored distances of the `k`-th neighbors, if they were computed over these rows.
fn truth(
    dir: &Path,
    whole: bool,
    rows: usize,
    queries: usize,
    k: usize,
) -> Result<Option<Vec<f64>>> {
    let stem = match (whole, rows) {
        (true, _) => "gt",
        (false, 10_000) => "gt10k",
        (false, _) => return Ok(None),
    };
    let path = ["", ".gz"].map(|gz| dir.join(format!("{stem}.dist.fbin{gz}")));
    let Some(path) = path.iter().find(|path| path.exists()) else { return Ok(None) };
    let distances = read_vectors(path, Some(queries))?;
    if distances.rows() < queries {
        let error = format!("{}: {} rows, not {queries}", path.display(), distances.rows());
        return Err(error.into());
    }
    if distances.cols < k {
        return Ok(None);
    }
    Ok(Some((0..queries).map(|i| f64::from(distances.row(i)[k - 1])).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten points on a line, one query, truth as given.
    fn dir(name: &str, truth: Option<f32>) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("dataset-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let file = |rows: u32, values: &[u8]| {
            [&rows.to_le_bytes()[..], &1u32.to_le_bytes(), values].concat()
        };
        std::fs::write(dir.join("base.u8bin"), file(10, &(0..10).collect::<Vec<u8>>())).unwrap();
        std::fs::write(dir.join("query.u8bin"), file(1, &[8])).unwrap();
        if let Some(distance) = truth {
            let truth = file(1, &distance.to_le_bytes());
            std::fs::write(dir.join("gt.dist.fbin"), truth).unwrap();
        }
        dir
    }

    fn selection(rows: Option<usize>, k: usize) -> Selection {
        Selection { rows, queries: None, metric: None, k }
    }

    #[test]
    fn truth_is_read_or_computed() {
        let stored = dir("sift-stored", Some(0.5));
        assert_eq!(Dataset::read(&stored, &selection(None, 1)).unwrap().kth(), [0.5]);
        let deeper = Dataset::read(&stored, &selection(None, 2)).unwrap();
        assert_eq!(deeper.kth(), [1.0], "the file holds one neighbor only");
        let fewer = Dataset::read(&stored, &selection(Some(6), 1)).unwrap();
        assert_eq!(fewer.kth(), [9.0], "stored truth is of all rows");
        assert_eq!(fewer.recall(&[vec![5]]), 1.0);
        assert_eq!(fewer.recall(&[vec![4]]), 0.0);
        std::fs::remove_dir_all(stored).unwrap();
    }

    #[test]
    fn generated_sets_are_named_by_their_size() {
        let data = Dataset::open("clustered:30x4", &selection(Some(20), 1)).unwrap();
        assert_eq!((data.base.rows(), data.base.cols, data.queries.rows()), (20, 4, QUERIES));
        assert!(Dataset::open("clustered:30", &selection(None, 1)).is_err());
    }

    #[test]
    fn the_metric_must_be_known() {
        let plain = dir("plain", None);
        let error = Dataset::read(&plain, &selection(None, 1)).err().unwrap().to_string();
        assert!(error.contains("--metric"), "{error}");
        let error = Dataset::read(&plain.join("none"), &selection(None, 1)).err().unwrap();
        assert!(error.to_string().contains("none"));
        std::fs::remove_dir_all(plain).unwrap();
    }
}
