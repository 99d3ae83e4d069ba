//! What can go wrong.

use std::fmt;

/// Options that are not valid. No text of it contains the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// More about it, in full sentences.
    pub detail: Option<String>,
    /// What to do about it, in full sentences.
    pub hint: Option<String>,
}

impl Invalid {
    /// Only a message.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), detail: None, hint: None }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Invalid {}

/// Why there are no vectors or scores. No text of it contains the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind of failure it is.
    pub kind: ErrorKind,
    /// What went wrong: lower case, no full stop; names the server. At most 1 kB.
    pub message: String,
    /// What to do about it, in full sentences.
    pub hint: Option<String>,
    /// The position of the input or document that caused it, from 0, if it is known.
    pub input: Option<usize>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Kinds of failures, as far as callers tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The server cannot be reached, or the connection or its TLS failed, or it answered 5xx or 429 to
    /// the end.
    Connection,
    /// There was no complete reply within `timeout`.
    Timeout,
    /// The reply is not what the provider promises: not JSON, too long, or with vectors of another
    /// number or dimension.
    Reply,
    /// The provider refused the request: 4xx.
    Rejected,
    /// The address is one that is never called, or needs `allow_http`.
    Forbidden,
    /// The provider or model has no such operation.
    Unsupported,
    /// The files of a static model, or the file or environment variable of a key.
    File,
    /// The operating system gives no more memory.
    Memory,
    /// `stop` was set.
    Stopped,
}
