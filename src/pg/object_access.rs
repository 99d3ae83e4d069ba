//! What PostgreSQL does to the objects of its catalogs, told while it does it.

#![allow(unsafe_code)] // a hook

use std::cell::RefCell;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

use pgrx::pg_guard;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::{self, ObjectAccessType, Oid};

/// Something done to a whole object, not to a column of it.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// What is done.
    pub kind: ObjectAccessType::Type,
    /// The catalog that has the object.
    pub class: Oid,
    /// The object.
    pub object: Oid,
}

/// Told of each access. May raise an error, which ends the statement.
pub type Observer = fn(Access);

static PREVIOUS: OnceLock<pg_sys::object_access_hook_type> = OnceLock::new();

thread_local! {
    /// In the order in which they are told.
    static OBSERVERS: RefCell<Vec<Observer>> = const { RefCell::new(Vec::new()) };
}

/// Has an observer told from now on. To be called when the library is loaded.
pub fn observe(observer: Observer) {
    OBSERVERS.with_borrow_mut(|observers| observers.push(observer));
    // SAFETY: hooks are set on the backend's own thread.
    PREVIOUS.get_or_init(|| unsafe {
        let previous = pg_sys::object_access_hook;
        pg_sys::object_access_hook = Some(on_access);
        previous
    });
}

#[pg_guard]
unsafe extern "C-unwind" fn on_access(
    kind: ObjectAccessType::Type,
    class: Oid,
    object: Oid,
    part: c_int,
    argument: *mut c_void,
) {
    // SAFETY: the hook of another library is called as PostgreSQL would.
    unsafe {
        if let Some(Some(previous)) = PREVIOUS.get() {
            pg_guard_ffi_boundary(|| previous(kind, class, object, part, argument));
        }
    }
    if part == 0 {
        // What an observer does may be observed in turn: the list is not borrowed meanwhile.
        let observer = |number: usize| OBSERVERS.with_borrow(|all| all.get(number).copied());
        for observer in (0..).map_while(observer) {
            observer(Access { kind, class, object });
        }
    }
}
