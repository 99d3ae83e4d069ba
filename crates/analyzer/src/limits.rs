//! How large the definition of an analyzer may be. A definition is text of a user.

/// Bytes of the JSON of an analyzer.
pub const MAX_DEFINITION: usize = 64 << 10;

/// Filters of one analyzer.
pub const MAX_FILTERS: usize = 32;

/// Bytes of a compiled regular expression.
pub const MAX_REGEX: usize = 1 << 20;

/// Bytes of the longest token that is stemmed: stemmers of some languages take quadratic time.
pub const MAX_STEMMED: usize = 255;
