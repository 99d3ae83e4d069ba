//! A store in which something else happens amid an operation.

use std::cell::{Cell, RefCell};

use super::{MemBatch, MemLock, MemPage, MemStore};
use crate::{Coordination, PageStore, Result};

/// A step that an operation takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A page is read.
    Read,
    /// A batch is begun.
    Batch,
    /// The operation holds nothing, and the host may stop it.
    Pause,
}

/// A [`MemStore`] in which an event, which may change the store, happens before some steps.
pub struct Eventful<'a, F> {
    store: &'a MemStore,
    steps: &'static [Step],
    /// Steps left until the event.
    left: Cell<usize>,
    once: bool,
    happened: Cell<bool>,
    event: RefCell<F>,
}

impl<'a, F: FnMut()> Eventful<'a, F> {
    /// `event` happens before each of `steps`.
    pub fn each(store: &'a MemStore, steps: &'static [Step], event: F) -> Self {
        let (left, happened) = (Cell::new(0), Cell::new(false));
        Self { store, steps, left, once: false, happened, event: RefCell::new(event) }
    }

    /// `event` happens once: when `left` of `steps` are behind.
    pub fn once(store: &'a MemStore, steps: &'static [Step], left: usize, event: F) -> Self {
        Self { left: Cell::new(left), once: true, ..Self::each(store, steps, event) }
    }

    /// Whether the event has happened.
    pub fn happened(self) -> bool {
        self.happened.get()
    }

    fn before(&self, step: Step) {
        if !self.steps.contains(&step) || self.once && self.happened.get() {
            return;
        }
        match self.left.get().checked_sub(1) {
            Some(left) => self.left.set(left),
            None => {
                self.happened.set(true);
                (self.event.borrow_mut())();
            }
        }
    }
}

impl<F: FnMut()> PageStore for Eventful<'_, F> {
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
        self.before(Step::Read);
        self.store.read(block)
    }

    fn batch(&self) -> MemBatch<'_> {
        self.before(Step::Batch);
        self.store.batch()
    }

    fn pause(&self) -> Result<()> {
        self.before(Step::Pause);
        self.store.pause()
    }
}

impl<F: FnMut()> Coordination for Eventful<'_, F> {
    type Lock<'a>
        = MemLock<'a>
    where
        Self: 'a;

    fn try_lock(&self, number: u32) -> Result<Option<MemLock<'_>>> {
        self.store.try_lock(number)
    }

    fn lock(&self, number: u32) -> Result<MemLock<'_>> {
        self.store.lock(number)
    }

    fn mark(&self) -> Result<u64> {
        self.store.mark()
    }

    fn has_passed(&self, mark: u64) -> Result<bool> {
        self.store.has_passed(mark)
    }
}
