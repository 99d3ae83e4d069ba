//! Vectors as columns of other types than `vector` hold them.

use half::{bf16, f16};
use quant::Metric;

/// A type of a column. Vectors of all types are written as their numbers here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// `halfvec`: IEEE half precision.
    Halves,
    /// `bf16vec`: bfloat16.
    Bfloats,
    /// `i8vec`: integers of -127..=127.
    Bytes,
    /// `bit`: zeros and ones.
    Bits,
    /// `sparsevec`: next to all values are zero.
    Sparse,
}

/// Of the values of all rows, the part at each end that bytes and halves cut off: an outlier would
/// leave no steps for the others.
const CUT: usize = 250;
/// Magnitudes of which halves keep all bits, with room for those that were cut off.
const OF_HALVES: std::ops::Range<f32> = 1e-3..1e4;
/// Of how many values a sparse vector keeps one.
const SPARSE: usize = 8;

/// What makes of vectors those of a column, as whoever fills it would choose it by the first rows.
#[derive(Clone, Debug)]
pub struct Conversion {
    column: Column,
    /// Of each dimension, what is subtracted from values.
    shifts: Vec<f32>,
    /// What they are then multiplied by.
    scale: f32,
}

impl Conversion {
    /// Chooses by `rows`, at least one and of one length. What products are taken of is not shifted.
    pub fn new(column: Column, metric: Metric, rows: &[Vec<f32>]) -> Self {
        let dims = rows[0].len();
        let shifted = matches!(metric, Metric::L2 | Metric::L1);
        let mut values: Vec<f32> = rows.iter().flatten().copied().collect();
        values.sort_unstable_by(f32::total_cmp);
        let cut = values.len() / CUT;
        let (low, high) = (values[cut], values[values.len() - 1 - cut]);
        let peak = low.abs().max(high.abs());
        let (shifts, scale) = match column {
            Column::Bits => ((0..dims).map(|i| middle(rows, i)).collect(), 1.0),
            Column::Bytes if shifted => (vec![low / 2.0 + high / 2.0; dims], 254.0 / (high - low)),
            Column::Bytes => (vec![0.0; dims], 127.0 / peak),
            Column::Halves if !OF_HALVES.contains(&peak) => (vec![0.0; dims], 1.0 / peak),
            Column::Halves | Column::Bfloats | Column::Sparse => (vec![0.0; dims], 1.0),
        };
        Self { column, shifts, scale }
    }

    /// The metric by which the column is searched instead of `metric`.
    pub fn metric(&self, metric: Metric) -> Metric {
        match (self.column, metric) {
            (Column::Bits, Metric::Cosine | Metric::InnerProduct) => Metric::Jaccard,
            (Column::Bits, _) => Metric::Hamming,
            _ => metric,
        }
    }

    /// The vector as the column holds it.
    pub fn apply(&self, vector: &[f32]) -> Vec<f32> {
        let moved = vector.iter().zip(&self.shifts).map(|(x, shift)| (x - shift) * self.scale);
        match self.column {
            Column::Halves => {
                let (least, most) = (f16::MIN.to_f32(), f16::MAX.to_f32());
                moved.map(|x| f16::from_f32(x.clamp(least, most)).to_f32()).collect()
            }
            Column::Bfloats => moved.map(|x| bf16::from_f32(x).to_f32()).collect(),
            Column::Bytes => moved.map(|x| x.round().clamp(-127.0, 127.0)).collect(),
            Column::Bits => moved.map(|x| f32::from(x > 0.0)).collect(),
            Column::Sparse => largest(moved.collect()),
        }
    }
}

/// The middle between the quartiles of a dimension.
fn middle(rows: &[Vec<f32>], dimension: usize) -> f32 {
    let mut values: Vec<f32> = rows.iter().map(|row| row[dimension]).collect();
    values.sort_unstable_by(f32::total_cmp);
    let quarter = values.len() / 4;
    values[quarter] / 2.0 + values[values.len() - 1 - quarter] / 2.0
}

/// `vector` with all values but those of the largest magnitudes set to zero.
fn largest(mut vector: Vec<f32>) -> Vec<f32> {
    let kept = vector.len().div_ceil(SPARSE).max(2);
    let mut order: Vec<usize> = (0..vector.len()).collect();
    order.sort_by(|&i, &j| vector[j].abs().total_cmp(&vector[i].abs()));
    order.iter().skip(kept).for_each(|&i| vector[i] = 0.0);
    vector
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(column: Column, metric: Metric, rows: &[Vec<f32>]) -> Vec<Vec<f32>> {
        let conversion = Conversion::new(column, metric, rows);
        rows.iter().map(|row| conversion.apply(row)).collect()
    }

    #[test]
    fn columns_hold_what_their_types_can() {
        let rows = [vec![1000.1, 1001.0, 1002.0, 900.0], vec![1003.0, 1002.3, 1000.0, 1.0]];
        let of = |column| converted(column, Metric::L2, &rows);
        assert_eq!(of(Column::Halves)[0], [1000.0, 1001.0, 1002.0, 900.0]);
        assert_eq!(of(Column::Bfloats)[0], [1000.0, 1000.0, 1000.0, 900.0]);
        assert_eq!(
            of(Column::Bytes),
            [[126.0, 126.0, 127.0, 101.0], [127.0, 127.0, 126.0, -127.0]]
        );
        assert_eq!(of(Column::Bits), [[0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 0.0, 0.0]]);
        assert_eq!(of(Column::Sparse), [[0.0, 1001.0, 1002.0, 0.0], [1003.0, 1002.3, 0.0, 0.0]]);
        let products = converted(Column::Bytes, Metric::Cosine, &rows);
        assert_eq!(products[0], [127.0, 127.0, 127.0, 114.0]);
        let large = converted(Column::Halves, Metric::L2, &[vec![-1e12, 5e11]]);
        assert_eq!(large, [[-1.0, 0.5]]);
    }
}
