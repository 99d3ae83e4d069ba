//! Settings that hold for a while.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::thread;

use pgrx::pg_sys::{self, GucAction, GucContext, GucSource};

use super::encoding::encode;
use super::error::Report;

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
