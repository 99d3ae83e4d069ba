//! The rows of a set, and centroids, as they are and rounded.

use std::ops::Range;

use half::bf16;
use memory::{copied, filled};

use super::{check, wrong};
use crate::device::{Measure, Result, Shape};

/// Rows of a set.
#[derive(Debug)]
pub(super) struct Set {
    shape: Shape,
    center: Vec<f32>,
    rows: Vec<f32>,
    rounded: Rounded,
    selection: Option<Vec<u32>>,
}

/// Bytes that a set takes.
pub(super) fn bytes(shape: Shape) -> Option<usize> {
    let row = shape.dims.checked_mul(size_of::<f32>() + size_of::<bf16>())?;
    shape.rows.checked_mul(row.checked_add(size_of::<f32>() + size_of::<u32>())?)
}

impl Set {
    pub(super) fn new(shape: Shape, center: &[f32]) -> Result<Self> {
        check(shape.dims > 0 && center.len() == shape.dims && bytes(shape).is_some())?;
        check(shape.rows < u32::MAX as usize)?;
        Ok(Self {
            shape,
            center: copied(center)?,
            rows: filled(shape.rows * shape.dims, 0.0)?,
            rounded: Rounded::new(shape.rows, shape.dims)?,
            selection: None,
        })
    }

    pub(super) fn upload(&mut self, first: usize, rows: &[f32]) -> Result<()> {
        let dims = self.shape.dims;
        check(rows.len().is_multiple_of(dims) && first <= self.shape.rows)?;
        let count = rows.len() / dims;
        check(count <= self.shape.rows - first)?;
        self.rows[first * dims..][..rows.len()].copy_from_slice(rows);
        for (i, row) in rows.chunks_exact(dims).enumerate() {
            self.rounded.set(first + i, row, &self.center);
        }
        Ok(())
    }

    pub(super) fn select(&mut self, rows: Option<&[u32]>) -> Result<()> {
        self.selection = None;
        if let Some(rows) = rows {
            check(rows.is_sorted_by(|a, b| a < b))?;
            check(rows.last().is_none_or(|&last| (last as usize) < self.shape.rows))?;
            self.selection = Some(copied(rows)?);
        }
        Ok(())
    }

    pub(super) fn dims(&self) -> usize {
        self.shape.dims
    }

    pub(super) fn measure(&self) -> Measure {
        self.shape.measure
    }

    /// Number of rows that are selected.
    pub(super) fn selected(&self) -> usize {
        self.selection.as_ref().map_or(self.shape.rows, Vec::len)
    }

    fn number(&self, position: usize) -> usize {
        self.selection.as_ref().map_or(position, |rows| rows[position] as usize)
    }

    /// The row at a position, as it was uploaded.
    pub(super) fn row(&self, position: usize) -> &[f32] {
        &self.rows[self.number(position) * self.shape.dims..][..self.shape.dims]
    }

    /// The squared norm of the rounded row at a position.
    pub(super) fn norm(&self, position: usize) -> f32 {
        self.rounded.norms[self.number(position)]
    }

    /// The rounded rows at the positions `of`, widened again, one after another.
    pub(super) fn widen(&self, of: Range<usize>, out: &mut Vec<f32>) -> Result<()> {
        out.clear();
        out.try_reserve_exact(of.len() * self.shape.dims).map_err(|_| memory::OutOfMemory)?;
        of.for_each(|position| self.rounded.widen(self.number(position), out));
        Ok(())
    }

    /// The exact distance between the rows at two positions.
    pub(super) fn distance(&self, a: usize, b: usize) -> f32 {
        let (a, b) = (self.row(a), self.row(b));
        number(match self.shape.measure {
            Measure::L2 => kernels::l2_squared(a, b),
            Measure::InnerProduct => -kernels::inner_product(a, b),
        })
    }
}

/// Infinity for NaN.
pub(super) fn number(x: f32) -> f32 {
    if x.is_nan() { f32::INFINITY } else { x }
}

/// Vectors less a center, in bfloat16.
#[derive(Debug)]
struct Rounded {
    dims: usize,
    numbers: Vec<bf16>,
    norms: Vec<f32>,
}

impl Rounded {
    fn new(rows: usize, dims: usize) -> Result<Self> {
        Ok(Self { dims, numbers: filled(rows * dims, bf16::ZERO)?, norms: filled(rows, 0.0)? })
    }

    fn set(&mut self, i: usize, row: &[f32], center: &[f32]) {
        let numbers = &mut self.numbers[i * self.dims..][..self.dims];
        for ((rounded, x), center) in numbers.iter_mut().zip(row).zip(center) {
            *rounded = bf16::from_f32(x - center);
        }
        self.norms[i] = kernels::inner_product(&*numbers, &*numbers);
    }

    fn widen(&self, i: usize, out: &mut Vec<f32>) {
        let numbers = &self.numbers[i * self.dims..][..self.dims];
        // Shifts bits, which all compilers do for many at once.
        out.extend(numbers.iter().map(|x| f32::from_bits(u32::from(x.to_bits()) << 16)));
    }
}

/// Centroids, as they are and rounded.
#[derive(Debug)]
pub(super) struct Centroids {
    dims: usize,
    exact: Vec<f32>,
    /// Widened again.
    rounded: Vec<f32>,
    norms: Vec<f32>,
}

impl Centroids {
    pub(super) fn new(set: &Set, centroids: &[f32]) -> Result<Self> {
        let dims = set.dims();
        if centroids.is_empty() || !centroids.len().is_multiple_of(dims) {
            return Err(wrong("the centroids are not whole"));
        }
        let count = centroids.len() / dims;
        let mut rounded = Rounded::new(count, dims)?;
        for (i, centroid) in centroids.chunks_exact(dims).enumerate() {
            rounded.set(i, centroid, &set.center);
        }
        let mut widened = memory::with_room(centroids.len())?;
        (0..count).for_each(|i| rounded.widen(i, &mut widened));
        Ok(Self { dims, exact: copied(centroids)?, rounded: widened, norms: rounded.norms })
    }

    pub(super) fn len(&self) -> usize {
        self.norms.len()
    }

    pub(super) fn centroid(&self, i: usize) -> &[f32] {
        &self.exact[i * self.dims..][..self.dims]
    }

    /// Rounded centroids, and their squared norms.
    pub(super) fn rounded(&self, of: Range<usize>) -> (&[f32], &[f32]) {
        (&self.rounded[of.start * self.dims..of.end * self.dims], &self.norms[of])
    }
}
