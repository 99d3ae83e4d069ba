//! How large a filter may be.

/// Bytes of the text of a filter.
pub const MAX_TEXT: usize = 1 << 20;

/// Operators, calls and parentheses inside each other.
pub const MAX_DEPTH: usize = 128;

/// Constants in one list.
pub const MAX_LIST: usize = 100_000;

/// Parameters of one statement, which the host's protocol counts in 16 bits.
pub const MAX_PARAMETERS: usize = u16::MAX as usize;
