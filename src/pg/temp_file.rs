//! Memory that lies in a temporary file.
//!
//! The file is PostgreSQL's own: it lies where `temp_tablespaces` says, counts for
//! `temp_file_limit` and the statistics, and is deleted at the end of the transaction, or of a
//! restart after a crash. All of it is given space on disk before it is mapped: a full disk is an
//! error here, and not a signal when the memory is written.

#![allow(unsafe_code)] // calls into PostgreSQL and the C library

use std::ffi::c_int;
use std::io;
use std::thread;

use memmap2::{MmapMut, MmapOptions};
use pgrx::PgSqlErrorCode::{
    ERRCODE_DISK_FULL, ERRCODE_INSUFFICIENT_RESOURCES, ERRCODE_IO_ERROR, ERRCODE_OUT_OF_MEMORY,
};
use pgrx::pg_sys;

use super::error::Report;
use super::version;

/// Bytes of disk that are asked for at a time, between two looks for interrupts.
const STEP: u64 = 32 << 20;
/// Mappings start at multiples of the largest page that memory is mapped by.
const PAGE: u64 = 64 << 10;

/// A temporary file of this transaction, made when it is first needed.
#[derive(Default)]
pub struct TempFile {
    file: Option<pg_sys::File>,
    size: u64,
}

impl TempFile {
    /// Makes the file larger and maps the new part: zeros, for which there is space on disk. The
    /// mapping may be used by any thread, and outlives the file.
    pub fn map(&mut self, bytes: usize) -> Result<MmapMut, Report> {
        let file = *self.file.get_or_insert_with(|| {
            // SAFETY: the backend's own thread, in a transaction; both raise proper errors.
            unsafe {
                pg_sys::PrepareTempTablespaces();
                pg_sys::OpenTemporaryFile(false)
            }
        });
        let start = self.size;
        let end = start + (bytes.max(1) as u64).next_multiple_of(PAGE);
        while self.size < end {
            let next = end.min(self.size + STEP);
            extend(file, next)?;
            allocate(descriptor(file)?, self.size, next - self.size).map_err(cannot_extend)?;
            self.size = next;
            pgrx::check_for_interrupts!();
        }
        let mut options = MmapOptions::new();
        options.offset(start).len(bytes.max(1));
        // SAFETY: nobody else opens, changes or truncates a temporary file of ours, and the part
        // is mapped once.
        unsafe { options.map_mut(descriptor(file)?) }.map_err(|error| {
            let message = format!("could not map temporary file: {error}");
            Report::new(ERRCODE_OUT_OF_MEMORY, message)
        })
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        // The end of a failed transaction closes it.
        if let (Some(file), false) = (self.file, thread::panicking()) {
            // SAFETY: it is open, and ours.
            unsafe { pg_sys::FileClose(file) };
        }
    }
}

/// Makes the file `size` bytes long by writing its last byte: writes are what `temp_file_limit`
/// is held against, by an error.
fn extend(file: pg_sys::File, size: u64) -> Result<(), Report> {
    let Ok(last) = pg_sys::off_t::try_from(size - 1) else {
        return Err(cannot_extend(io::Error::from_raw_os_error(libc::EFBIG)));
    };
    // SAFETY: the file is open.
    let written = unsafe { version::write_byte(file, 0, last) };
    if written == 1 { Ok(()) } else { Err(cannot_extend(io::Error::last_os_error())) }
}

/// The descriptor that the operating system knows the file by. It is valid until PostgreSQL opens
/// another file.
fn descriptor(file: pg_sys::File) -> Result<c_int, Report> {
    // SAFETY: the file is open to PostgreSQL; asking for its size opens it to the system again,
    // where descriptors were short.
    let descriptor = unsafe {
        pg_sys::FileSize(file);
        pg_sys::FileGetRawDesc(file)
    };
    if descriptor >= 0 {
        return Ok(descriptor);
    }
    let error = io::Error::last_os_error();
    let message = format!("could not open temporary file: {error}");
    Err(Report::new(ERRCODE_INSUFFICIENT_RESOURCES, message))
}

/// Has `len` bytes of a file from `start` on given space.
#[cfg(any(target_os = "linux", target_os = "freebsd"))]
fn allocate(descriptor: c_int, start: u64, len: u64) -> io::Result<()> {
    loop {
        // SAFETY: the descriptor is open; the sizes have passed `extend`.
        match unsafe { libc::posix_fallocate(descriptor, start as _, len as _) } {
            0 => return Ok(()),
            libc::EINTR => {
                pgrx::check_for_interrupts!();
            }
            // The file system cannot, as some C libraries say where others write.
            libc::EINVAL | libc::EOPNOTSUPP => return fill(descriptor, start, len),
            error => return Err(io::Error::from_raw_os_error(error)),
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
use fill as allocate;

/// Writes zeros.
fn fill(descriptor: c_int, start: u64, len: u64) -> io::Result<()> {
    let zeros = [0_u8; 64 << 10];
    let mut at = start;
    while at < start + len {
        let part = (start + len - at).min(zeros.len() as u64) as usize;
        // SAFETY: the descriptor is open, and `zeros` has so many bytes.
        match unsafe { libc::pwrite(descriptor, zeros.as_ptr().cast(), part, at as _) } {
            written if written > 0 => at += written as u64,
            0 => return Err(io::Error::from_raw_os_error(libc::ENOSPC)),
            _ => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
                pgrx::check_for_interrupts!();
            }
        }
    }
    Ok(())
}

fn cannot_extend(error: io::Error) -> Report {
    let full = matches!(error.raw_os_error(), Some(libc::ENOSPC | libc::EDQUOT));
    let code = if full { ERRCODE_DISK_FULL } else { ERRCODE_IO_ERROR };
    Report::new(code, format!("could not extend temporary file: {error}")).hint(
        "Raise maintenance_work_mem, so that less goes to the file, or let temp_tablespaces name \
         a tablespace with more room.",
    )
}
