//! Which relations and databases are dropped, told once the drop is committed.

#![allow(unsafe_code)] // callbacks

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;
use std::sync::OnceLock;

use pgrx::pg_guard;
use pgrx::pg_sys::{self, ObjectAccessType, Oid, SubTransactionId, SubXactEvent, XactEvent};

use super::object_access::{self, Access};

/// Something dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// A relation of this database.
    Relation(Oid),
    /// A database.
    Database(Oid),
}

/// Who wants to know.
pub struct Watch {
    /// Whether this object is of interest.
    pub concerns: fn(Dropped) -> bool,
    /// Told of each of them when the transaction has committed. Must not fail.
    pub gone: fn(Dropped),
}

static WATCH: OnceLock<Watch> = OnceLock::new();

thread_local! {
    /// What this transaction has dropped so far, and in which of its parts.
    static PENDING: RefCell<Vec<(SubTransactionId, Dropped)>> = const { RefCell::new(Vec::new()) };
}

/// Begins to watch. To be called once, when the library is loaded. What the replay of a standby
/// drops is not told, nor what `COMMIT PREPARED` does.
pub fn watch(watch: Watch) {
    if WATCH.set(watch).is_err() {
        return;
    }
    object_access::observe(on_access);
    // SAFETY: callbacks live as long as the library.
    unsafe {
        pg_sys::RegisterXactCallback(Some(on_transaction), ptr::null_mut());
        pg_sys::RegisterSubXactCallback(Some(on_subtransaction), ptr::null_mut());
    }
}

fn on_access(Access { kind, class, object }: Access) {
    if kind != ObjectAccessType::OAT_DROP {
        return;
    }
    let dropped = match class {
        pg_sys::RelationRelationId => Dropped::Relation(object),
        pg_sys::DatabaseRelationId => Dropped::Database(object),
        _ => return,
    };
    if WATCH.get().is_some_and(|watch| (watch.concerns)(dropped)) {
        // SAFETY: inside of a transaction.
        let part = unsafe { pg_sys::GetCurrentSubTransactionId() };
        PENDING.with_borrow_mut(|pending| pending.push((part, dropped)));
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn on_transaction(event: XactEvent::Type, _argument: *mut c_void) {
    let ends = [XactEvent::XACT_EVENT_COMMIT, XactEvent::XACT_EVENT_ABORT];
    if event == XactEvent::XACT_EVENT_PREPARE || ends.contains(&event) {
        let dropped = PENDING.take();
        if let Some(watch) = WATCH.get().filter(|_| event == XactEvent::XACT_EVENT_COMMIT) {
            dropped.into_iter().for_each(|(_, dropped)| (watch.gone)(dropped));
        }
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn on_subtransaction(
    event: SubXactEvent::Type,
    failed: SubTransactionId,
    _parent: SubTransactionId,
    _argument: *mut c_void,
) {
    if event == SubXactEvent::SUBXACT_EVENT_ABORT_SUB {
        // Parts that began inside of it have greater numbers, and none outside has yet.
        PENDING.with_borrow_mut(|pending| pending.retain(|&(part, _)| part < failed));
    }
}
