//! The two access methods over inverted lists: what they have in common is all but defaults.

#![allow(unsafe_code)] // reads what PostgreSQL knows of an index

use std::ffi::CStr;

use pgrx::pg_sys::{Relation, amoptions_function};

use super::options;

/// An access method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `ivf`: codes, and lists and probes that need no setting.
    Ivf,
    /// `ivfflat`: with pgvector's options, settings and defaults.
    IvfFlat,
}

impl Method {
    /// Of an index.
    ///
    /// # Safety
    /// `index` is an open index of one of the two.
    pub unsafe fn of(index: Relation) -> Method {
        let parser = |parse: amoptions_function| parse.map(|parse| parse as *const ());
        // SAFETY: the caller's promise; an open index has a routine.
        let found = unsafe { parser((*(*index).rd_indam).amoptions) };
        if found == parser(Some(options::ivf_amoptions)) { Self::Ivf } else { Self::IvfFlat }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ivf => "ivf",
            Self::IvfFlat => "ivfflat",
        }
    }

    /// Its name, and the prefix of its settings.
    pub fn c_name(self) -> &'static CStr {
        match self {
            Self::Ivf => c"ivf",
            Self::IvfFlat => c"ivfflat",
        }
    }
}
