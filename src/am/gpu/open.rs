//! Finding the GPU. Only a backend that builds an index opens one.

use gpu::{CudaOptions, Device, NoGpu};

use crate::pg::signals;

/// Why there is no GPU.
#[derive(Debug)]
pub struct Unavailable {
    /// A sentence without its full stop.
    pub reason: String,
    /// Whether the machine or the extension has nothing that could be a GPU, which is nothing to tell
    /// those who have not asked for one.
    pub is_usual: bool,
}

impl From<NoGpu> for Unavailable {
    fn from(none: NoGpu) -> Self {
        match none {
            NoGpu::NotThere(reason) => Self { reason, is_usual: true },
            NoGpu::Unusable(reason) => Self { reason, is_usual: false },
        }
    }
}

/// Opens the GPU of that number, which may use so many bytes of its memory.
pub fn open_device(number: u32, memory_limit: Option<u64>) -> Result<Box<dyn Device>, Unavailable> {
    with_signals_blocked(|| gpu::open_cuda(&CudaOptions { ordinal: number, memory_limit }))
}

/// The GPU and its driver, or why there is none, for `vector_ext_info()`.
pub fn status(number: u32) -> String {
    match with_signals_blocked(|| gpu::describe_cuda(number)) {
        Ok(gpu) => format!("{}, {} GiB, CUDA {}", gpu.name, gpu.memory >> 30, gpu.driver),
        Err(Unavailable { reason, .. }) => format!("none ({reason})"),
    }
}

/// The result of a call whose threads are not to handle PostgreSQL's signals.
fn with_signals_blocked<T>(call: impl FnOnce() -> Result<T, NoGpu>) -> Result<T, Unavailable> {
    let Some(_blocked) = signals::block() else {
        return Err(Unavailable { reason: "out of memory".to_owned(), is_usual: false });
    };
    Ok(call()?)
}
