//! Errors of the driver, in words.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cudarc::driver::DriverError;
use cudarc::driver::sys::CUresult;

use crate::{DeviceError, Result};

impl From<DriverError> for DeviceError {
    fn from(error: DriverError) -> Self {
        if error.0 == CUresult::CUDA_ERROR_OUT_OF_MEMORY {
            Self::DeviceMemory
        } else {
            Self::Failed(words(error))
        }
    }
}

/// What the driver says of an error.
pub(super) fn words(error: DriverError) -> String {
    match error.error_string() {
        Ok(text) => text.to_string_lossy().into_owned(),
        Err(_) => format!("error {} of CUDA", error.0 as u32),
    }
}

/// The result of `call`; a panic is an error too, since bindings panic where a library is not as they
/// expect.
pub(super) fn guarded<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        Err(DeviceError::Failed(
            message(&*panic).unwrap_or("the driver's bindings panicked").into(),
        ))
    })
}

/// What a panic said.
pub(super) fn message(panic: &(dyn Any + Send)) -> Option<&str> {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
}
