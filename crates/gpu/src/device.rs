//! What builds ask of a device.

use std::fmt;
use std::ops::Range;

/// Fills the places of neighbors that do not exist.
pub const NONE: u32 = u32::MAX;

/// Fills the places of candidates that are not chosen.
pub const NOT_CHOSEN: u16 = u16::MAX;

/// The largest number of neighbors that [`Device::neighbors`] is asked for.
pub const MAX_NEIGHBORS: usize = 256;

/// The largest number of candidates that a list has in [`Device::prune`].
pub const MAX_CANDIDATES: usize = 512;

/// How many more neighbors than wanted are found by rounded products, before the wanted ones are
/// chosen among them by distances in single precision.
pub const MARGIN: usize = 16;

/// How vectors are compared. Both are *reduced distances*: smaller is nearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The squared Euclidean distance. For cosine, vectors arrive with length one.
    L2,
    /// The negated inner product.
    InnerProduct,
}

/// A set of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Number of rows, at most 2^32 - 2.
    pub rows: usize,
    /// Numbers in a row, at least 1.
    pub dims: usize,
    /// How rows are compared.
    pub measure: Measure,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceError {
    /// The device has too little memory, or `vector_ext.gpu_memory_limit` allows too little.
    DeviceMemory,
    /// The operating system gives no more memory.
    HostMemory,
    /// Anything else, in words that complete "the device failed: …".
    Failed(String),
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeviceMemory => f.write_str("the device has too little memory"),
            Self::HostMemory => f.write_str("out of memory"),
            Self::Failed(why) => write!(f, "the device failed: {why}"),
        }
    }
}

impl std::error::Error for DeviceError {}

/// The result of a call.
pub type Result<T> = std::result::Result<T, DeviceError>;

/// A device that computes with one set of rows at a time.
///
/// A build calls [`begin`](Self::begin), then [`upload`](Self::upload) until all rows are there, then
/// the other methods in any order, and at last [`end`](Self::end).
///
/// # Rules for all calls
///
/// * **No call panics**, whatever the driver does. Arguments of a wrong size, ranges out of bounds,
///   calls without a set are [`DeviceError::Failed`].
/// * **After an error** the set is lost. The caller may drop the device, or call `end` and then `begin`.
/// * **A call takes at most about 100 ms.** Callers split their work into blocks of rows and look for
///   interrupts between them; they start with one [`granule`](Self::granule) and adapt the size of the
///   blocks to the time that they take. Results do not depend on this division.
/// * **Results are deterministic**: the same rows give the same bits on the same device. Ties are broken
///   by position, the smaller first. Sums have a fixed order, without atomic additions of floats.
/// * **No result is NaN.** A distance that is NaN, because numbers overflow, is `f32::INFINITY` instead.
///   Rows are finite, but their norms may overflow.
/// * All calls come from the thread that made the device.
///
/// # Precision
///
/// *Rounded products* are products of rows from which the center was subtracted in `f32` and which then
/// were rounded to bfloat16 (to nearest, ties to even); they are summed in `f32`, in any fixed order. For
/// L2 the rounded distance is `|a|² + |b|² − 2ab`, with norms in `f32` of the same rounded rows.
/// *Exact distances* are taken in `f32` from rows as they were uploaded: for L2 from the sum of squared
/// differences, which has no cancellation.
///
/// # Selection
///
/// Calls name rows by their *position* in the selection. At first all rows are selected, and a position is
/// the number of the row. [`select`](Self::select) chooses others.
pub trait Device {
    /// What users call the device, such as "GPU 0 (NVIDIA H200)". Does not need a set.
    fn name(&self) -> String;

    /// The number of rows that blocks should be multiples of; at least 1. A call with so many rows takes
    /// far less than 100 ms for sets of usual sizes.
    fn granule(&self) -> usize;

    /// Whether a set of this shape fits, with lists of up to `neighbors` neighbors and up to `centroids`
    /// centroids: memory that is free now, within the limit that users set.
    fn fits(&self, shape: Shape, neighbors: usize, centroids: usize) -> bool;

    /// Bytes of this process's memory that a set of this shape takes; 0 if it lies on the device.
    fn host_bytes(&self, shape: Shape) -> usize;

    /// Makes room for a set of rows, all zero and selected, and frees the one before.
    ///
    /// `center` has [`Shape::dims`] numbers and is a point amid the rows for [`Measure::L2`], where the
    /// products of rows that are far from the origin would be too imprecise. It is zeros for
    /// [`Measure::InnerProduct`], which would change by it.
    ///
    /// # Errors
    /// [`DeviceError::DeviceMemory`] if the set does not fit.
    fn begin(&mut self, shape: Shape, center: &[f32]) -> Result<()>;

    /// Copies rows number `first ..` to the device, `rows.len() / dims` of them, one after another. They
    /// are finite. Rows may be uploaded again, also after other calls, with other numbers.
    ///
    /// May return before they have arrived, but not read `rows` later.
    fn upload(&mut self, first: usize, rows: &[f32]) -> Result<()>;

    /// Selects rows by their numbers, which ascend; `None` selects all.
    fn select(&mut self, rows: Option<&[u32]>) -> Result<()>;

    /// Finds the `k` nearest selected rows of each row at the positions `of`, without itself.
    ///
    /// Candidates are the `k` + [`MARGIN`] rows of least rounded distance (ties by position). Of these the
    /// `k` with the least exact distance are returned, ascending by exact distance, then position.
    ///
    /// `ids` and `distances` have `of.len() × k` places, row by row: positions, and exact distances. If
    /// fewer than `k` other rows are selected, the rest is [`NONE`] and `f32::INFINITY`.
    /// `k` is at most [`MAX_NEIGHBORS`].
    fn neighbors(
        &mut self,
        of: Range<usize>,
        k: usize,
        ids: &mut [u32],
        distances: &mut [f32],
    ) -> Result<()>;

    /// Chooses neighbors from lists of candidates, by the rule of the crate `prune` (`prune::select`).
    ///
    /// `ids` and `distances` have `width` places for each list, at most [`MAX_CANDIDATES`]: positions of
    /// candidates, and their distances to the owner of the list, ascending by distance, then position.
    /// [`NONE`] and `f32::INFINITY` fill the end. The rule compares the distances given with those between
    /// candidates, which the device computes in `f32`: as exact distances, or on Gram matrices of rows less
    /// the center (for L2 `|a|² + |b|² − 2ab`, at least 0). So it may decide otherwise than another device
    /// if both sides of a comparison differ by less than the rounding of these sums.
    ///
    /// `limit` is at most `width`, and `leniency` at least 1. `chosen` has `limit` places for each list:
    /// places in the list, from 0, ascending; [`NOT_CHOSEN`] fills the end.
    ///
    /// The rule, for the candidates of a list in order: each gets the least reason of those that it has
    /// beside the candidates before it whose reason is `Lenient` or `Diverse`; without one, `Diverse`.
    /// With `distance` to the owner, and `between` the distance to the other:
    ///
    /// | other | `between > distance` | else `leniency × between > distance` | else |
    /// |---|---|---|---|
    /// | `Diverse` | `Diverse` | `Lenient` | `Fills` |
    /// | `Lenient` | `Diverse` | `Diverse` | `Fills` |
    ///
    /// Then the best `limit` by reason (`Diverse`, `Lenient`, `Fills`), then by place, are chosen.
    fn prune(
        &mut self,
        width: usize,
        ids: &[u32],
        distances: &[f32],
        limit: usize,
        leniency: f32,
        chosen: &mut [u16],
    ) -> Result<()>;

    /// Copies centroids to the device, `centroids.len() / dims` of them, one after another; they replace
    /// those before. They are finite.
    fn set_centroids(&mut self, centroids: &[f32]) -> Result<()>;

    /// Finds the nearest centroid of each row at the positions `of`, by squared Euclidean distance
    /// whatever the measure.
    ///
    /// Of the 4 centroids of least rounded distance (from rounded products, as for rows), that of the
    /// least exact distance; ties by number. `nearest` has `of.len()` places.
    fn assign(&mut self, of: Range<usize>, nearest: &mut [u32]) -> Result<()>;

    /// Sums rows, as they were uploaded, by cluster.
    ///
    /// The rows of cluster `i` are at the positions `members[starts[i] .. starts[i + 1]]`; `starts` has
    /// one number more than there are clusters, ascends, and need not begin with 0. `sums` has `dims`
    /// places for each cluster: sums in `f64`, in the order of `members`; zeros if there is none.
    fn sums(&mut self, members: &[u32], starts: &[u32], sums: &mut [f64]) -> Result<()>;

    /// Frees all memory of the set. Never fails; dropping the device does the same.
    fn end(&mut self);
}
