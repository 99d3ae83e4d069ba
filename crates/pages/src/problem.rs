//! What checks of all kinds of indexes report.

use crate::{Error, Result, is_intact, is_new};

/// Something wrong with an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The block it was found in, if it lies in one.
    pub block: Option<u32>,
    /// What is wrong.
    pub what: String,
}

impl Problem {
    /// What the checksum of the page of `block` tells, and its not being there: a page of zeros is one
    /// that was added and never written, unless it is `written`.
    pub fn of_page(body: &[u8], block: u32, written: bool) -> Option<Self> {
        let what = if !is_intact(body) {
            "page does not match its checksum"
        } else if written && is_new(body) {
            "page was lost"
        } else {
            return None;
        };
        Some(Self { block: Some(block), what: what.to_owned() })
    }

    /// The problem with which reading `block` failed.
    ///
    /// # Errors
    /// An interrupt and a lack of memory are no problems, and go up.
    pub fn reading(block: u32, error: Error) -> Result<Self> {
        let (block, what) = match error {
            Error::Interrupted | Error::Crashed | Error::OutOfMemory => return Err(error),
            Error::Corrupted { block, what } => (block, what.to_owned()),
            Error::Version { .. }
            | Error::Dimensions { .. }
            | Error::Limit(_)
            | Error::NoRoom(_)
            | Error::Internal(_) => (block, error.to_string()),
        };
        Ok(Self { block: Some(block), what })
    }
}
