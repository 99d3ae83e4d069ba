//! A file that is read in parts.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};

use super::MODEL;
use crate::error::out_of_memory;
use crate::{Error, ErrorKind};

/// Bytes that are hashed at a time.
const HASHED: usize = 1 << 16;

/// A file that is read in parts: its pages are in the operating system's cache, which all processes
/// share. It is not mapped, as the process would end where a mapped file becomes shorter.
#[derive(Debug)]
pub(crate) struct Parts {
    file: File,
    len: usize,
}

impl Parts {
    pub(super) fn new(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { file, len: usize::try_from(len).map_err(io::Error::other)? })
    }

    /// Bytes of the file when it was opened.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Fills `bytes` with what is at a position.
    ///
    /// # Errors
    /// Those of the operating system, and where the file has become shorter.
    pub(crate) fn fill(&self, bytes: &mut [u8], at: usize) -> io::Result<()> {
        let read = self.file.read_exact_at(bytes, at as u64);
        read.map_err(|error| {
            let is_short = error.kind() == io::ErrorKind::UnexpectedEof;
            if is_short { io::Error::other("it has become shorter") } else { error }
        })
    }

    /// A part of the file.
    ///
    /// # Errors
    /// As [`Parts::fill`], and [`io::ErrorKind::OutOfMemory`].
    pub(crate) fn part(&self, range: Range<usize>) -> io::Result<Vec<u8>> {
        let mut bytes = memory::filled(range.len(), 0).map_err(|_| io::ErrorKind::OutOfMemory)?;
        self.fill(&mut bytes, range.start)?;
        Ok(bytes)
    }

    /// Adds all of it to a hash; false if `stop` is set.
    pub(super) fn hash(
        &self,
        context: &mut ring::digest::Context,
        stop: &AtomicBool,
    ) -> io::Result<bool> {
        for start in (0..self.len).step_by(HASHED) {
            if stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
            context.update(&self.part(start..self.len.min(start + HASHED))?);
        }
        Ok(true)
    }
}

/// The error of a file that cannot be read: `other`, unless memory was refused.
pub(super) fn failure_of(error: &io::Error, other: impl FnOnce() -> Error) -> Error {
    match error.kind() == io::ErrorKind::OutOfMemory {
        true => out_of_memory(memory::OutOfMemory),
        false => other(),
    }
}

/// The error of [`MODEL`] when it can no longer be read.
pub(crate) fn lost(error: &io::Error) -> Error {
    failure_of(error, || Error::new(ErrorKind::File, format!("could not read {MODEL}: {error}")))
}
