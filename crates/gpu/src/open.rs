//! Opening a GPU, in builds with or without support for it.

use crate::Device;

/// What users set for a GPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CudaOptions {
    /// The number of the GPU, from 0, as NVIDIA's driver counts.
    pub ordinal: u32,
    /// Bytes of its memory that may be used; all that are free if none.
    pub memory_limit: Option<u64>,
}

/// What a GPU is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CudaInfo {
    /// As the driver calls it, such as "NVIDIA H200".
    pub name: String,
    /// The version of CUDA that the driver supports, such as "12.2".
    pub driver: String,
    /// All its memory, in bytes.
    pub memory: u64,
}

/// Why there is no device, in words without a full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoGpu {
    /// Nothing hints at a GPU: no driver, or a driver without one.
    NotThere(String),
    /// There is a driver, but it or the GPU cannot be used.
    Unusable(String),
}

/// Opens a GPU. Threads of the driver begin meanwhile and inherit the signals that are blocked.
///
/// Dropping the device frees everything on the GPU. After an error of the driver, no device opens again
/// in this process.
///
/// # Errors
/// [`NoGpu`]. Never panics.
pub fn open_cuda(options: &CudaOptions) -> Result<Box<dyn Device>, NoGpu> {
    #[cfg(feature = "cuda")]
    return crate::cuda::open(options).map(|device| Box::new(device) as _);
    #[cfg(not(feature = "cuda"))]
    return Err(not_built(options.ordinal));
}

/// What a GPU is, without taking memory on it.
///
/// # Errors
/// [`NoGpu`]. Never panics.
pub fn describe_cuda(ordinal: u32) -> Result<CudaInfo, NoGpu> {
    #[cfg(feature = "cuda")]
    return crate::cuda::describe(ordinal);
    #[cfg(not(feature = "cuda"))]
    return Err(not_built(ordinal));
}

#[cfg(not(feature = "cuda"))]
fn not_built(_: u32) -> NoGpu {
    NoGpu::NotThere("vector_ext was built without support for GPUs".to_owned())
}
