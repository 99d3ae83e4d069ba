//! What the library says of each function that it exports: a table in a section of its own, which a
//! test compares with the catalog.

use pgrx::pg_sys::Pg_finfo_record;

use super::function::SqlFunction;

/// Bytes of a name, at most. With it, an entry of the table has 64 bytes.
const MAX_NAME: usize = 58;

/// An entry of the table. It begins with what PostgreSQL asks of a function.
#[repr(C)]
pub struct Signature {
    /// Version-1 call convention.
    finfo: Pg_finfo_record,
    arguments: u8,
    takes_null: u8,
    /// Padded with zeros.
    name: [u8; MAX_NAME],
}

impl Signature {
    /// The entry of a function that is exported as `name`.
    pub const fn of<'a, P, F: SqlFunction<'a, P>>(name: &str, _function: &F) -> Self {
        let mut padded = [0; MAX_NAME];
        padded.split_at_mut(name.len()).0.copy_from_slice(name.as_bytes());
        Self {
            finfo: Pg_finfo_record { api_version: 1 },
            arguments: F::ARGUMENTS as u8,
            takes_null: F::TAKES_NULL as u8,
            name: padded,
        }
    }

    /// What `pg_finfo_<name>` answers.
    pub const fn finfo(&self) -> &Pg_finfo_record {
        &self.finfo
    }
}
