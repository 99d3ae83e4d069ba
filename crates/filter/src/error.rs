//! What is wrong with a filter, and where.

use std::fmt;

use crate::syntax::Span;

/// What class of mistake an [`Error`] tells of: hosts choose an error code by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text is no expression of the language.
    Syntax,
    /// A name that the table has no column for, or a template without a value.
    Unknown,
    /// Operands whose types do not go together, or a value that its column cannot have.
    Type,
    /// A text that is no value of its column's type.
    Value,
    /// A text that is no regular expression.
    Pattern,
    /// Part of Milvus's language that is not translated, or that Milvus refuses too.
    Unsupported,
    /// Too long, too deep or too many constants.
    Limit,
}

/// Why a filter is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Class of the mistake.
    pub kind: ErrorKind,
    /// Byte in the text of the filter at which the mistake begins.
    pub position: usize,
    /// What is wrong, in Milvus's words where it has some.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, span: Span, message: impl Into<String>) -> Self {
        Self { kind, position: span.start, message: message.into(), hint: None }
    }

    pub(crate) fn syntax(span: Span, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Syntax, span, message)
    }

    pub(crate) fn mismatch(span: Span, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Type, span, message)
    }

    pub(crate) fn unsupported(span: Span, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, span, message)
    }

    pub(crate) fn limit(span: Span, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Limit, span, message)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.message, self.position)
    }
}

impl std::error::Error for Error {}
