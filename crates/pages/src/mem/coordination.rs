//! Locks and horizons of the store in memory.

use std::cell::{Cell, RefCell};

use super::MemStore;
use crate::{Coordination, Error, Result};

/// Who has which lock, and until when readers look at what is no more.
#[derive(Debug, Default)]
pub(super) struct Turns {
    held: RefCell<Vec<u32>>,
    /// Grows with every mark.
    now: Cell<u64>,
    /// Marks from this one on have not passed.
    horizon: Cell<Option<u64>>,
}

impl MemStore {
    /// Begins a reader, which no later mark passes until [`Self::end_reader`].
    pub fn begin_reader(&self) {
        self.turns.horizon.set(Some(self.turns.now.get()));
    }

    /// Ends the reader.
    pub fn end_reader(&self) {
        self.turns.horizon.set(None);
    }

    /// Whether someone has lock `number`.
    pub fn is_locked(&self, number: u32) -> bool {
        self.turns.held.borrow().contains(&number)
    }
}

/// A lock of a [`MemStore`].
#[derive(Debug)]
pub struct MemLock<'a> {
    store: &'a MemStore,
    number: u32,
}

impl Drop for MemLock<'_> {
    fn drop(&mut self) {
        self.store.turns.held.borrow_mut().retain(|&held| held != self.number);
    }
}

impl Coordination for MemStore {
    type Lock<'a> = MemLock<'a>;

    fn try_lock(&self, number: u32) -> Result<Option<MemLock<'_>>> {
        if self.is_locked(number) {
            return Ok(None);
        }
        self.turns.held.borrow_mut().push(number);
        Ok(Some(MemLock { store: self, number }))
    }

    /// Fails where it would wait: all happens in one thread.
    fn lock(&self, number: u32) -> Result<MemLock<'_>> {
        let held = || Error::Internal(format!("lock {number} would be waited for forever"));
        self.try_lock(number)?.ok_or_else(held)
    }

    fn mark(&self) -> Result<u64> {
        let now = self.turns.now.get();
        self.turns.now.set(now + 1);
        Ok(now)
    }

    fn has_passed(&self, mark: u64) -> Result<bool> {
        Ok(self.turns.horizon.get().is_none_or(|horizon| mark < horizon))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_has_a_lock() {
        let store = MemStore::new();
        let lock = store.try_lock(3).expect("asks").expect("is free");
        assert!(store.try_lock(3).expect("asks").is_none());
        assert!(store.try_lock(4).expect("asks").is_some());
        drop(lock);
        assert!(store.lock(3).is_ok());
    }

    #[test]
    fn marks_pass_when_readers_that_had_begun_end() {
        let store = MemStore::new();
        let before = store.mark().expect("marks");
        store.begin_reader();
        let after = store.mark().expect("marks");
        assert_eq!([before, after].map(|mark| store.has_passed(mark)), [Ok(true), Ok(false)]);
        store.end_reader();
        assert_eq!(store.has_passed(after), Ok(true));
    }
}
