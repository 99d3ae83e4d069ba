//! Sizes of launches: plain arithmetic, which needs no device. Constants are those of the kernels.

/// Rows and columns that a block of `nearest` computes at a time.
pub(super) const TILE: usize = 128;
/// Rounded rows are filled with zeros up to a multiple of this.
const DEPTH: usize = 32;
/// Lanes of a warp.
const LANES: usize = 32;
/// Threads of a block, for all kernels but `refine` and `sums`.
const THREADS: usize = 256;
/// Threads of a block where a block does little.
const FEW_THREADS: usize = 128;
/// Blocks of `nearest` that a multiprocessor runs at a time.
const BLOCKS_AT_A_TIME: usize = 2;
/// Shared memory of `nearest`, in bytes.
pub(super) const NEAREST_SHARED: usize = 75_776;
/// Shared memory of `prune` beside the distances of a batch, in bytes.
const PRUNE_SHARED: usize = 29_696;
/// Candidates that `prune` judges at a time, and those that it compares them with at a time.
const BATCH: usize = 32;
const OTHERS: usize = 128;

/// Rows whose neighbors are found by one launch, at most.
pub(super) const MAX_ROWS: usize = 32_768;
/// Places of candidates in one launch of `prune`, at most, if a list is not longer.
const MAX_PLACES: usize = 4 << 20;
/// Sums in one launch, at most, if a row is not longer.
const MAX_SUMS: usize = 8 << 20;

/// What a launch asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    /// Blocks.
    pub(super) x: u32,
    pub(super) y: u32,
    /// Threads of a block.
    pub(super) threads: u32,
    /// Bytes of shared memory of a block, beside what the kernel declares.
    pub(super) shared: u32,
}

impl Grid {
    fn new(x: usize, y: usize, threads: usize, shared: usize) -> Self {
        // Numbers of rows are below 2^32, and there are fewer blocks.
        Self { x: x as u32, y: y as u32, threads: threads as u32, shared: shared as u32 }
    }
}

/// A launch of `nearest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nearest {
    pub(super) grid: Grid,
    /// Parts of the columns, each of which has lists of its own.
    pub(super) parts: usize,
    pub(super) tiles_per_part: usize,
}

/// Numbers of a rounded row.
pub(super) fn padded(dims: usize) -> usize {
    dims.next_multiple_of(DEPTH)
}

/// For `rows` rows, at least one, and any number of columns. Columns are divided if there are too few
/// rows to occupy all `multiprocessors`.
pub(super) fn nearest(rows: usize, columns: usize, multiprocessors: usize) -> Nearest {
    let (row_tiles, tiles) = (rows.div_ceil(TILE), columns.div_ceil(TILE).max(1));
    let wanted = (BLOCKS_AT_A_TIME * multiprocessors / row_tiles).clamp(1, tiles);
    let tiles_per_part = tiles.div_ceil(wanted);
    let parts = tiles.div_ceil(tiles_per_part);
    let grid = Grid::new(row_tiles, parts, THREADS, NEAREST_SHARED);
    Nearest { grid, parts, tiles_per_part }
}

/// The number of lists that launches of [`nearest`] write, for up to [`MAX_ROWS`] rows.
pub(super) fn max_lists(multiprocessors: usize) -> usize {
    MAX_ROWS.max(BLOCKS_AT_A_TIME * multiprocessors * TILE)
}

/// A warp for each of `count` rows or lists.
pub(super) fn warps(count: usize) -> Grid {
    Grid::new(count.div_ceil(THREADS / LANES), 1, THREADS, 0)
}

/// A small block for each of `rows` rows.
pub(super) fn refine(rows: usize) -> Grid {
    Grid::new(rows, 1, FEW_THREADS, 0)
}

/// A thread for each sum.
pub(super) fn sums(clusters: usize, dims: usize) -> Grid {
    Grid::new(clusters, dims.div_ceil(FEW_THREADS), FEW_THREADS, 0)
}

/// Clusters that one launch sums.
pub(super) fn clusters_at_a_time(dims: usize) -> usize {
    (MAX_SUMS / dims).max(1)
}

/// A block for each of `lists` lists of `width` places.
pub(super) fn prune(lists: usize, width: usize) -> Grid {
    Grid::new(lists, 1, THREADS, prune_shared(width))
}

/// Bytes of shared memory for lists of `width` places.
pub(super) fn prune_shared(width: usize) -> usize {
    PRUNE_SHARED + BATCH * width.next_multiple_of(OTHERS) * size_of::<f32>()
}

/// Lists of `width` places, at least one, that one launch prunes.
pub(super) fn lists_at_a_time(width: usize) -> usize {
    (MAX_PLACES / width).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_CANDIDATES;

    /// What every device with a compute capability of 8.0 or more allows.
    const LEAST_SHARED: usize = 99 << 10;
    const LARGEST_Y: usize = 65_535;

    #[test]
    fn each_tile_is_in_one_part() {
        for multiprocessors in [1, 2, 46, 108, 132, 200] {
            for rows in [1, 127, 128, 129, 2048, 16_896, MAX_ROWS] {
                for columns in [0, 1, 128, 129, 5000, 1_000_000, u32::MAX as usize - 1] {
                    let launch = nearest(rows, columns, multiprocessors);
                    let tiles = columns.div_ceil(TILE).max(1);
                    let covered = launch.parts * launch.tiles_per_part;
                    assert!(covered >= tiles && covered - tiles < launch.tiles_per_part);
                    assert_eq!(launch.grid.x as usize, rows.div_ceil(TILE));
                    assert_eq!(launch.grid.y as usize, launch.parts);
                    assert!(launch.parts <= LARGEST_Y);
                    assert!(launch.parts * rows <= max_lists(multiprocessors));
                }
            }
        }
    }

    #[test]
    fn few_rows_occupy_all_multiprocessors() {
        let launch = nearest(2048, 1_000_000, 132);
        assert_eq!((launch.grid.x, launch.grid.y), (16, 16));
        let launch = nearest(MAX_ROWS, 1_000_000, 132);
        assert_eq!((launch.grid.x, launch.grid.y), (256, 1));
    }

    #[test]
    fn shared_memory_is_what_devices_have() {
        const { assert!(NEAREST_SHARED <= LEAST_SHARED) };
        assert!(prune_shared(MAX_CANDIDATES) <= LEAST_SHARED);
        assert_eq!(prune_shared(80), 29_696 + 32 * 128 * 4);
    }

    #[test]
    fn launches_cover_their_rows() {
        for count in [1, 7, 8, 9, 1000, u32::MAX as usize - 1] {
            assert_eq!(warps(count).x as usize, count.div_ceil(8));
        }
        assert_eq!(sums(10, 1), Grid { x: 10, y: 1, threads: 128, shared: 0 });
        assert_eq!(sums(10, 129).y, 2);
        for dims in [1, 768, 16_000] {
            let clusters = clusters_at_a_time(dims);
            assert!(clusters * dims <= MAX_SUMS && (clusters + 1) * dims > MAX_SUMS);
        }
        assert_eq!(clusters_at_a_time(usize::MAX), 1);
        assert_eq!(lists_at_a_time(1), MAX_PLACES);
        assert_eq!([1, 31, 32, 33, 768].map(padded), [32, 32, 32, 64, 768]);
    }
}
