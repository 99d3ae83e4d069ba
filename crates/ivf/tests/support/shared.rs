//! A store for threads, with a lock for each page as a server has.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use pages::mem::MemStore;
use pages::{Batch, Error, MAX_BATCH, PAGE_BODY, PageStore, Result, seal};

pub struct SharedStore {
    /// As many as it may ever have.
    pages: Vec<RwLock<Vec<u8>>>,
    count: AtomicU32,
}

impl SharedStore {
    pub fn of(store: &MemStore, most: u32) -> Self {
        let count = store.blocks().expect("counts");
        let page = |block| match store.read(block).ok().filter(|_| block < count) {
            Some(page) => page.to_vec(),
            None => vec![0; PAGE_BODY],
        };
        let pages = (0..most).map(|block| RwLock::new(page(block))).collect();
        Self { pages, count: AtomicU32::new(count) }
    }

    fn lock(&self, block: u32) -> Result<&RwLock<Vec<u8>>> {
        let count = self.count.load(Ordering::Acquire);
        let page = self.pages.get(block as usize).filter(|_| block < count);
        page.ok_or(Error::corrupted(block, "block is beyond the end of the index"))
    }
}

pub struct SharedPage<'a>(RwLockReadGuard<'a, Vec<u8>>);

impl Deref for SharedPage<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

pub struct SharedBatch<'a> {
    store: &'a SharedStore,
    pages: BTreeMap<u32, (RwLockWriteGuard<'a, Vec<u8>>, Vec<u8>)>,
}

impl PageStore for SharedStore {
    type Page<'a> = SharedPage<'a>;
    type Batch<'a> = SharedBatch<'a>;

    fn blocks(&self) -> Result<u32> {
        Ok(self.count.load(Ordering::Acquire))
    }

    fn read(&self, block: u32) -> Result<SharedPage<'_>> {
        let page = self.lock(block)?.read();
        Ok(SharedPage(page.unwrap_or_else(PoisonError::into_inner)))
    }

    fn batch(&self) -> SharedBatch<'_> {
        SharedBatch { store: self, pages: BTreeMap::new() }
    }

    fn pause(&self) -> Result<()> {
        Ok(())
    }
}

impl SharedBatch<'_> {
    fn hold(&mut self, block: u32, new: bool) -> Result<&mut [u8]> {
        if !self.pages.contains_key(&block) {
            assert!(self.pages.last_key_value().is_none_or(|(&last, _)| last < block));
            let held = self.store.lock(block)?.write().unwrap_or_else(PoisonError::into_inner);
            let body = if new { vec![0; PAGE_BODY] } else { held.clone() };
            self.pages.insert(block, (held, body));
        }
        Ok(&mut self.pages.get_mut(&block).expect("is held").1)
    }
}

impl Batch for SharedBatch<'_> {
    fn page(&mut self, block: u32) -> Result<&mut [u8]> {
        self.hold(block, false)
    }

    fn create(&mut self, block: u32) -> Result<&mut [u8]> {
        self.store.count.fetch_max(block + 1, Ordering::AcqRel);
        self.hold(block, true)
    }

    fn commit(mut self) -> Result<()> {
        assert!(self.pages.len() <= MAX_BATCH, "a batch holds {} pages", self.pages.len());
        for (held, body) in self.pages.values_mut() {
            seal(body);
            held.copy_from_slice(body);
        }
        Ok(())
    }
}
