//! Filters on rows with vectors: unrelated to the vectors, along with them, and against them.

mod measure;
mod traits;

pub use measure::{Line, Mode, Table};
pub use traits::Traits;

use crate::dataset::Dataset;

/// Values of the column `rnd`.
const RANDOM: u32 = 10_000;

/// Queries whose nearest rows a filter may leave out.
pub const QUERIES: usize = 100;

/// Share of the rows, the nearest of a query, that a filter against the query leaves out.
const NEAR: f64 = 0.2;

/// Which rows pass.
#[derive(Debug, Clone)]
pub enum Filter {
    /// Those with `rnd` below this, of [`RANDOM`]: unrelated to vectors.
    Random(u32),
    /// Those with this label: as good or bad as labels follow the vectors.
    Label(String),
    /// So many of a thousand among those that are not near the query.
    Far(u32),
}

impl Filter {
    /// All that are measured on a data set.
    pub fn all(traits: &Traits) -> Vec<Self> {
        let random = [5_000, 2_000, 1_000, 500, 100, 10, 1].map(Self::Random);
        let labels = traits.chosen.iter().cloned().map(Self::Label);
        random.into_iter().chain(labels).chain([Self::Far(100), Self::Far(10)]).collect()
    }

    /// How reports call it.
    pub fn name(&self) -> String {
        match self {
            Self::Random(below) => {
                format!("random {} %", f64::from(*below) * 100.0 / f64::from(RANDOM))
            }
            Self::Label(label) => format!("label {label}"),
            Self::Far(of_thousand) => format!("far {} %", f64::from(*of_thousand) / 10.0),
        }
    }

    /// The condition in SQL; a query has a number.
    pub fn condition(&self, query: usize) -> String {
        match self {
            Self::Random(below) => format!("rnd < {below}"),
            Self::Label(label) => format!("label = '{label}'"),
            Self::Far(of_thousand) => format!("tags @> '{{{}}}'", tag(*of_thousand, query)),
        }
    }

    /// Whether a row passes for a query.
    fn passes(&self, traits: &Traits, query: usize, row: usize) -> bool {
        match self {
            Self::Random(below) => traits.random[row] < *below,
            Self::Label(label) => traits.labels[row] == *label,
            Self::Far(of_thousand) => traits.tags[row].contains(&tag(*of_thousand, query)),
        }
    }

    /// What there is to be found for the first `queries` queries.
    pub fn truth(&self, dataset: &Dataset, traits: &Traits, queries: usize) -> Truth {
        let rows = dataset.base.rows();
        let mut passing = 0;
        let nearest = (0..queries).map(|query| {
            let passes = |&row: &usize| self.passes(traits, query, row);
            let distances = (0..rows).filter(passes).map(|row| traits.distances[query][row]);
            let mut distances: Vec<f64> = distances.collect();
            passing += distances.len();
            let count = dataset.k.min(distances.len());
            let kth = count.checked_sub(1).map_or(f64::NEG_INFINITY, |last| {
                *distances.select_nth_unstable_by(last, f64::total_cmp).1
            });
            (count, kth)
        });
        let nearest = nearest.collect();
        Truth { nearest, share: passing as f64 / (queries * rows) as f64 }
    }
}

/// What a filter leaves to be found.
#[derive(Debug)]
pub struct Truth {
    /// For each query, how many rows it should find, and the distance of the last.
    pub nearest: Vec<(usize, f64)>,
    /// Share of the rows that pass.
    pub share: f64,
}

/// The mark of rows that pass for a query.
fn tag(of_thousand: u32, query: usize) -> usize {
    of_thousand as usize * QUERIES + query
}
