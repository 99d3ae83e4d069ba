//! Finding the GPU. Only the backend that builds an index opens one.

use gpu::Device;

/// Why there is no GPU.
#[derive(Debug)]
pub struct Unavailable {
    /// A sentence without its full stop.
    pub reason: String,
    /// Whether the machine or the extension has nothing that could be a GPU, which is nothing to tell
    /// those who have not asked for one.
    pub is_usual: bool,
}

/// Opens the GPU of that number, which may use so many bytes of its memory.
pub fn open_device(
    _number: u32,
    _memory_limit: Option<u64>,
) -> Result<Box<dyn Device>, Unavailable> {
    Err(Unavailable { reason: "this build has no GPU support".to_owned(), is_usual: true })
}

/// The GPU and its driver, or why there is none, for `vector_ext_info()`.
pub fn status() -> String {
    "none (this build has no GPU support)".to_owned()
}
