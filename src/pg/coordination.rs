//! Turns of writers, and how long readers may look at what is no more.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::ptr;
use std::thread;

use pages::{Coordination, HeapTid, Result};
use pgrx::pg_sys::{self, FullTransactionId, ItemPointerData, Relation};

use super::store::RelationStore;
use super::{tid, version};

/// A heavyweight lock that stands for a turn. It is that of a tuple, which indexes have not: tuple locks take
/// part in deadlock detection and may be held together, and page locks neither, before 17.
pub struct TurnLock<'a> {
    store: &'a RelationStore<'a>,
    number: u32,
}

const MODE: i32 = pg_sys::ExclusiveLock as i32;

/// What stands for the lock of a number.
fn place(number: u32) -> ItemPointerData {
    tid::to_item_pointer(HeapTid { block: number, offset: 1 })
}

impl Coordination for RelationStore<'_> {
    type Lock<'a>
        = TurnLock<'a>
    where
        Self: 'a;

    fn try_lock(&self, number: u32) -> Result<Option<TurnLock<'_>>> {
        // SAFETY: the relation is open.
        let is_taken =
            unsafe { version::try_lock_tuple(self.relation(), &mut place(number), MODE) };
        Ok(is_taken.then_some(TurnLock { store: self, number }))
    }

    fn lock(&self, number: u32) -> Result<TurnLock<'_>> {
        // SAFETY: the relation is open; an error of a lock passes through our frames.
        unsafe { pg_sys::LockTuple(self.relation(), &mut place(number), MODE) };
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
            unsafe { pg_sys::UnlockTuple(relation, &mut place(self.number), MODE) };
        }
    }
}
