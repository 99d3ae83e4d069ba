//! The kernels, and their launches.

#![allow(unsafe_code)] // launches
#![allow(clippy::needless_pass_by_ref_mut)] // what kernels write

use std::sync::Arc;

use cudarc::driver::sys::CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
use cudarc::driver::{
    CudaContext, CudaFunction, CudaSlice, CudaStream, DevicePtr, DriverError, LaunchConfig,
    PushKernelArg,
};
use cudarc::nvrtc::Ptx;

use super::launch::{self, Grid};
use crate::{MARGIN, MAX_CANDIDATES, Measure};

/// What `scripts/compile-kernels.sh` makes of `kernels/gpu.cu`.
const PTX: &str = include_str!("../../kernels/gpu.ptx");

/// The functions of the kernels, and the stream on which all of them run.
pub(super) struct Kernels {
    pub(super) stream: Arc<CudaStream>,
    round_rows: CudaFunction,
    nearest: CudaFunction,
    merge_parts: CudaFunction,
    refine: CudaFunction,
    sums: CudaFunction,
    prune: CudaFunction,
}

/// Rows on the device.
pub(super) struct Rows {
    /// As they were uploaded.
    pub(super) exact: CudaSlice<f32>,
    /// Less the center, rounded, and filled with zeros.
    pub(super) rounded: CudaSlice<u16>,
    /// Squared norms of the rounded rows.
    pub(super) rounded_norms: CudaSlice<f32>,
    /// Squared norms of the rows less the center.
    pub(super) norms: CudaSlice<f32>,
}

/// Rows at positions, all of which exist.
#[derive(Clone, Copy)]
pub(super) struct Selection<'a> {
    pub(super) rows: &'a Rows,
    /// The numbers of the rows; none if they are the positions.
    pub(super) selected: Option<&'a CudaSlice<u32>>,
}

/// Rows that are compared with columns.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    pub(super) rows: Selection<'a>,
    pub(super) first: usize,
    pub(super) count: usize,
    pub(super) columns: Selection<'a>,
    pub(super) column_count: usize,
    pub(super) without_self: bool,
    pub(super) dims: usize,
    pub(super) measure: Measure,
    /// Columns wanted for each row.
    pub(super) wanted: usize,
    /// More than that, which are found by rounded products first.
    pub(super) length: usize,
}

impl Kernels {
    /// Loads the kernels. Compiling them for the device takes the driver some seconds the first time.
    pub(super) fn load(context: &Arc<CudaContext>) -> Result<Self, DriverError> {
        let module = context.load_module(Ptx::from_src(PTX))?;
        let kernels = Self {
            stream: context.default_stream(),
            round_rows: module.load_function("round_rows")?,
            nearest: module.load_function("nearest")?,
            merge_parts: module.load_function("merge_parts")?,
            refine: module.load_function("refine")?,
            sums: module.load_function("sums")?,
            prune: module.load_function("prune")?,
        };
        let shared = [
            (&kernels.nearest, launch::NEAREST_SHARED),
            (&kernels.prune, launch::prune_shared(MAX_CANDIDATES)),
        ];
        for (function, bytes) in shared {
            let attribute = CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
            function.set_attribute(attribute, bytes as i32)?;
        }
        Ok(kernels)
    }

    /// Rounds the rows `first .. first + count`.
    pub(super) fn round_rows(
        &self,
        rows: &mut Rows,
        center: &CudaSlice<f32>,
        first: usize,
        count: usize,
        dims: usize,
    ) -> Result<(), DriverError> {
        let (exact, center) = (self.address(&rows.exact), self.address(center));
        let (rounded, rounded_norms) =
            (self.address(&rows.rounded), self.address(&rows.rounded_norms));
        let norms = self.address(&rows.norms);
        let (first, count_of_kernel) = (first as u32, count as u32);
        let (dims, padded) = (dims as u32, launch::padded(dims) as u32);
        let mut arguments = self.stream.launch_builder(&self.round_rows);
        arguments.arg(&exact).arg(&center).arg(&first).arg(&count_of_kernel).arg(&dims);
        arguments.arg(&padded).arg(&rounded).arg(&rounded_norms).arg(&norms);
        // SAFETY: the arguments are those of the kernel; the rows exist, and all of `rows` were
        // allocated for them and for `dims`.
        unsafe { arguments.launch(config(launch::warps(count))) }.map(drop)
    }

    /// Writes the nearest columns of each row to `ids` and `distances`, with working space for `lists`.
    pub(super) fn search(
        &self,
        search: Search<'_>,
        multiprocessors: usize,
        lists: &mut CudaSlice<u64>,
        ids: &mut CudaSlice<u32>,
        distances: &mut CudaSlice<f32>,
    ) -> Result<(), DriverError> {
        let Search { rows, columns, .. } = search;
        let plan = launch::nearest(search.count, search.column_count, multiprocessors);
        let (first, count) = (search.first as u32, search.count as u32);
        let (dims, padded) = (search.dims as u32, launch::padded(search.dims) as u32);
        let (length, wanted) = (search.length as u32, search.wanted as u32);
        let measure = match search.measure {
            Measure::L2 => 0_u32,
            Measure::InnerProduct => 1,
        };
        let selected_rows = self.address_of_selected(rows);
        let selected_columns = self.address_of_selected(columns);
        let lists_of_kernel = self.address(lists);

        let (rounded_rows, row_norms) =
            (self.address(&rows.rows.rounded), self.address(&rows.rows.rounded_norms));
        let (rounded_columns, column_norms) =
            (self.address(&columns.rows.rounded), self.address(&columns.rows.rounded_norms));
        let (column_count, without_self) =
            (search.column_count as u32, u32::from(search.without_self));
        let tiles_per_part = plan.tiles_per_part as u32;
        let mut arguments = self.stream.launch_builder(&self.nearest);
        arguments.arg(&rounded_rows).arg(&row_norms).arg(&selected_rows).arg(&first).arg(&count);
        arguments.arg(&rounded_columns).arg(&column_norms).arg(&selected_columns);
        arguments.arg(&column_count).arg(&padded).arg(&measure).arg(&without_self);
        arguments.arg(&tiles_per_part).arg(&length).arg(&lists_of_kernel);
        // SAFETY: the arguments are those of the kernel; rows and columns exist, the caller has made
        // `lists` large enough for `parts` lists of each row, and `length` is at most 288.
        unsafe { arguments.launch(config(plan.grid)) }?;

        if plan.parts > 1 {
            let parts = plan.parts as u32;
            let mut arguments = self.stream.launch_builder(&self.merge_parts);
            arguments.arg(&count).arg(&parts).arg(&length).arg(&lists_of_kernel);
            // SAFETY: as above.
            unsafe { arguments.launch(config(launch::warps(search.count))) }?;
        }

        let (exact_rows, exact_columns) =
            (self.address(&rows.rows.exact), self.address(&columns.rows.exact));
        let (ids, distances) = (self.address(ids), self.address(distances));
        let mut arguments = self.stream.launch_builder(&self.refine);
        arguments.arg(&exact_rows).arg(&selected_rows).arg(&first).arg(&exact_columns);
        arguments.arg(&selected_columns).arg(&dims).arg(&measure).arg(&lists_of_kernel);
        arguments.arg(&length).arg(&wanted).arg(&ids).arg(&distances);
        // SAFETY: as above; `ids` and `distances` have `wanted` places for each row.
        unsafe { arguments.launch(config(launch::refine(search.count))) }.map(drop)
    }

    /// Prunes `lists` lists of `width` places.
    #[expect(clippy::too_many_arguments)]
    pub(super) fn prune(
        &self,
        rows: Selection<'_>,
        center: &CudaSlice<f32>,
        (dims, measure): (usize, Measure),
        (lists, width, limit): (usize, usize, usize),
        ids: &CudaSlice<u32>,
        distances: &CudaSlice<f32>,
        leniency: f32,
        chosen: &mut CudaSlice<u16>,
    ) -> Result<(), DriverError> {
        let (exact, center) = (self.address(&rows.rows.exact), self.address(center));
        let (norms, selected) = (self.address(&rows.rows.norms), self.address_of_selected(rows));
        let (ids, distances) = (self.address(ids), self.address(distances));
        let (dims, width_of_kernel, limit) = (dims as u32, width as u32, limit as u32);
        let measure = match measure {
            Measure::L2 => 0_u32,
            Measure::InnerProduct => 1,
        };
        let chosen = self.address(chosen);
        let mut arguments = self.stream.launch_builder(&self.prune);
        arguments.arg(&exact).arg(&center).arg(&norms).arg(&selected).arg(&dims).arg(&measure);
        arguments.arg(&width_of_kernel).arg(&ids).arg(&distances).arg(&limit).arg(&leniency);
        arguments.arg(&chosen);
        // SAFETY: the arguments are those of the kernel; the caller has checked that candidates exist
        // and that `width` is at most MAX_CANDIDATES; the lists have `width` and `limit` places.
        unsafe { arguments.launch(config(launch::prune(lists, width))) }.map(drop)
    }

    /// Sums rows by cluster. The members of the first cluster begin at the first of `members`.
    pub(super) fn sums(
        &self,
        rows: Selection<'_>,
        (clusters, dims): (usize, usize),
        members: &CudaSlice<u32>,
        starts: &CudaSlice<u32>,
        sums: &mut CudaSlice<f64>,
    ) -> Result<(), DriverError> {
        let (exact, selected) = (self.address(&rows.rows.exact), self.address_of_selected(rows));
        let (members, starts) = (self.address(members), self.address(starts));
        let sums = self.address(sums);
        let dims_of_kernel = dims as u32;
        let mut arguments = self.stream.launch_builder(&self.sums);
        arguments.arg(&exact).arg(&selected).arg(&dims_of_kernel).arg(&members).arg(&starts);
        arguments.arg(&sums);
        // SAFETY: the arguments are those of the kernel; the caller has checked that members exist,
        // and `sums` has `dims` places for each of `clusters`.
        unsafe { arguments.launch(config(launch::sums(clusters, dims))) }.map(drop)
    }

    /// Where a slice is on the device. Launches are ordered by their one stream, so that nothing else
    /// needs to be known of its uses.
    fn address<T>(&self, slice: &CudaSlice<T>) -> u64 {
        slice.device_ptr(&self.stream).0
    }

    fn address_of_selected(&self, rows: Selection<'_>) -> u64 {
        rows.selected.map_or(0, |selected| self.address(selected))
    }
}

fn config(grid: Grid) -> LaunchConfig {
    LaunchConfig {
        grid_dim: (grid.x, grid.y, 1),
        block_dim: (grid.threads, 1, 1),
        shared_mem_bytes: grid.shared,
    }
}

const _: () = assert!(crate::MAX_NEIGHBORS + MARGIN <= 288);
