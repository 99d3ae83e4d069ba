//! Memory that all processes of a server share. PostgreSQL hands it out at start only, so it is
//! there where the library is in `shared_preload_libraries`.

#![allow(unsafe_code)] // hooks and raw memory

use std::ffi::{CStr, c_void};
use std::ptr;
use std::sync::OnceLock;

use pgrx::pg_guard;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::{self, shmem_startup_hook_type};

/// A piece of shared memory.
pub struct Request {
    /// The server's name for it.
    pub name: &'static CStr,
    /// Bytes.
    pub size: usize,
    /// Told where it is, zeroed: at server start, and again at another place when the server
    /// begins anew after a crash.
    pub ready: fn(*mut c_void),
}

static REQUEST: OnceLock<Request> = OnceLock::new();
static PREVIOUS_STARTUP: OnceLock<shmem_startup_hook_type> = OnceLock::new();
#[cfg(not(feature = "pg14"))]
static PREVIOUS_REQUEST: OnceLock<pg_sys::shmem_request_hook_type> = OnceLock::new();

/// Asks for memory. To be called once, from `_PG_init`; does nothing where that comes too late.
pub fn request(request: Request) {
    // SAFETY: set before `_PG_init` runs, by the process that we are in.
    if !unsafe { pg_sys::process_shared_preload_libraries_in_progress } {
        return;
    }
    #[cfg(feature = "pg14")]
    // SAFETY: libraries are being preloaded, which is when PostgreSQL 14 wants to be asked.
    unsafe {
        pg_sys::RequestAddinShmemSpace(request.size);
    }
    REQUEST.get_or_init(|| request);
    // SAFETY: hooks are set by the one thread of the postmaster, before it has children.
    unsafe {
        #[cfg(not(feature = "pg14"))]
        {
            PREVIOUS_REQUEST.get_or_init(|| pg_sys::shmem_request_hook);
            pg_sys::shmem_request_hook = Some(on_request);
        }
        PREVIOUS_STARTUP.get_or_init(|| pg_sys::shmem_startup_hook);
        pg_sys::shmem_startup_hook = Some(on_startup);
    }
}

#[cfg(not(feature = "pg14"))]
#[pg_guard]
unsafe extern "C-unwind" fn on_request() {
    // SAFETY: the hook of another library, called as PostgreSQL would; this is when memory may be
    // asked for.
    unsafe {
        if let Some(Some(previous)) = PREVIOUS_REQUEST.get() {
            pg_guard_ffi_boundary(|| previous());
        }
        if let Some(request) = REQUEST.get() {
            pg_sys::RequestAddinShmemSpace(request.size);
        }
    }
}

/// The postmaster alone runs this, so it takes no lock (children inherit what it finds).
#[pg_guard]
unsafe extern "C-unwind" fn on_startup() {
    // SAFETY: as above; the memory has the size that was asked for.
    unsafe {
        if let Some(Some(previous)) = PREVIOUS_STARTUP.get() {
            pg_guard_ffi_boundary(|| previous());
        }
        if let Some(request) = REQUEST.get() {
            let mut found = false;
            let memory =
                pg_sys::ShmemInitStruct(request.name.as_ptr(), request.size, &raw mut found);
            if !found {
                ptr::write_bytes(memory.cast::<u8>(), 0, request.size);
            }
            (request.ready)(memory);
        }
    }
}
