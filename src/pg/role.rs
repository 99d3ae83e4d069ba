//! Roles, and running the code of a table's owner with the owner's rights.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::thread;

use pgrx::pg_sys::{self, Oid};

use super::error::Report;
use super::setting::Settings;

/// The current user.
pub fn current_user() -> Oid {
    // SAFETY: inside of a statement.
    unsafe { pg_sys::GetUserId() }
}

/// Whether the current user is a superuser.
pub fn is_superuser() -> bool {
    is_superuser_role(current_user())
}

/// Whether a role is a superuser.
pub fn is_superuser_role(role: Oid) -> bool {
    // SAFETY: a look-up in the catalog.
    unsafe { pg_sys::superuser_arg(role) }
}

/// While it lives, statements run as a table's owner in a security-restricted operation with a fixed
/// `search_path`, as in `REINDEX`: the functions of index expressions are the owner's, and must
/// neither act with the rights of the caller nor outlast the call.
pub struct AsOwner {
    settings: Settings,
    // Dropped last: what the owner's code has set is taken back in its name.
    _role: Role,
}

impl AsOwner {
    /// Becomes `owner`.
    pub fn begin(owner: Oid) -> Result<AsOwner, Report> {
        let role = Role::become_restricted(owner);
        let settings = Settings::new();
        settings.set("search_path", "pg_catalog, pg_temp")?;
        Ok(AsOwner { settings, _role: role })
    }

    /// Settings that hold as long.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

/// Who the session was.
struct Role {
    user: Oid,
    context: i32,
}

impl Role {
    fn become_restricted(owner: Oid) -> Role {
        let (mut user, mut context) = (Oid::INVALID, 0);
        // SAFETY: inside of a statement; both results have a place.
        unsafe {
            pg_sys::GetUserIdAndSecContext(&raw mut user, &raw mut context);
            let restricted = context | pg_sys::SECURITY_RESTRICTED_OPERATION as i32;
            pg_sys::SetUserIdAndSecContext(owner, restricted);
        }
        Role { user, context }
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        // The end of a failed transaction, or part of one, goes back to the user it began with.
        if !thread::panicking() {
            // SAFETY: what the session was before.
            unsafe { pg_sys::SetUserIdAndSecContext(self.user, self.context) };
        }
    }
}
