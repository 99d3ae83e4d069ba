//! Turns of writers, and how long readers may look at what is no more.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::ptr;
use std::thread;

use pages::{Coordination, Result};
use pgrx::pg_sys::{self, FullTransactionId, Relation};

use super::store::RelationStore;

/// A page lock of an index, which stands for a right; see [`lock`](super::lock).
pub struct TurnLock<'a> {
    store: &'a RelationStore<'a>,
    number: u32,
}

const MODE: i32 = pg_sys::ExclusiveLock as i32;

impl Coordination for RelationStore<'_> {
    type Lock<'a>
        = TurnLock<'a>
    where
        Self: 'a;

    fn try_lock(&self, number: u32) -> Result<Option<TurnLock<'_>>> {
        // SAFETY: the relation is open.
        let is_taken = unsafe { pg_sys::ConditionalLockPage(self.relation(), number, MODE) };
        Ok(is_taken.then_some(TurnLock { store: self, number }))
    }

    fn lock(&self, number: u32) -> Result<TurnLock<'_>> {
        // SAFETY: the relation is open; an error of a lock passes through our frames.
        unsafe { pg_sys::LockPage(self.relation(), number, MODE) };
        Ok(TurnLock { store: self, number })
    }

    /// The next transaction.
    fn mark(&self) -> Result<u64> {
        // SAFETY: reads shared memory.
        Ok(unsafe { pg_sys::ReadNextFullTransactionId() }.value)
    }

    /// Whether all snapshots see the transactions before it as ended.
    fn has_passed(&self, mark: u64) -> Result<bool> {
        let mark = FullTransactionId { value: mark };
        // SAFETY: without a relation, the snapshots of all databases count.
        Ok(unsafe { pg_sys::GlobalVisCheckRemovableFullXid(ptr::null_mut(), mark) })
    }
}

impl Drop for TurnLock<'_> {
    fn drop(&mut self) {
        // The end of a failed transaction releases it.
        if !thread::panicking() {
            let relation: Relation = self.store.relation();
            // SAFETY: it was taken.
            unsafe { pg_sys::UnlockPage(relation, self.number, MODE) };
        }
    }
}
