//! Memory that a set of rows takes on a device: plain arithmetic, which needs no device.

use super::launch;
use crate::{MARGIN, MAX_CANDIDATES, Shape};

/// Room for what the driver takes beside: places between allocations, and the kernels.
const SLACK: usize = 64 << 20;

/// Bytes of a set with lists of up to `neighbors` neighbors and up to `centroids` centroids: an upper
/// bound. None if that is no number.
pub(super) fn bytes(
    shape: Shape,
    neighbors: usize,
    centroids: usize,
    multiprocessors: usize,
) -> Option<usize> {
    let rounded = launch::padded(shape.dims).checked_mul(size_of::<u16>())?;
    let exact = shape.dims.checked_mul(size_of::<f32>())?;
    let norms = 2 * size_of::<f32>();
    let row = rounded.checked_add(exact)?.checked_add(norms)?;
    // A selection, and the members of clusters.
    let numbers = 2 * size_of::<u32>();
    let keys = (neighbors.max(1) + MARGIN) * size_of::<u64>();
    let lists = launch::max_lists(multiprocessors).checked_mul(keys)?;
    let found = launch::MAX_ROWS * neighbors.max(1) * (size_of::<u32>() + size_of::<f32>());
    let place = size_of::<u32>() + size_of::<f32>() + size_of::<u16>();
    let pruned = launch::lists_at_a_time(MAX_CANDIDATES) * MAX_CANDIDATES * place;
    let sums = launch::clusters_at_a_time(shape.dims)
        .min(centroids)
        .checked_mul(shape.dims)?
        .checked_mul(size_of::<f64>())?;
    let parts = [
        shape.rows.checked_mul(row.checked_add(numbers)?)?,
        centroids.checked_mul(row.checked_add(size_of::<u32>())?)?,
        exact,
        lists,
        found,
        pruned,
        sums,
        SLACK,
    ];
    parts.into_iter().try_fold(0, usize::checked_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Measure;

    fn shape(rows: usize, dims: usize) -> Shape {
        Shape { rows, dims, measure: Measure::L2 }
    }

    #[test]
    fn rows_take_six_bytes_for_each_number() {
        let bytes = bytes(shape(1_000_000, 768), 64, 0, 132).unwrap();
        let rows = 1_000_000 * (768 * 6 + 16);
        assert!((rows..rows + (300 << 20)).contains(&bytes), "{bytes}");
    }

    #[test]
    fn no_size_overflows() {
        assert_eq!(bytes(shape(usize::MAX, 768), 64, 0, 132), None);
        assert_eq!(bytes(shape(1, 1), 64, usize::MAX, 132), None);
        assert!(bytes(shape(u32::MAX as usize - 1, 16_000), 256, 1 << 20, 132).is_some());
    }
}
