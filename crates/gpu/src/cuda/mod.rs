//! A GPU of NVIDIA, by the driver's interface and kernels of our own.
//!
//! Nothing of CUDA is linked: the bindings open the driver's `libcuda.so.1` when [`open`] is called.
//! Everything that calls the driver is guarded against panics, since the bindings panic where a library
//! is not as they expect.

mod driver;
mod error;
mod kernels;
mod launch;
mod memory;
mod set;
mod staging;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use cudarc::driver::CudaContext;

use crate::{
    CudaInfo, CudaOptions, Device, DeviceError, MAX_CANDIDATES, MAX_NEIGHBORS, NONE, NoGpu, Result,
    Shape,
};
use driver::Found;
use error::guarded;
use kernels::Kernels;
use set::Set;

/// Rows of a block: some tiles.
const GRANULE: usize = 16 * launch::TILE;

/// Why a device failed in this process. It is not tried again: after most errors a context is lost, and
/// what has failed once is likely to fail again.
static FAILED: OnceLock<String> = OnceLock::new();

/// Opens a device.
pub(crate) fn open(options: &CudaOptions) -> std::result::Result<CudaDevice, NoGpu> {
    if let Some(why) = FAILED.get() {
        return Err(NoGpu::Unusable(format!("the GPU failed earlier in this session: {why}")));
    }
    let opened = guarded(|| Ok(open_unguarded(options)));
    opened.unwrap_or_else(|error| Err(NoGpu::Unusable(error.to_string())))
}

/// What a device is.
pub(crate) fn describe(ordinal: u32) -> std::result::Result<CudaInfo, NoGpu> {
    let found = guarded(|| Ok(driver::find(ordinal)));
    found.unwrap_or_else(|error| Err(NoGpu::Unusable(error.to_string()))).map(|found| found.info)
}

fn open_unguarded(options: &CudaOptions) -> std::result::Result<CudaDevice, NoGpu> {
    let found = driver::find(options.ordinal)?;
    let needed = launch::prune_shared(MAX_CANDIDATES).max(launch::NEAREST_SHARED);
    if found.shared < needed {
        let why =
            format!("{} gives blocks {} bytes of shared memory", found.info.name, found.shared);
        return Err(NoGpu::Unusable(format!("{why}; {needed} are needed")));
    }
    let context = driver::context(found.ordinal)
        .map_err(|error| driver::unusable("no context can be made on the GPU", error))?;
    let kernels = Kernels::load(&context)
        .map_err(|error| driver::unusable("the GPU does not load the kernels", error))?;
    let (free, _) = context
        .mem_get_info()
        .map_err(|error| driver::unusable("the GPU does not tell its memory", error))?;
    let name = format!("GPU {} ({}, {} GiB free)", found.ordinal, found.info.name, free >> 30);
    let live = Live { set: None, kernels, context };
    Ok(CudaDevice { name, found, limit: options.memory_limit, live: Some(live) })
}

/// A device.
pub(crate) struct CudaDevice {
    name: String,
    found: Found,
    /// Bytes that may be used.
    limit: Option<u64>,
    /// None after an error.
    live: Option<Live>,
}

/// What is on the device. Fields are dropped in this order.
struct Live {
    set: Option<Set>,
    kernels: Kernels,
    context: Arc<CudaContext>,
}

impl Drop for CudaDevice {
    fn drop(&mut self) {
        self.give_up();
    }
}

impl CudaDevice {
    /// Drops the context, and all that is in it.
    fn give_up(&mut self) {
        let live = self.live.take();
        // There is nobody to tell of an error.
        let _ = guarded(|| {
            drop(live);
            Ok(())
        });
    }

    /// The result of `call`. If the device has failed, it is given up.
    fn call<T>(&mut self, call: impl FnOnce(&mut Live) -> Result<T>) -> Result<T> {
        let Some(live) = &mut self.live else {
            return Err(DeviceError::Failed("it has failed before".to_owned()));
        };
        let result = guarded(|| call(live));
        if let Err(DeviceError::Failed(why)) = &result {
            FAILED.get_or_init(|| why.clone());
            self.give_up();
        }
        result
    }

    /// The result of `call` with the set. If it fails, the set is lost.
    fn with_set<T>(&mut self, call: impl FnOnce(&mut Set, &Kernels) -> Result<T>) -> Result<T> {
        self.call(|live| {
            let Some(set) = &mut live.set else {
                // Not reached: callers have looked at the set.
                return Err(DeviceError::Failed("there is no set of rows".to_owned()));
            };
            let result = call(set, &live.kernels);
            if result.is_err() {
                live.set = None;
            }
            result
        })
    }

    fn set(&self) -> Result<&Set> {
        let set = self.live.as_ref().and_then(|live| live.set.as_ref());
        set.ok_or_else(|| DeviceError::Failed("there is no set of rows".to_owned()))
    }
}

impl Live {
    /// Whether so many bytes are free, or taken by the set there is, within the limit.
    fn has_room(&self, bytes: usize, limit: Option<u64>) -> Result<bool> {
        let (free, _) = self.context.mem_get_info()?;
        let free = free.saturating_add(self.set.as_ref().map_or(0, Set::bytes));
        Ok(bytes <= free && limit.is_none_or(|limit| bytes as u64 <= limit))
    }
}

/// An error unless `holds`: the caller's mistake, which the device does not notice.
fn require(holds: bool, what: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(DeviceError::Failed(format!("wrong argument: {what}"))) }
}

impl Device for CudaDevice {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn granule(&self) -> usize {
        GRANULE
    }

    fn fits(&self, shape: Shape, neighbors: usize, centroids: usize) -> bool {
        let Some(live) = &self.live else {
            return false;
        };
        memory::bytes(shape, neighbors, centroids, self.found.multiprocessors)
            .is_some_and(|bytes| guarded(|| live.has_room(bytes, self.limit)).unwrap_or(false))
    }

    fn host_bytes(&self, _shape: Shape) -> usize {
        0
    }

    fn begin(&mut self, shape: Shape, center: &[f32]) -> Result<()> {
        require(shape.rows < NONE as usize, "too many rows")?;
        require(shape.dims > 0 && u32::try_from(shape.dims).is_ok(), "dimensions")?;
        require(center.len() == shape.dims, "length of the center")?;
        self.end();
        let (limit, multiprocessors) = (self.limit, self.found.multiprocessors);
        let bytes = memory::bytes(shape, 0, 0, multiprocessors).ok_or(DeviceError::DeviceMemory)?;
        self.call(|live| {
            // Memory that was freed is free once the device has come so far.
            live.kernels.stream.synchronize()?;
            if !live.has_room(bytes, limit)? {
                return Err(DeviceError::DeviceMemory);
            }
            live.set = Some(Set::new(shape, center, &live.kernels, multiprocessors)?);
            Ok(())
        })
    }

    fn upload(&mut self, first: usize, rows: &[f32]) -> Result<()> {
        let shape = self.set()?.shape;
        require(rows.len().is_multiple_of(shape.dims), "length of rows")?;
        let count = rows.len() / shape.dims;
        let exist = first.checked_add(count).is_some_and(|end| end <= shape.rows);
        require(exist, "rows beyond the last")?;
        if count == 0 {
            return Ok(());
        }
        self.with_set(|set, kernels| set.upload(first, rows, kernels))
    }

    fn select(&mut self, rows: Option<&[u32]>) -> Result<()> {
        let count = self.set()?.shape.rows;
        if let Some(rows) = rows {
            require(rows.is_sorted_by(|a, b| a < b), "rows do not ascend")?;
            require(
                rows.last().is_none_or(|&last| (last as usize) < count),
                "rows beyond the last",
            )?;
        }
        self.with_set(|set, kernels| set.select(rows, kernels))
    }

    fn neighbors(
        &mut self,
        of: Range<usize>,
        k: usize,
        ids: &mut [u32],
        distances: &mut [f32],
    ) -> Result<()> {
        require(of.end <= self.set()?.selected(), "positions beyond the last")?;
        require(k <= MAX_NEIGHBORS, "too many neighbors")?;
        let places = of.len() * k;
        require(ids.len() == places && distances.len() == places, "places for neighbors")?;
        if places == 0 {
            return Ok(());
        }
        self.with_set(|set, kernels| set.neighbors(of, k, ids, distances, kernels))
    }

    fn prune(
        &mut self,
        width: usize,
        ids: &[u32],
        distances: &[f32],
        limit: usize,
        leniency: f32,
        chosen: &mut [u16],
    ) -> Result<()> {
        let selected = self.set()?.selected();
        require(width <= MAX_CANDIDATES && limit <= width, "width of lists")?;
        require(leniency >= 1.0, "leniency")?;
        if limit == 0 || ids.is_empty() {
            return require(chosen.is_empty(), "places for the chosen");
        }
        require(
            ids.len().is_multiple_of(width) && distances.len() == ids.len(),
            "length of lists",
        )?;
        require(chosen.len() == ids.len() / width * limit, "places for the chosen")?;
        let exists = |&id: &u32| id == NONE || (id as usize) < selected;
        require(ids.iter().all(exists), "positions beyond the last")?;
        // What exists comes first: the kernel reads no further.
        let ordered = |list: &[u32]| list.is_sorted_by_key(|&id| id == NONE);
        require(ids.chunks(width).all(ordered), "candidates after the end of a list")?;
        self.with_set(|set, kernels| {
            set.prune(width, ids, distances, limit, leniency, chosen, kernels)
        })
    }

    fn set_centroids(&mut self, centroids: &[f32]) -> Result<()> {
        let dims = self.set()?.shape.dims;
        require(centroids.len().is_multiple_of(dims), "length of centroids")?;
        require(centroids.len() / dims < NONE as usize, "too many centroids")?;
        self.with_set(|set, kernels| set.set_centroids(centroids, kernels))
    }

    fn assign(&mut self, of: Range<usize>, nearest: &mut [u32]) -> Result<()> {
        let set = self.set()?;
        require(of.end <= set.selected(), "positions beyond the last")?;
        require(nearest.len() == of.len(), "places for centroids")?;
        require(set.centroids() > 0, "there is no centroid")?;
        if nearest.is_empty() {
            return Ok(());
        }
        self.with_set(|set, kernels| set.assign(of, nearest, kernels))
    }

    fn sums(&mut self, members: &[u32], starts: &[u32], sums: &mut [f64]) -> Result<()> {
        let set = self.set()?;
        let (selected, dims) = (set.selected(), set.shape.dims);
        require(members.iter().all(|&id| (id as usize) < selected), "positions beyond the last")?;
        require(starts.is_sorted(), "starts do not ascend")?;
        let last = starts.last().ok_or_else(|| DeviceError::Failed("no starts".to_owned()))?;
        require(*last as usize <= members.len(), "members beyond the last")?;
        require(Some(sums.len()) == (starts.len() - 1).checked_mul(dims), "places for sums")?;
        self.with_set(|set, kernels| set.sums(members, starts, sums, kernels))
    }

    fn end(&mut self) {
        if let Some(live) = &mut self.live {
            let set = live.set.take();
            let dropped = guarded(|| {
                drop(set);
                Ok(())
            });
            if dropped.is_err() {
                self.give_up();
            }
        }
    }
}
