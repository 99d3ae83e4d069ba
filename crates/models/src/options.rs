//! The options of servers and user mappings.

use crate::Invalid;

/// What the options belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `CREATE FOREIGN DATA WRAPPER`
    Wrapper,
    /// `CREATE SERVER`
    Server,
    /// `CREATE USER MAPPING`
    UserMapping,
}

/// Checks options as they are given to a server or user mapping.
///
/// # Errors
/// [`Invalid`] for an option that does not exist there, a value that is not allowed, or an option
/// that only superusers may set.
pub fn validate(
    _place: Place,
    _options: &[(String, String)],
    _is_superuser: bool,
) -> Result<(), Invalid> {
    Err(Invalid::new("not implemented yet"))
}
