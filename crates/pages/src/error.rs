//! What can go wrong below an index.

use std::fmt;

use memory::OutOfMemory;

/// A failure of the store or of what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// A page does not hold what its place requires.
    Corrupted {
        /// Block number of the page.
        block: u32,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The index was written by a version that this one cannot read.
    Version {
        /// Format version found in the page.
        found: u32,
    },
    /// A vector has other dimensions than those of the index.
    Dimensions {
        /// Those of the index.
        expected: usize,
        /// Those of the vector.
        found: usize,
    },
    /// A limit of the format would be exceeded.
    Limit(&'static str),
    /// The store cannot grow, for the reason given; only of stores that say so rather than raise an
    /// error of the host's.
    NoRoom(String),
    /// The operating system gives no more memory.
    OutOfMemory,
    /// A bug, with what is known of it.
    Internal(String),
    /// The host asked to stop.
    Interrupted,
    /// The in-memory store was told to crash here (tests only).
    Crashed,
}

/// Result of everything in this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A corruption found in `block`.
    pub fn corrupted(block: u32, what: &'static str) -> Self {
        Self::Corrupted { block, what }
    }

    /// Whether all work is to end, whatever the index holds: the host asked for it, or has nothing to
    /// work with.
    pub fn ends_work(&self) -> bool {
        matches!(self, Self::Interrupted | Self::Crashed | Self::OutOfMemory)
    }
}

impl From<OutOfMemory> for Error {
    fn from(_: OutOfMemory) -> Self {
        Self::OutOfMemory
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupted { block, what } => write!(f, "block {block}: {what}"),
            Self::Version { found } => write!(f, "format version {found} is not supported"),
            Self::Dimensions { expected, found } => {
                write!(f, "expected {expected} dimensions, not {found}")
            }
            Self::Limit(what) => f.write_str(what),
            Self::OutOfMemory => OutOfMemory.fmt(f),
            Self::NoRoom(what) | Self::Internal(what) => f.write_str(what),
            Self::Interrupted => f.write_str("interrupted"),
            Self::Crashed => f.write_str("crashed on request"),
        }
    }
}

impl std::error::Error for Error {}
