//! Finding the driver and a device, without a panic.

#![allow(unsafe_code)] // functions of the driver

use std::ffi::c_int;
use std::sync::Arc;

use cudarc::driver::sys::{self, CUctx_flags, CUdevice_attribute};
use cudarc::driver::{CudaContext, DriverError, result};

use super::error::words;
use crate::{CudaInfo, NoGpu};

/// The oldest driver that loads the kernels, as `cuDriverGetVersion` tells it: 12.2.
const LEAST_DRIVER: i32 = 12_020;
/// The lowest compute capability that the kernels run on: that of the first with bfloat16.
const LEAST_CAPABILITY: (i32, i32) = (8, 0);

/// All functions of the driver that are called. The bindings panic where one is missing.
const FUNCTIONS: &[&str] = &[
    "cuCtxCreate_v3",
    "cuCtxDestroy_v2",
    "cuCtxGetCurrent",
    "cuCtxSetCurrent",
    "cuDeviceGet",
    "cuDeviceGetAttribute",
    "cuDeviceGetCount",
    "cuDeviceGetName",
    "cuDeviceTotalMem_v2",
    "cuDriverGetVersion",
    "cuEventCreate",
    "cuEventDestroy_v2",
    "cuEventRecord",
    "cuEventSynchronize",
    "cuFuncSetAttribute",
    "cuGetErrorName",
    "cuGetErrorString",
    "cuInit",
    "cuLaunchKernel",
    "cuMemAllocAsync",
    "cuMemAlloc_v2",
    "cuMemFreeAsync",
    "cuMemFreeHost",
    "cuMemFree_v2",
    "cuMemGetInfo_v2",
    "cuMemHostAlloc",
    "cuMemcpyDtoHAsync_v2",
    "cuMemcpyHtoDAsync_v2",
    "cuMemsetD8Async",
    "cuModuleGetFunction",
    "cuModuleLoadData",
    "cuModuleUnload",
    "cuStreamSynchronize",
    "cuStreamWaitEvent",
];

/// A device that is there and can run the kernels.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) ordinal: u32,
    pub(super) info: CudaInfo,
    pub(super) multiprocessors: usize,
    /// Bytes of shared memory that a block may have.
    pub(super) shared: usize,
}

/// Looks for the driver and the device. Makes no context.
pub(super) fn find(ordinal: u32) -> Result<Found, NoGpu> {
    // SAFETY: opens the library, whose initializers are the driver's.
    if !unsafe { sys::is_culib_present() } {
        return Err(NoGpu::NotThere(
            "the library libcuda.so.1 of NVIDIA's driver was not found".into(),
        ));
    }
    for name in FUNCTIONS {
        // SAFETY: it is present, so this does not panic; the symbol is looked for, not used.
        let symbol = unsafe { sys::culib().get::<*const ()>(name.as_bytes()) };
        if symbol.is_err() {
            let why =
                format!("NVIDIA's driver has no function {name}; version 535 or newer is needed");
            return Err(NoGpu::Unusable(why));
        }
    }
    result::init().map_err(|error| {
        if error.0 == sys::CUresult::CUDA_ERROR_NO_DEVICE {
            NoGpu::NotThere("NVIDIA's driver found no GPU".into())
        } else if error.0 == sys::CUresult::CUDA_ERROR_STUB_LIBRARY {
            let why =
                "the first libcuda.so of the library path is a stub of CUDA's development files";
            NoGpu::Unusable(why.into())
        } else {
            unusable("NVIDIA's driver does not start", error)
        }
    })?;
    let count = result::device::get_count().map_err(|error| unusable("no list of GPUs", error))?;
    if count == 0 {
        return Err(NoGpu::NotThere("NVIDIA's driver found no GPU".into()));
    }
    let ordinal_of_driver = c_int::try_from(ordinal).ok().filter(|&ordinal| ordinal < count);
    let Some(ordinal_of_driver) = ordinal_of_driver else {
        let why = format!("there is no GPU {ordinal}; the last is GPU {}", count - 1);
        return Err(NoGpu::Unusable(why));
    };
    examine(ordinal, ordinal_of_driver)
        .map_err(|error| unusable("the GPU tells nothing of itself", error))?
}

fn examine(ordinal: u32, ordinal_of_driver: c_int) -> Result<Result<Found, NoGpu>, DriverError> {
    let mut version = 0;
    // SAFETY: `version` is written before it is read.
    unsafe { sys::cuDriverGetVersion(&raw mut version) }.result()?;
    let driver = format!("{}.{}", version / 1000, version % 1000 / 10);
    if version < LEAST_DRIVER {
        let why = format!("NVIDIA's driver supports CUDA {driver}; 12.2 (driver 535) is needed");
        return Ok(Err(NoGpu::Unusable(why)));
    }
    let device = result::device::get(ordinal_of_driver)?;
    // SAFETY: `device` is a device.
    let attribute = |attribute| unsafe { result::device::get_attribute(device, attribute) };
    let capability = (
        attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?,
        attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?,
    );
    let name = result::device::get_name(device)?;
    if capability < LEAST_CAPABILITY {
        let (major, minor) = capability;
        let why =
            format!("{name} has the compute capability {major}.{minor}; 8.0 (Ampere) is needed");
        return Ok(Err(NoGpu::Unusable(why)));
    }
    let multiprocessors = attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?;
    let shared =
        attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)?;
    // SAFETY: `device` is a device.
    let memory = unsafe { result::device::total_mem(device) }?;
    Ok(Ok(Found {
        ordinal,
        info: CudaInfo { name, driver, memory: memory as u64 },
        multiprocessors: usize::try_from(multiprocessors).unwrap_or(0).max(1),
        shared: usize::try_from(shared).unwrap_or(0),
    }))
}

/// A context of its own on a device, in which waiting gives up the processor. It is destroyed with its
/// last owner.
pub(super) fn context(ordinal: u32) -> Result<Arc<CudaContext>, DriverError> {
    let flags = CUctx_flags::CU_CTX_SCHED_BLOCKING_SYNC as u32;
    let context = CudaContext::new_non_primary(ordinal as usize, flags)?;
    // SAFETY: all calls use the default stream, which orders them.
    unsafe { context.disable_event_tracking() };
    Ok(context)
}

pub(super) fn unusable(what: &str, error: DriverError) -> NoGpu {
    NoGpu::Unusable(format!("{what}: {}", words(error)))
}
