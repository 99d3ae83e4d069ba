//! Taking pages for what is being made, and giving back those that belong to nothing any more.
//!
//! A writer that takes pages holds one of [`LOCKS`] locks. The metapage knows, for each lock, the list
//! of pages that its holder has taken. The batch that publishes what was made hands the list to it. If
//! the holder fails, the next holder of the lock finds the list, and the pages become free.

use memory::Grow;
use pages::{Batch, Coordination, Error, MAX_BATCH, META_BLOCK, PAGE_BODY, PageStore, Result};

use crate::fields::u32_at;
use crate::meta::{Chain, LOCKS, MAX_RETIRED, Meta};
use crate::page::Pages;
use crate::page_list::{self, CAPACITY};

/// The lock of vacuum.
pub(crate) const VACUUM: usize = 0;
/// The lock of inserts that merge segments.
pub(crate) const MERGE: usize = 1;
/// The lock of whoever empties the write buffer. Inserts wait for it: it is held for a moment only.
pub(crate) const FLUSH: usize = 2;
/// The first of the locks of inserts that write a document of their own segment.
pub(crate) const FIRST_OF_LARGE: usize = 3;

/// Bytes of what [`Taker::pause`] returns.
pub(crate) const PAUSED: usize = 12;
/// Pages by which the index is extended at a time.
const EXTENT: u32 = 16;

const _: () = assert!(EXTENT * LOCKS as u32 <= pages::MAX_GAP);

/// Pages taken under a lock, which the caller holds.
#[derive(Debug)]
pub(crate) struct Taker<'s, S> {
    store: &'s S,
    lock: usize,
    segment: u64,
    chain: Option<Chain>,
    /// Numbers in the last page of the chain: the first of them were handed out.
    numbers: Vec<u32>,
    handed_out: usize,
    /// Pages that are not written yet.
    waiting: Vec<(u32, Vec<u8>)>,
}

impl<'s, S: Coordination> Taker<'s, S> {
    /// Frees what an earlier holder of the lock has left, and is ready to take pages for a new segment.
    pub(crate) fn new(store: &'s S, lock: usize) -> Result<Self> {
        let mut batch = store.batch();
        let mut meta = Meta::decode(batch.page(META_BLOCK)?)?;
        if let Some(taken) = meta.taken[lock].take() {
            free(&mut batch, &mut meta, taken)?;
        }
        if lock == MERGE {
            meta.progress.segment = 0;
        }
        let segment = meta.next_segment;
        meta.next_segment = segment.checked_add(1).ok_or(Error::Limit("too many segments"))?;
        meta.encode(batch.page(META_BLOCK)?);
        batch.commit()?;
        let (numbers, waiting) = (Vec::new(), Vec::with_capacity(MAX_BATCH));
        Ok(Self { store, lock, segment, chain: None, numbers, handed_out: 0, waiting })
    }

    /// Goes on with the segment of [`crate::progress`] where [`Taker::pause`] returned `paused`. None if
    /// others have taken pages since.
    pub(crate) fn resume(store: &'s S, lock: usize, paused: [u8; PAUSED]) -> Result<Option<Self>> {
        let meta = Meta::read(store)?;
        let [first, last, handed_out] = [0, 4, 8].map(|at| u32_at(&paused, at));
        let Some(chain) = meta.taken[lock].filter(|&chain| chain == Chain { first, last }) else {
            return Ok(None);
        };
        let (next, numbers) = page_list::read(&store.read(chain.last)?, chain.last)?;
        let handed_out = handed_out as usize;
        let is_last = next.is_none() && numbers.len() == usize::from(meta.progress.numbers);
        if !is_last || handed_out > numbers.len() {
            return Ok(None);
        }
        let (segment, chain) = (meta.progress.segment, Some(chain));
        let waiting = Vec::with_capacity(MAX_BATCH);
        Ok(Some(Self { store, lock, segment, chain, numbers, handed_out, waiting }))
    }

    /// Writes what waits. Returns how many numbers the last list page has, and for [`Taker::resume`] the
    /// first and the last list page and of how many numbers of the last the pages were handed out.
    pub(crate) fn pause(&mut self) -> Result<(usize, [u8; PAUSED])> {
        self.write_waiting()?;
        let Chain { first, last } = self.chain.unwrap_or(Chain { first: 0, last: 0 });
        let mut paused = [0; PAUSED];
        let numbers = [first, last, self.handed_out as u32];
        for (bytes, number) in paused.as_chunks_mut().0.iter_mut().zip(numbers) {
            *bytes = number.to_le_bytes();
        }
        Ok((self.numbers.len(), paused))
    }

    /// All pages that were handed out, in this order.
    pub(crate) fn handed_out(&self) -> Result<Vec<u32>> {
        let mut all = Vec::new();
        let Some(chain) = self.chain else { return Ok(all) };
        page_list::walk(self.store, chain.first, Some(chain.last), |block, numbers| {
            let end = if block == chain.last { self.handed_out } else { numbers.len() };
            Ok(all.try_extend(numbers.iter().copied().take(end))?)
        })?;
        Ok(all)
    }

    /// The id of the segment.
    pub(crate) fn segment(&self) -> u64 {
        self.segment
    }

    /// Takes pages: those of a page of the free list, or new ones.
    fn reserve(&mut self) -> Result<()> {
        let mut batch = self.store.batch();
        let mut meta = Meta::decode(batch.page(META_BLOCK)?)?;
        if let Some(free) = meta.free {
            self.reserve_free(&mut batch, &mut meta, free)?;
        } else {
            self.reserve_new(&mut batch, &mut meta)?;
        }
        meta.taken[self.lock] = self.chain;
        meta.encode(batch.page(META_BLOCK)?);
        batch.commit()
    }

    /// Takes the first page of the free list: its numbers and itself go to the last page of the chain if
    /// they fit, else it becomes that.
    fn reserve_free<B: Batch>(&mut self, batch: &mut B, meta: &mut Meta, free: u32) -> Result<()> {
        let last = self.chain.map(|chain| chain.last);
        if last.is_some_and(|last| last < free) {
            batch.page(last.unwrap_or(0))?;
        }
        let (next, numbers) = page_list::read(batch.page(free)?, free)?;
        meta.free = next;
        let fits = self.numbers.len() + numbers.len() < CAPACITY;
        match last {
            Some(last) if fits => {
                self.numbers.extend(numbers);
                self.numbers.push(free);
                page_list::write(batch.page(last)?, last, None, &self.numbers);
            }
            _ => {
                page_list::set_next(batch.page(free)?, free, None)?;
                self.append_list_page(batch, free, numbers)?;
            }
        }
        Ok(())
    }

    /// Takes pages behind the last.
    fn reserve_new<B: Batch>(&mut self, batch: &mut B, meta: &mut Meta) -> Result<()> {
        let last = match self.chain {
            Some(chain) if self.numbers.len() + EXTENT as usize <= CAPACITY => chain.last,
            _ => {
                let block = meta.extend()?;
                self.append_list_page(batch, block, Vec::new())?;
                page_list::write(batch.create(block)?, block, None, &[]);
                block
            }
        };
        for _ in 0..EXTENT {
            self.numbers.push(meta.extend()?);
        }
        page_list::write(batch.page(last)?, last, None, &self.numbers);
        Ok(())
    }

    /// Has `block`, which holds `numbers`, follow the last page of the chain.
    fn append_list_page<B: Batch>(
        &mut self,
        batch: &mut B,
        block: u32,
        numbers: Vec<u32>,
    ) -> Result<()> {
        if let Some(chain) = &mut self.chain {
            page_list::set_next(batch.page(chain.last)?, chain.last, Some(block))?;
            chain.last = block;
        } else {
            self.chain = Some(Chain { first: block, last: block });
        }
        (self.numbers, self.handed_out) = (numbers, 0);
        Ok(())
    }

    fn write_waiting(&mut self) -> Result<()> {
        self.waiting.sort_unstable_by_key(|&(block, _)| block);
        let twice = self.waiting.windows(2).find(|pair| pair[0].0 == pair[1].0);
        if let Some(&(block, _)) = twice.and_then(|pair| pair.first()) {
            return Err(Error::corrupted(block, "page is on a list of free pages twice"));
        }
        let mut batch = self.store.batch();
        for (block, body) in &self.waiting {
            batch.create(*block)?.copy_from_slice(body);
        }
        batch.commit()?;
        self.waiting.clear();
        if self.lock == FLUSH { self.store.stop_if_asked() } else { self.store.pause() }
    }

    /// Writes what waits, and gives back the pages that were not handed out. The result is to be
    /// published in a batch that ends the lock's list.
    pub(crate) fn finish(mut self) -> Result<Chain> {
        self.write_waiting()?;
        let internal = || Error::Internal("no page was taken".to_owned());
        let chain = self.chain.ok_or_else(internal)?;
        let Some((&first, others)) =
            self.numbers.get(self.handed_out..).and_then(<[u32]>::split_first)
        else {
            return Ok(chain);
        };
        let mut batch = self.store.batch();
        let mut meta = Meta::decode(batch.page(META_BLOCK)?)?;
        let kept = &self.numbers[..self.handed_out];
        // The lower one is locked first.
        if chain.last < first {
            batch.page(chain.last)?;
        }
        page_list::write(batch.create(first)?, first, meta.free, others);
        page_list::write(batch.page(chain.last)?, chain.last, None, kept);
        meta.free = Some(first);
        meta.encode(batch.page(META_BLOCK)?);
        batch.commit()?;
        Ok(chain)
    }
}

impl<S: Coordination> Pages for Taker<'_, S> {
    fn allocate(&mut self) -> Result<u32> {
        loop {
            if let Some(&block) = self.numbers.get(self.handed_out) {
                self.handed_out += 1;
                return Ok(block);
            }
            self.reserve()?;
        }
    }

    fn write(&mut self, block: u32, body: &[u8]) -> Result<()> {
        if body.len() != PAGE_BODY {
            return Err(Error::Internal("page has the wrong size".to_owned()));
        }
        self.waiting.push((block, body.to_vec()));
        if self.waiting.len() == MAX_BATCH { self.write_waiting() } else { Ok(()) }
    }
}

/// Frees the pages that an earlier holder of `lock` has left, and ends its claims. The caller holds the
/// lock.
pub(crate) fn recover<S: PageStore>(store: &S, lock: usize) -> Result<()> {
    let is_left = |meta: &Meta| {
        meta.taken[lock].is_some() || meta.segments.iter().any(|entry| entry.claim == Some(lock))
    };
    if !is_left(&Meta::read(store)?) {
        return Ok(());
    }
    let mut batch = store.batch();
    let mut meta = Meta::decode(batch.page(META_BLOCK)?)?;
    if let Some(taken) = meta.taken[lock].take() {
        free(&mut batch, &mut meta, taken)?;
    }
    for entry in meta.segments.iter_mut().filter(|entry| entry.claim == Some(lock)) {
        entry.claim = None;
    }
    if lock == MERGE {
        meta.progress.segment = 0;
    }
    meta.encode(batch.page(META_BLOCK)?);
    batch.commit()
}

/// Frees the retired pages that no reader looks at any more.
pub(crate) fn reclaim<S: Coordination>(store: &S) -> Result<()> {
    loop {
        let retired = Meta::read(store)?.retired;
        let mut passed = None;
        for list in retired {
            if store.has_passed(list.mark)? {
                passed = Some(list);
                break;
            }
        }
        let Some(passed) = passed else { return Ok(()) };
        let mut batch = store.batch();
        let mut meta = Meta::decode(batch.page(META_BLOCK)?)?;
        // Another may have been faster.
        if let Some(i) = meta.retired.iter().position(|&list| list == passed) {
            meta.retired.remove(i);
            free(&mut batch, &mut meta, passed.pages)?;
            meta.encode(batch.page(META_BLOCK)?);
            batch.commit()?;
        }
        store.pause()?;
    }
}

/// Makes room for `lists` more lists of retired pages, by having some wait as long as later ones.
pub(crate) fn make_room<S: Coordination>(store: &S, lists: usize) -> Result<()> {
    loop {
        let has_room = |meta: &Meta| meta.retired.len() + lists <= MAX_RETIRED;
        if has_room(&Meta::read(store)?) {
            return Ok(());
        }
        let mut batch = store.batch();
        let mut meta = Meta::decode(batch.page(META_BLOCK)?)?;
        if has_room(&meta) {
            return Ok(());
        }
        meta.retired.sort_by_key(|list| list.mark);
        // The oldest two wait as long as the second of them.
        let first = meta.retired.remove(0);
        let Some(second) = meta.retired.first_mut() else {
            return Err(Error::Internal("room for too many lists of pages is wanted".to_owned()));
        };
        let (last, next) = (first.pages.last, second.pages.first);
        second.pages.first = first.pages.first;
        page_list::set_next(batch.page(last)?, last, Some(next))?;
        meta.encode(batch.page(META_BLOCK)?);
        batch.commit()?;
        store.pause()?;
    }
}

/// Puts the pages of a chain that belongs to nothing before the free list. The caller writes `meta`.
fn free<B: Batch>(batch: &mut B, meta: &mut Meta, chain: Chain) -> Result<()> {
    page_list::set_next(batch.page(chain.last)?, chain.last, meta.free)?;
    meta.free = Some(chain.first);
    Ok(())
}

#[cfg(test)]
mod tests {
    use pages::mem::MemStore;

    use super::*;
    use crate::{Options, Scoring, create};

    /// Who takes pages from a damaged list fails.
    #[test]
    fn a_page_is_not_taken_twice() {
        let store = MemStore::new();
        create(&store, Options { scoring: Scoring::InnerProduct, positions: false }, b"")
            .expect("creates");
        let mut taker = Taker::new(&store, FLUSH).expect("takes");
        taker.reserve().expect("reserves");
        taker.numbers = vec![9, 7, 9];
        let mut write = |_| {
            let block = taker.allocate()?;
            taker.write(block, &[0; PAGE_BODY])
        };
        (0..3).try_for_each(&mut write).expect("writes");
        let error = taker.write_waiting().expect_err("is damaged");
        assert_eq!(error, Error::corrupted(9, "page is on a list of free pages twice"));
    }

    /// A part that has failed may have taken a list page with as many numbers as the one before.
    #[test]
    fn nobody_goes_on_after_others_have_taken_a_list_page() {
        let store = MemStore::new();
        create(&store, Options { scoring: Scoring::InnerProduct, positions: false }, b"")
            .expect("creates");
        let mut taker = Taker::new(&store, VACUUM).expect("takes");
        for _ in 0..3 * CAPACITY {
            let block = taker.allocate().expect("allocates");
            taker.write(block, &[0; PAGE_BODY]).expect("writes");
        }
        drop(taker);
        recover(&store, VACUUM).expect("frees the list");

        let mut taker = Taker::new(&store, MERGE).expect("takes");
        let mut handed_out = vec![taker.allocate().expect("allocates")];
        let full = taker.numbers.len();
        assert!(full > CAPACITY / 2, "{full} numbers");
        handed_out.extend((1..full - 5).map(|_| taker.allocate().expect("allocates")));
        let (numbers, paused) = taker.pause().expect("writes");
        crate::progress::save(&store, taker.segment(), numbers, &[0]).expect("saves");
        drop(taker);

        let resume = || Taker::resume(&store, MERGE, paused).expect("reads");
        let mut taker = resume().expect("goes on");
        assert_eq!(taker.handed_out(), Ok(handed_out));
        for _ in 0..6 {
            taker.allocate().expect("allocates");
        }
        assert_eq!((taker.numbers.len(), taker.handed_out), (full, 1));
        drop(taker);
        assert!(resume().is_none());
    }
}
