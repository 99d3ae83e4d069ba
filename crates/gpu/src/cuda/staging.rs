//! Uploads of rows through memory that the device reads by itself.

#![allow(unsafe_code)] // memory that is not set yet

use std::sync::Arc;

use cudarc::driver::sys::CUevent_flags::CU_EVENT_BLOCKING_SYNC;
use cudarc::driver::sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY;
use cudarc::driver::{CudaEvent, CudaSlice, CudaStream, DriverError, PinnedHostSlice};

use crate::{DeviceError, Result};

/// Numbers in each of the two buffers: 8 MB.
const NUMBERS: usize = 2 << 20;

/// Two buffers: while one is filled, the device reads the other.
pub(super) struct Staging {
    buffers: [Buffer; 2],
    next: usize,
}

struct Buffer {
    /// Fast to write and slow to read, as it is not cached.
    memory: PinnedHostSlice<f32>,
    /// When the device has read it. The bindings do not wait for that by themselves where a context has
    /// one stream.
    read: CudaEvent,
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // After an error the device reads no more.
        let _ = self.read.synchronize();
    }
}

impl Buffer {
    fn new(stream: &Arc<CudaStream>, numbers: usize) -> Result<Self> {
        let host = |error: DriverError| {
            let no_memory = error.0 == CUDA_ERROR_OUT_OF_MEMORY;
            if no_memory { DeviceError::HostMemory } else { error.into() }
        };
        // SAFETY: the device reads only what was written before.
        let memory = unsafe { stream.context().alloc_pinned(numbers) }.map_err(host)?;
        Ok(Self { memory, read: stream.context().new_event(Some(CU_EVENT_BLOCKING_SYNC))? })
    }
}

impl Staging {
    /// For rows of `dims` numbers.
    pub(super) fn new(stream: &Arc<CudaStream>, dims: usize) -> Result<Self> {
        let numbers = NUMBERS.max(dims);
        Ok(Self {
            buffers: [Buffer::new(stream, numbers)?, Buffer::new(stream, numbers)?],
            next: 0,
        })
    }

    /// Copies `rows` to `to`, from the number `first` on, which it has room for.
    pub(super) fn upload(
        &mut self,
        rows: &[f32],
        to: &mut CudaSlice<f32>,
        mut first: usize,
        stream: &Arc<CudaStream>,
    ) -> Result<()> {
        for numbers in rows.chunks(self.buffers[0].memory.len()) {
            let buffer = &mut self.buffers[self.next];
            self.next = 1 - self.next;
            buffer.read.synchronize()?;
            let staged = &mut buffer.memory.as_mut_slice()?[..numbers.len()];
            staged.copy_from_slice(numbers);
            let mut place = to.slice_mut(first..first + numbers.len());
            stream.memcpy_htod(staged, &mut place)?;
            buffer.read.record(stream)?;
            first += numbers.len();
        }
        Ok(())
    }
}
