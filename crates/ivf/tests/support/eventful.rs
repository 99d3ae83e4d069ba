//! A store in which something happens once, amid an operation.

use std::cell::Cell;

use pages::mem::{MemBatch, MemPage, MemStore};
use pages::{PageStore, Result};

pub struct Eventful<'a, F: FnOnce()> {
    store: &'a MemStore,
    /// Batches and, if `reads` is set, pages read until then.
    left: Cell<usize>,
    reads: bool,
    event: Cell<Option<F>>,
}

impl<'a, F: FnOnce()> Eventful<'a, F> {
    /// `event` happens before batch number `left`.
    pub fn at_batch(store: &'a MemStore, left: usize, event: F) -> Self {
        Self { store, left: Cell::new(left), reads: false, event: Cell::new(Some(event)) }
    }

    /// `event` happens before batch or read number `left`.
    pub fn at_any(store: &'a MemStore, left: usize, event: F) -> Self {
        Self { reads: true, ..Self::at_batch(store, left, event) }
    }

    pub fn happened(self) -> bool {
        self.event.take().is_none()
    }

    fn count(&self) {
        match self.left.get().checked_sub(1) {
            Some(left) => self.left.set(left),
            None => {
                if let Some(event) = self.event.take() {
                    event();
                }
            }
        }
    }
}

impl<F: FnOnce()> PageStore for Eventful<'_, F> {
    type Page<'a>
        = MemPage<'a>
    where
        Self: 'a;
    type Batch<'a>
        = MemBatch<'a>
    where
        Self: 'a;

    fn blocks(&self) -> Result<u32> {
        self.store.blocks()
    }

    fn read(&self, block: u32) -> Result<MemPage<'_>> {
        if self.reads {
            self.count();
        }
        self.store.read(block)
    }

    fn batch(&self) -> MemBatch<'_> {
        self.count();
        self.store.batch()
    }

    fn pause(&self) -> Result<()> {
        Ok(())
    }
}
