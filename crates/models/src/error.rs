//! What can go wrong.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use memory::OutOfMemory;

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

impl Error {
    /// What an operation returns after `stop` was set.
    pub(crate) fn stopped() -> Self {
        Self::new(ErrorKind::Stopped, "the call was stopped")
    }

    /// The error of a model in files that has no result for a text.
    pub(crate) fn of_text(message: impl Into<String>) -> Self {
        Self { input: Some(0), ..Self::new(ErrorKind::File, message) }
    }

    /// As an error of the input at `position`, if that is all that was sent.
    pub(crate) fn at(mut self, position: usize, sent: usize) -> Self {
        match &mut self.input {
            Some(input) => *input += position,
            None if sent == 1 && self.kind == ErrorKind::Rejected => self.input = Some(position),
            None => {}
        }
        self
    }

    /// Without a hint.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, input: None }
    }
}

/// # Errors
/// If `stop` is set.
#[inline]
pub(crate) fn go_on(stop: &AtomicBool) -> Result<(), Error> {
    if stop.load(Ordering::Relaxed) { Err(Error::stopped()) } else { Ok(()) }
}

/// The error of a refused allocation.
pub(crate) fn out_of_memory(_: OutOfMemory) -> Error {
    Error::new(ErrorKind::Memory, "out of memory")
}

/// At most `longest` characters of `text` in one line, without control characters.
pub(crate) fn bounded(text: &str, longest: usize) -> String {
    let mut line = String::new();
    for (count, word) in text
        .split(|c: char| c.is_control() || c.is_whitespace())
        .filter(|w| !w.is_empty())
        .enumerate()
    {
        if count > 0 {
            line.push(' ');
        }
        // Characters that change the direction of what follows would have a message read otherwise.
        line.extend(word.chars().filter(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')).take(longest));
        if line.len() > 4 * longest {
            break;
        }
    }
    match line.char_indices().nth(longest) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

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
    /// The provider refused the inputs of a request: 400, 413, or 422.
    Rejected,
    /// The provider refused a request whatever its inputs: any other 4xx, such as 401 or 404, or a
    /// redirect.
    Refused,
    /// The address is one that is never called, or needs `allow_http`.
    Forbidden,
    /// The provider or model has no such operation.
    Unsupported,
    /// The files of a model, or the file or environment variable of a key.
    File,
    /// The operating system gives no more memory.
    Memory,
    /// `stop` was set.
    Stopped,
}
