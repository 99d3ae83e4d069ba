//! Batched computations for index builds on a device: a GPU, or the CPU in its place.
//!
//! [`Device`] is all that a build asks for: few calls, each with much work, each of which can fail.
//! The pipelines that use it are in `graph` and `kmeans`, and are the same for every device.

mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
mod device;
mod fault;
mod open;
mod pace;
mod provider;

pub use cpu::CpuDevice;
pub use device::{
    Device, DeviceError, MARGIN, MAX_CANDIDATES, MAX_NEIGHBORS, Measure, NONE, NOT_CHOSEN, Result,
    Shape,
};
pub use fault::{FaultDevice, FaultProvider};
pub use open::{CudaInfo, CudaOptions, NoGpu, describe_cuda, open_cuda};
pub use pace::Pace;
pub use provider::{Job, NoDevice, Provider, Refusal};
