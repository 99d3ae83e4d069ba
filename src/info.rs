//! What is running: `vector_ext_info()`.

use crate::am::gpu;
use crate::pg::function::pg_functions;
use crate::pg::record::TextRow;

pg_functions! {
    /// Version of the extension, instruction set that distances use, GPU or the reason why not.
    fn vector_ext_info() -> TextRow<3> {
        let cpu = kernels::level().to_string();
        TextRow([env!("CARGO_PKG_VERSION").into(), cpu, gpu::status()])
    }
}
