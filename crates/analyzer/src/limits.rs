//! How large the definition of an analyzer may be. A definition is text of a user.

/// Bytes of the JSON of an analyzer.
pub const MAX_DEFINITION: usize = 64 << 10;

/// Filters of one analyzer.
pub const MAX_FILTERS: usize = 32;

/// Bytes of a compiled regular expression.
pub const MAX_REGEX: usize = 256 << 10;

/// Bytes of the longest token that is stemmed, split, or compared with a regular expression, whose
/// time is more than proportional to the length, or a large multiple of it.
pub const MAX_WORD: usize = 255;

/// Bytes of the longest token that filters change. Longer ones stay as they are, so that the memory
/// that changing takes is bounded.
pub const MAX_CHANGED: usize = 1 << 20;
