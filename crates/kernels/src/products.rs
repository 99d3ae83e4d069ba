//! Inner products of many vectors with many others, each number loaded once for several of them.

use crate::lanes::FloatLanes;

/// Vectors on either side of a tile. Its twelve sums, a part of each column and a part of one row
/// fill the sixteen registers of AVX2; seven loads feed twelve multiplications.
const ROWS: usize = 4;
const COLUMNS: usize = 3;

/// Dimensions taken at a time: so much of the rows of a tile stays in the nearest cache.
const DIMS: usize = 1024;

/// Floats of the columns that meet all rows before the next: a share of the second cache.
const PANEL: usize = 1 << 16;

/// See [`inner_products`](crate::inner_products).
///
/// # Safety
/// `V` may be used.
#[inline(always)]
pub(crate) unsafe fn inner_products<V: FloatLanes>(
    rows: &[&[f32]],
    columns: &[f32],
    dims: usize,
    products: &mut [f32],
) {
    let count = columns.len().checked_div(dims).unwrap_or(0);
    assert!(rows.iter().all(|row| row.len() >= dims), "a row is shorter than a column");
    assert_eq!(products.len(), rows.len() * count, "one product for each row and column");
    products.fill(0.0);
    for start in (0..dims).step_by(DIMS) {
        let part = DIMS.min(dims - start);
        let panel = (PANEL / part).next_multiple_of(COLUMNS);
        for first in (0..count).step_by(panel) {
            let end = count.min(first + panel);
            for r in (0..rows.len()).step_by(ROWS) {
                // Where a tile is not full, its last vector is taken several times.
                let row = |i: usize| (r + i).min(rows.len() - 1);
                let left = std::array::from_fn(|i| rows[row(i)][start..].as_ptr());
                for c in (first..end).step_by(COLUMNS) {
                    let column = |i: usize| (c + i).min(end - 1) * dims + start;
                    let right = std::array::from_fn(|i| columns[column(i)..].as_ptr());
                    // SAFETY: all rows and columns have `dims` numbers, of which `part` follow
                    // `start`.
                    let sums = unsafe { tile::<V>(left, right, part) };
                    for (row, sums) in (r..rows.len()).zip(sums) {
                        for (column, sum) in (c..end).zip(sums) {
                            products[row * count + column] += sum;
                        }
                    }
                }
            }
        }
    }
}

/// The inner products of the first `n` numbers of each row and column.
///
/// # Safety
/// They exist, and `V` may be used.
#[inline(always)]
unsafe fn tile<V: FloatLanes>(
    rows: [*const f32; ROWS],
    columns: [*const f32; COLUMNS],
    n: usize,
) -> [[f32; COLUMNS]; ROWS] {
    // SAFETY: all loads end at or before `n`.
    unsafe {
        let mut sums = [[V::zero(); COLUMNS]; ROWS];
        let mut i = 0;
        while i + V::LANES <= n {
            let columns = columns.map(|column| V::load(column.add(i)));
            for (row, sums) in rows.iter().zip(&mut sums) {
                let row = V::load(row.add(i));
                for (&column, sum) in columns.iter().zip(sums) {
                    *sum = row.mul_add(column, *sum);
                }
            }
            i += V::LANES;
        }
        if i < n {
            let columns = columns.map(|column| V::load_first(column.add(i), n - i));
            for (row, sums) in rows.iter().zip(&mut sums) {
                let row = V::load_first(row.add(i), n - i);
                for (&column, sum) in columns.iter().zip(sums) {
                    *sum = row.mul_add(column, *sum);
                }
            }
        }
        sums.map(|sums| sums.map(|sum| V::total(sum)))
    }
}
