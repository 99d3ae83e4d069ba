//! Why the definition of an analyzer is refused.

use std::fmt;

/// What class of mistake an [`Error`] reports: hosts choose an error code by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text is not the JSON of an analyzer.
    Syntax,
    /// A name or a value that no analyzer has.
    Invalid,
    /// Part of Milvus's analyzers that is not available here.
    Unsupported,
    /// Too long, or too many filters.
    Limit,
    /// The operating system gives no more memory.
    OutOfMemory,
}

/// Why the definition of an analyzer is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Class of the mistake.
    pub kind: ErrorKind,
    /// What is wrong: lower case, without a full stop.
    pub message: String,
    /// What to write instead, in full sentences.
    pub hint: Option<String>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// What making an analyzer returns.
pub type Result<T> = std::result::Result<T, Error>;
