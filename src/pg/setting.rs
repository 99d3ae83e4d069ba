//! Settings that hold for a while, and where the value of one comes from.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::ffi::CStr;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::thread;

use pgrx::pg_sys::{self, GucAction, GucContext, GucSource};

use super::encoding::encode;
use super::error::Report;
use super::version;

/// What PostgreSQL knows of a setting.
pub struct Origin(AtomicPtr<pg_sys::config_generic>);

impl Origin {
    /// Of no setting so far.
    pub const fn unknown() -> Origin {
        Origin(AtomicPtr::new(ptr::null_mut()))
    }

    /// From now on that of the setting `name`, which has been defined.
    pub fn find(&self, name: &CStr) {
        // SAFETY: called on the backend's own thread.
        self.0.store(unsafe { version::setting(name) }, Ordering::Relaxed);
    }

    /// Whether nobody has set it: not in this session, nor for a role, a database or the server.
    pub fn is_default(&self) -> bool {
        // SAFETY: what PostgreSQL knows of a setting stays in its place as long as the process
        // lives, and changes on this thread only.
        let setting = unsafe { self.0.load(Ordering::Relaxed).as_ref() };
        setting.is_some_and(|setting| setting.source == GucSource::PGC_S_DEFAULT)
    }
}

/// Settings made through it hold until it is dropped, or its transaction fails.
pub struct Settings {
    level: i32,
}

impl Settings {
    /// None are made yet.
    pub fn new() -> Settings {
        // SAFETY: inside of a statement.
        Settings { level: unsafe { pg_sys::NewGUCNestLevel() } }
    }

    /// Makes a setting, as the user who calls could; an unfit value is an error that PostgreSQL
    /// raises.
    pub fn set(&self, name: &str, value: &str) -> Result<(), Report> {
        let (name, value) = (encode(name)?, encode(value)?);
        // SAFETY: both end with NUL; the level was begun by `new`.
        unsafe {
            pg_sys::set_config_option(
                name.as_ptr(),
                value.as_ptr(),
                GucContext::PGC_USERSET,
                GucSource::PGC_S_SESSION,
                GucAction::GUC_ACTION_SAVE,
                true,
                0,
                false,
            );
        }
        Ok(())
    }
}

impl Drop for Settings {
    fn drop(&mut self) {
        // The end of a failed transaction puts them back.
        if !thread::panicking() {
            // SAFETY: levels end in the opposite order of their beginnings.
            unsafe { pg_sys::AtEOXact_GUC(false, self.level) };
        }
    }
}
