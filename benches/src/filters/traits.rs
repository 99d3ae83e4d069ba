//! What rows have beside their vectors.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{NEAR, RANDOM, tag};
use crate::dataset::Dataset;
use crate::{Result, texts};

/// Labels of data that has none: the nearest of so many rows.
const ANCHORS: usize = 32;

/// The column of `docs.tsv.gz` that is a label.
const LABEL_COLUMN: usize = 3;

/// Bytes before the values of an array of numpy's.
const NPY_HEADER: usize = 128;

/// What conditions compare, row by row.
pub struct Traits {
    /// Numbers that have nothing to do with anything.
    pub random: Vec<u32>,
    /// Labels.
    pub labels: Vec<String>,
    /// The labels to filter by.
    pub chosen: Vec<String>,
    /// For which queries a row passes that is not near.
    pub tags: Vec<Vec<usize>>,
    /// The distance of each row to each query.
    pub distances: Vec<Vec<f64>>,
}

impl Traits {
    /// Those of the data set of directory `data`, or of a generated one, and its first `queries` queries.
    pub fn new(data: &str, dataset: &Dataset, queries: usize) -> Result<Self> {
        let rows = dataset.base.rows();
        let distances = |query: usize| {
            let query = dataset.queries.row(query);
            (0..rows).map(|row| dataset.metric.distance(dataset.base.row(row), query)).collect()
        };
        let distances: Vec<Vec<f64>> = (0..queries).map(distances).collect();
        let mut tags = vec![Vec::new(); rows];
        for (query, distances) in distances.iter().enumerate() {
            let mut sorted = distances.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            let near = sorted[(rows as f64 * NEAR) as usize];
            for (row, &distance) in distances.iter().enumerate() {
                let number = random(row * queries + query + 1, 1_000);
                for of_thousand in [10, 100] {
                    if distance > near && number < of_thousand {
                        tags[row].push(tag(of_thousand, query));
                    }
                }
            }
        }
        let (labels, chosen) = labels(Path::new(data), dataset)?;
        let random = (0..rows).map(|row| random(row, RANDOM)).collect();
        Ok(Self { random, labels, chosen, tags, distances })
    }

    /// A row's columns for `COPY`.
    pub fn line(&self, row: usize) -> String {
        let tags: Vec<String> = self.tags[row].iter().map(ToString::to_string).collect();
        format!("{}\t{}\t{{{}}}", self.random[row], self.labels[row], tags.join(","))
    }
}

/// A number below `limit` that is the same on every machine.
fn random(seed: usize, limit: u32) -> u32 {
    let mixed = quant::splitmix64(seed as u64) >> 32;
    ((mixed * u64::from(limit)) >> 32) as u32
}

/// The labels of all rows, and those to filter by: those that come with the data, else the nearest of
/// some rows.
fn labels(data: &Path, dataset: &Dataset) -> Result<(Vec<String>, Vec<String>)> {
    let (texts, classes) = (data.join("docs.tsv.gz"), data.join("base_labels.npy"));
    let rows = dataset.base.rows();
    let owned = |chosen: &[&str]| chosen.iter().map(|&label| label.to_owned()).collect();
    if texts.exists() {
        let labels = texts::rows(&texts)?.into_iter().take(rows);
        let labels = labels.map(|mut columns| columns.swap_remove(LABEL_COLUMN)).collect();
        return Ok((labels, owned(&["noun.animal", "noun.feeling"])));
    }
    if classes.exists() {
        let classes = fs::read(&classes)?;
        let labels = classes.iter().skip(NPY_HEADER).take(rows).map(ToString::to_string);
        let labels: Vec<String> = labels.collect();
        let all: BTreeSet<&String> = labels.iter().collect();
        let all = all.into_iter().cloned().collect();
        return Ok((labels, all));
    }
    let anchor = |number: usize| dataset.base.row(number * rows / ANCHORS);
    let labels = (0..rows).map(|row| {
        let distance =
            |&number: &usize| dataset.metric.distance(anchor(number), dataset.base.row(row));
        let nearest = (0..ANCHORS).min_by(|a, b| distance(a).total_cmp(&distance(b)));
        nearest.unwrap_or_default().to_string()
    });
    Ok((labels.collect(), owned(&["0", "1"])))
}
