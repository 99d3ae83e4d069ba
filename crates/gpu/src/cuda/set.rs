//! A set of rows on the device, and the calls that compute with it. Arguments have been checked.

use std::ops::Range;
use std::sync::Arc;

use cudarc::driver::sys::CUevent_flags::CU_EVENT_BLOCKING_SYNC;
use cudarc::driver::{CudaSlice, CudaStream, DeviceRepr, ValidAsZeroBits};

use super::kernels::{Kernels, Rows, Search, Selection};
use super::launch;
use super::staging::Staging;
use crate::{MARGIN, Measure, Result, Shape};

/// Candidates for the nearest centroid by rounded products.
const NEAREST_CENTROIDS: usize = 4;

/// Rows on the device, what is selected of them, centroids, and working space.
pub(super) struct Set {
    pub(super) shape: Shape,
    pub(super) multiprocessors: usize,
    rows: Rows,
    center: CudaSlice<f32>,
    selected: Option<(CudaSlice<u32>, usize)>,
    centroids: Option<(Rows, usize)>,
    staging: Staging,
    lists: Buffer<u64>,
    ids: Buffer<u32>,
    distances: Buffer<f32>,
    chosen: Buffer<u16>,
    starts: Buffer<u32>,
    sums: Buffer<f64>,
}

/// Working space that grows.
struct Buffer<T>(Option<CudaSlice<T>>);

impl<T: DeviceRepr + ValidAsZeroBits> Buffer<T> {
    /// Room for `len` items, with any content.
    fn with_room(&mut self, len: usize, stream: &Arc<CudaStream>) -> Result<&mut CudaSlice<T>> {
        if self.0.as_ref().is_some_and(|slice| slice.len() < len) {
            self.0 = None;
        }
        let slice = match self.0.take() {
            Some(slice) => slice,
            None => stream.alloc_zeros(len.max(1))?,
        };
        Ok(self.0.insert(slice))
    }

    /// A copy of `items`, at the beginning.
    fn copied(&mut self, items: &[T], stream: &Arc<CudaStream>) -> Result<&CudaSlice<T>> {
        let slice = self.with_room(items.len(), stream)?;
        stream.memcpy_htod(items, slice)?;
        Ok(slice)
    }

    fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, CudaSlice::num_bytes)
    }
}

impl Rows {
    fn new(rows: usize, dims: usize, stream: &Arc<CudaStream>) -> Result<Self> {
        let rows = rows.max(1);
        Ok(Self {
            exact: stream.alloc_zeros(rows * dims)?,
            rounded: stream.alloc_zeros(rows * launch::padded(dims))?,
            rounded_norms: stream.alloc_zeros(rows)?,
            norms: stream.alloc_zeros(rows)?,
        })
    }

    fn bytes(&self) -> usize {
        let norms = self.rounded_norms.num_bytes() + self.norms.num_bytes();
        self.exact.num_bytes() + self.rounded.num_bytes() + norms
    }
}

impl Set {
    /// Rows that are zero. Their number and dimensions are such that [`memory::bytes`] is a number.
    ///
    /// [`memory::bytes`]: super::memory::bytes
    pub(super) fn new(
        shape: Shape,
        center: &[f32],
        kernels: &Kernels,
        multiprocessors: usize,
    ) -> Result<Self> {
        let stream = &kernels.stream;
        let mut rows = Rows::new(shape.rows, shape.dims, stream)?;
        let center = stream.clone_htod(center)?;
        if shape.rows > 0 {
            kernels.round_rows(&mut rows, &center, 0, shape.rows, shape.dims)?;
        }
        let set = Self {
            shape,
            multiprocessors,
            rows,
            center,
            selected: None,
            centroids: None,
            staging: Staging::new(stream, shape.dims)?,
            lists: Buffer(None),
            ids: Buffer(None),
            distances: Buffer(None),
            chosen: Buffer(None),
            starts: Buffer(None),
            sums: Buffer(None),
        };
        finish(kernels)?;
        Ok(set)
    }

    /// Bytes of the device that the set takes.
    pub(super) fn bytes(&self) -> usize {
        let selected = self.selected.as_ref().map_or(0, |(selected, _)| selected.num_bytes());
        let centroids = self.centroids.as_ref().map_or(0, |(centroids, _)| centroids.bytes());
        let found = self.lists.bytes() + self.ids.bytes() + self.distances.bytes();
        let others = self.chosen.bytes() + self.starts.bytes() + self.sums.bytes();
        self.rows.bytes() + self.center.num_bytes() + selected + centroids + found + others
    }

    /// The number of positions.
    pub(super) fn selected(&self) -> usize {
        self.selected.as_ref().map_or(self.shape.rows, |&(_, count)| count)
    }

    /// The number of centroids.
    pub(super) fn centroids(&self) -> usize {
        self.centroids.as_ref().map_or(0, |&(_, count)| count)
    }

    pub(super) fn upload(&mut self, first: usize, rows: &[f32], kernels: &Kernels) -> Result<()> {
        let dims = self.shape.dims;
        self.staging.upload(rows, &mut self.rows.exact, first * dims, &kernels.stream)?;
        Ok(kernels.round_rows(&mut self.rows, &self.center, first, rows.len() / dims, dims)?)
    }

    pub(super) fn select(&mut self, rows: Option<&[u32]>, kernels: &Kernels) -> Result<()> {
        // The one before is freed first.
        self.selected = None;
        if let Some(rows) = rows {
            let mut selected = kernels.stream.alloc_zeros(rows.len().max(1))?;
            kernels.stream.memcpy_htod(rows, &mut selected)?;
            self.selected = Some((selected, rows.len()));
        }
        finish(kernels)
    }

    pub(super) fn neighbors(
        &mut self,
        of: Range<usize>,
        k: usize,
        ids: &mut [u32],
        distances: &mut [f32],
        kernels: &Kernels,
    ) -> Result<()> {
        let blocks = of.clone().step_by(launch::MAX_ROWS);
        let ids = ids.chunks_mut(launch::MAX_ROWS * k);
        let distances = distances.chunks_mut(launch::MAX_ROWS * k);
        for ((first, ids), distances) in blocks.zip(ids).zip(distances) {
            let rows = Selection { rows: &self.rows, selected: selected(&self.selected) };
            let search = Search {
                rows,
                first,
                count: ids.len() / k,
                columns: rows,
                column_count: self.selected.as_ref().map_or(self.shape.rows, |&(_, count)| count),
                without_self: true,
                dims: self.shape.dims,
                measure: self.shape.measure,
                wanted: k,
                length: k + MARGIN,
            };
            let working = (&mut self.lists, &mut self.ids, &mut self.distances);
            let found = run(search, self.multiprocessors, working, kernels)?;
            kernels.stream.memcpy_dtoh(&found.0.slice(..ids.len()), ids)?;
            kernels.stream.memcpy_dtoh(&found.1.slice(..distances.len()), distances)?;
        }
        finish(kernels)
    }

    #[expect(clippy::too_many_arguments)]
    pub(super) fn prune(
        &mut self,
        width: usize,
        ids: &[u32],
        distances: &[f32],
        limit: usize,
        leniency: f32,
        chosen: &mut [u16],
        kernels: &Kernels,
    ) -> Result<()> {
        let lists = launch::lists_at_a_time(width);
        let given = ids.chunks(lists * width).zip(distances.chunks(lists * width));
        for ((ids, distances), chosen) in given.zip(chosen.chunks_mut(lists * limit)) {
            let shape = self.shape;
            let on_device = self.chosen.with_room(chosen.len(), &kernels.stream)?;
            kernels.prune(
                Selection { rows: &self.rows, selected: selected(&self.selected) },
                &self.center,
                (shape.dims, shape.measure),
                (ids.len() / width, width, limit),
                self.ids.copied(ids, &kernels.stream)?,
                self.distances.copied(distances, &kernels.stream)?,
                leniency,
                on_device,
            )?;
            kernels.stream.memcpy_dtoh(&on_device.slice(..chosen.len()), chosen)?;
        }
        finish(kernels)
    }

    pub(super) fn set_centroids(&mut self, centroids: &[f32], kernels: &Kernels) -> Result<()> {
        let dims = self.shape.dims;
        let count = centroids.len() / dims;
        let mut rows = match self.centroids.take() {
            Some((rows, before)) if before == count => rows,
            _ => Rows::new(count, dims, &kernels.stream)?,
        };
        kernels.stream.memcpy_htod(centroids, &mut rows.exact)?;
        if count > 0 {
            kernels.round_rows(&mut rows, &self.center, 0, count, dims)?;
        }
        self.centroids = Some((rows, count));
        finish(kernels)
    }

    pub(super) fn assign(
        &mut self,
        of: Range<usize>,
        nearest: &mut [u32],
        kernels: &Kernels,
    ) -> Result<()> {
        let Some((centroids, count)) = &self.centroids else {
            return Ok(());
        };
        let blocks = of.step_by(launch::MAX_ROWS);
        for (first, nearest) in blocks.zip(nearest.chunks_mut(launch::MAX_ROWS)) {
            let search = Search {
                rows: Selection { rows: &self.rows, selected: selected(&self.selected) },
                first,
                count: nearest.len(),
                columns: Selection { rows: centroids, selected: None },
                column_count: *count,
                without_self: false,
                dims: self.shape.dims,
                measure: Measure::L2,
                wanted: 1,
                length: NEAREST_CENTROIDS,
            };
            let working = (&mut self.lists, &mut self.ids, &mut self.distances);
            let found = run(search, self.multiprocessors, working, kernels)?;
            kernels.stream.memcpy_dtoh(&found.0.slice(..nearest.len()), nearest)?;
        }
        finish(kernels)
    }

    pub(super) fn sums(
        &mut self,
        members: &[u32],
        starts: &[u32],
        sums: &mut [f64],
        kernels: &Kernels,
    ) -> Result<()> {
        let dims = self.shape.dims;
        let clusters = launch::clusters_at_a_time(dims);
        let all = self.ids.copied(members, &kernels.stream)?;
        for (block, sums) in sums.chunks_mut(clusters * dims).enumerate() {
            let count = sums.len() / dims;
            let starts = &starts[block * clusters..][..=count];
            let on_device = self.sums.with_room(sums.len(), &kernels.stream)?;
            kernels.sums(
                Selection { rows: &self.rows, selected: selected(&self.selected) },
                (count, dims),
                all,
                self.starts.copied(starts, &kernels.stream)?,
                on_device,
            )?;
            kernels.stream.memcpy_dtoh(&on_device.slice(..sums.len()), sums)?;
        }
        finish(kernels)
    }
}

/// The working space of a search: keys, numbers, distances.
type Working<'a> = (&'a mut Buffer<u64>, &'a mut Buffer<u32>, &'a mut Buffer<f32>);

/// Runs a search; returns what it found.
fn run<'a>(
    search: Search<'_>,
    multiprocessors: usize,
    (lists, ids, distances): Working<'a>,
    kernels: &Kernels,
) -> Result<(&'a CudaSlice<u32>, &'a CudaSlice<f32>)> {
    let parts = launch::nearest(search.count, search.column_count, multiprocessors).parts;
    let lists = lists.with_room(parts * search.count * search.length, &kernels.stream)?;
    let ids = ids.with_room(search.count * search.wanted, &kernels.stream)?;
    let distances = distances.with_room(search.count * search.wanted, &kernels.stream)?;
    kernels.search(search, multiprocessors, lists, ids, distances)?;
    Ok((ids, distances))
}

fn selected(selected: &Option<(CudaSlice<u32>, usize)>) -> Option<&CudaSlice<u32>> {
    selected.as_ref().map(|(selected, _)| selected)
}

/// Waits until the device has done all, without keeping the processor busy.
fn finish(kernels: &Kernels) -> Result<()> {
    let done = kernels.stream.record_event(Some(CU_EVENT_BLOCKING_SYNC))?;
    Ok(done.synchronize()?)
}
