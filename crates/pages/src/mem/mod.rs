//! A store in plain memory, for tests: batches are atomic, any batch can be the last one before a
//! crash, and the store may be full. In an [`Eventful`] store, others act amid an operation.

mod coordination;
mod eventful;

use std::cell::{Cell, Ref, RefCell};
use std::collections::BTreeMap;
use std::ops::Deref;

pub use coordination::MemLock;
use coordination::Turns;
pub use eventful::{Eventful, Step};

use crate::{
    Batch, Error, MAX_BATCH, MAX_GAP, PAGE_BODY, PageStore, Result, push_delta, reseal, seal,
};

/// Pages in memory. Counts what is read and written; crashes on request.
#[derive(Debug, Default)]
pub struct MemStore {
    pages: RefCell<Vec<Vec<u8>>>,
    reads: Cell<u64>,
    /// Pages read since the last pause, and the most that there were between two.
    run: Cell<u64>,
    longest_run: Cell<u64>,
    /// Pauses after which the host asks to stop.
    patience: Cell<Option<u64>>,
    commits: Cell<u64>,
    crash_after: Cell<Option<u64>>,
    most: Cell<Option<u32>>,
    read_ahead: Cell<usize>,
    prefetched: RefCell<Vec<u32>>,
    turns: Turns,
    /// Whether bytes of log are counted, and how many there were.
    logs: Cell<bool>,
    logged: Cell<u64>,
}

impl MemStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Pages read so far.
    pub fn reads(&self) -> u64 {
        self.reads.get()
    }

    /// The most pages that were read without a pause.
    pub fn longest_run(&self) -> u64 {
        self.longest_run.get()
    }

    /// Lets `pauses` more pauses pass, then asks to stop at every one.
    pub fn interrupt_after(&self, pauses: u64) {
        self.patience.set(Some(pauses));
    }

    /// Batches committed so far.
    pub fn commits(&self) -> u64 {
        self.commits.get()
    }

    /// Lets `commits` more batches through, then fails every batch: what a crash leaves behind is
    /// the store as it stands then.
    pub fn crash_after(&self, commits: u64) {
        self.crash_after.set(Some(commits));
    }

    /// Restarts after a crash.
    pub fn recover(&self) {
        self.crash_after.set(None);
    }

    /// Lets the store have no more pages than `most`.
    pub fn limit(&self, most: Option<u32>) {
        self.most.set(most);
    }

    /// A store whose pages are those of [`Self::to_bytes`], checksums included.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let pages = bytes.chunks_exact(PAGE_BODY).map(<[u8]>::to_vec).collect();
        Self { pages: RefCell::new(pages), ..Self::default() }
    }

    /// All pages, one after another.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.pages.borrow().concat()
    }

    /// Appends a page, as bulk builds do.
    pub fn append(&self, body: &[u8]) {
        let mut body = body.to_vec();
        seal(&mut body);
        self.pages.borrow_mut().push(body);
    }

    /// Asks readers to announce so many pages before they read them.
    pub fn set_read_ahead(&self, pages: usize) {
        self.read_ahead.set(pages);
    }

    /// Counts the bytes that a host would log, from now on.
    pub fn count_log(&self, counted: bool) {
        self.logs.set(counted);
    }

    /// Bytes that a host would have logged: of new pages all but the longest run of zeros, of others
    /// the changes, with 24 bytes of headers a batch and 20 a page, about as PostgreSQL.
    pub fn logged(&self) -> u64 {
        self.logged.get()
    }

    /// The blocks announced so far.
    pub fn prefetched(&self) -> Vec<u32> {
        self.prefetched.borrow().clone()
    }

    /// Changes a page behind everybody's back.
    pub fn scribble(&self, block: u32, change: impl FnOnce(&mut [u8])) {
        if let Some(page) = self.pages.borrow_mut().get_mut(block as usize) {
            change(page);
        }
    }
}

impl MemStore {
    /// Changes a page behind everybody's back, but for its checksum, which is that of what it holds
    /// then.
    pub fn rewrite(&self, block: u32, change: impl FnOnce(&mut [u8])) {
        self.scribble(block, |page| {
            change(page);
            seal(page);
        });
    }
}

impl Clone for MemStore {
    fn clone(&self) -> Self {
        Self { pages: RefCell::new(self.pages.borrow().clone()), ..Self::default() }
    }
}

/// A page of a [`MemStore`] held for reading.
#[derive(Debug)]
pub struct MemPage<'a>(Ref<'a, [u8]>);

impl Deref for MemPage<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// A batch on a [`MemStore`].
#[derive(Debug)]
pub struct MemBatch<'a> {
    store: &'a MemStore,
    pages: BTreeMap<u32, Vec<u8>>,
    /// Those whose old content did not matter.
    created: Vec<u32>,
}

impl PageStore for MemStore {
    type Page<'a> = MemPage<'a>;
    type Batch<'a> = MemBatch<'a>;

    fn blocks(&self) -> Result<u32> {
        u32::try_from(self.pages.borrow().len()).map_err(|_| Error::Limit("too many pages"))
    }

    fn read(&self, block: u32) -> Result<MemPage<'_>> {
        self.reads.set(self.reads.get() + 1);
        self.run.set(self.run.get() + 1);
        self.longest_run.set(self.longest_run.get().max(self.run.get()));
        Ref::filter_map(self.pages.borrow(), |pages| pages.get(block as usize).map(Vec::as_slice))
            .map(MemPage)
            .map_err(|_| Error::corrupted(block, "block is beyond the end of the index"))
    }

    fn read_ahead(&self) -> usize {
        self.read_ahead.get()
    }

    fn prefetch(&self, block: u32) {
        self.prefetched.borrow_mut().push(block);
    }

    fn batch(&self) -> MemBatch<'_> {
        MemBatch { store: self, pages: BTreeMap::new(), created: Vec::new() }
    }

    fn pause(&self) -> Result<()> {
        self.run.set(0);
        match self.patience.get() {
            Some(0) => return Err(Error::Interrupted),
            Some(left) => self.patience.set(Some(left - 1)),
            None => {}
        }
        Ok(())
    }
}

impl MemBatch<'_> {
    fn hold(&mut self, block: u32, body: Vec<u8>) -> &mut [u8] {
        self.pages.entry(block).or_insert(body)
    }

    /// Counts the log of the batch.
    fn log(&self) {
        let mut bytes = 24;
        let pages = self.store.pages.borrow();
        for (&block, body) in &self.pages {
            bytes += 20;
            match pages.get(block as usize).filter(|_| !self.created.contains(&block)) {
                Some(old) => {
                    let mut delta = Vec::new();
                    push_delta(old, body, &mut delta);
                    bytes += delta.len();
                }
                None => bytes += body.len() - longest_run_of_zeros(body),
            }
        }
        self.store.logged.set(self.store.logged.get() + bytes as u64);
    }

    fn check_order(&self, block: u32) {
        let ascending = self.pages.last_key_value().is_none_or(|(&last, _)| last < block);
        assert!(ascending, "block {block} is locked after a higher one");
    }
}

impl Batch for MemBatch<'_> {
    fn page(&mut self, block: u32) -> Result<&mut [u8]> {
        let body = match self.pages.remove(&block) {
            Some(held) => held,
            None => {
                self.check_order(block);
                self.store.read(block)?.to_vec()
            }
        };
        Ok(self.hold(block, body))
    }

    fn create(&mut self, block: u32) -> Result<&mut [u8]> {
        if block.saturating_sub(self.store.blocks()?) > MAX_GAP {
            return Err(Error::corrupted(block, "block is beyond the end of the index"));
        }
        if block >= self.store.blocks()? && self.store.most.get().is_some_and(|most| block >= most)
        {
            return Err(Error::NoRoom("the store is full".to_owned()));
        }
        self.check_order(block);
        self.created.push(block);
        Ok(self.hold(block, vec![0; PAGE_BODY]))
    }

    fn commit(self) -> Result<()> {
        assert!(self.pages.len() <= MAX_BATCH, "a batch holds {} pages", self.pages.len());
        let len = self.pages.last_key_value().map_or(0, |(&last, _)| last as usize + 1);
        let more = len.saturating_sub(self.store.pages.borrow().len());
        self.store.pages.borrow_mut().try_reserve(more).map_err(|_| Error::OutOfMemory)?;
        match self.store.crash_after.get() {
            Some(0) => return Err(Error::Crashed),
            Some(left) => self.store.crash_after.set(Some(left - 1)),
            None => {}
        }
        self.store.commits.set(self.store.commits.get() + 1);
        if self.store.logs.get() {
            self.log();
        }
        let mut pages = self.store.pages.borrow_mut();
        for (block, mut body) in self.pages {
            let block = block as usize;
            match pages.get(block).filter(|_| !self.created.contains(&(block as u32))) {
                Some(old) => reseal(old, &mut body),
                None => seal(&mut body),
            }
            if pages.len() <= block {
                pages.resize(block + 1, vec![0; PAGE_BODY]);
            }
            pages[block] = body;
        }
        Ok(())
    }
}

/// What the host leaves out of the image of a page.
fn longest_run_of_zeros(body: &[u8]) -> usize {
    body.chunk_by(|a, b| (*a == 0) == (*b == 0))
        .filter(|run| run[0] == 0)
        .map(<[u8]>::len)
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_all_or_nothing() {
        let store = MemStore::new();
        let mut batch = store.batch();
        batch.create(0).expect("creates")[0] = 1;
        batch.create(1).expect("creates")[0] = 2;
        batch.commit().expect("commits");
        let mut undone = store.batch();
        undone.page(1).expect("locks")[0] = 9;
        drop(undone);
        assert_eq!(store.read(1).expect("reads")[0], 2);
        store.crash_after(0);
        let mut lost = store.batch();
        lost.page(0).expect("locks")[0] = 9;
        assert_eq!(lost.commit(), Err(Error::Crashed));
        assert_eq!(store.read(0).expect("reads")[0], 1);
        assert!(store.read(2).is_err());
    }
}
