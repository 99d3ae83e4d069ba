//! Moving all rows of some lists to others, while readers and writers go on.
//!
//! The lists are closed, their entries are copied into chains that nobody sees, and one batch makes
//! these part of the index instead of them. Vectors stay where they are.

use kernels::BLOCK;
use memory::Grow;
use pages::{Batch, Error, MAX_BATCH, META_BLOCK, PageStore, Result};

use crate::block::{BlockMut, Entry, ROOT};
use crate::chain::Chain;
use crate::free;
use crate::geometry::{BlockNo, VectorNo};
use crate::index::Ivf;
use crate::lists::List;
use crate::meta::Meta;
use crate::reader::Reader;
use crate::reclaim::reclaim;

/// How often rows that came meanwhile are copied, too, before a list is left as it is.
const TRIES: usize = 16;

/// The rows of some lists on their way.
pub(crate) struct Relocation<'a, S> {
    pub(crate) store: &'a S,
    pub(crate) ivf: &'a Ivf,
    /// At most [`MAX_RETIRED`], which the list of lists tells of in at most two pages.
    pub(crate) lists: Vec<List>,
    /// The new lists, at least one.
    pub(crate) chains: Vec<Chain>,
    /// The vector about which centroids are coded.
    pub(crate) middle: &'a [f32],
}

/// What was to be known of blocks that were closed.
struct Closed {
    entries: Vec<Entry>,
    /// Places of vectors that no row has.
    vacant: Vec<VectorNo>,
    last: BlockNo,
    next: Option<BlockNo>,
}

/// A list and its length.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Length {
    pub(crate) list: List,
    pub(crate) rows: u64,
    /// The page of the list of lists that tells of it.
    pub(crate) root: u32,
}

impl<S: PageStore> Relocation<'_, S> {
    /// Moves all rows. Returns the new lists, or none where too many rows came meanwhile.
    pub(crate) fn run(mut self) -> Result<Option<Vec<Length>>> {
        let moved = self.try_run();
        if let Ok(None) | Err(Error::NoRoom(_)) = moved {
            reclaim(self.store)?;
            self.lists.iter().try_for_each(|list| reopen(self.store, self.ivf, list))?;
        }
        moved
    }

    fn try_run(&mut self) -> Result<Option<Vec<Length>>> {
        let mut lasts = vec![None; self.lists.len()];
        for _ in 0..TRIES {
            // Blocks added from here on are noticed when the chains are published.
            let added_to_closed = Ivf::open(self.store)?.meta().reorganized.added_to_closed;
            self.copy(&mut lasts)?;
            if let Some(lists) = self.publish(added_to_closed)? {
                reclaim(self.store)?;
                return Ok(Some(lists));
            }
        }
        Ok(None)
    }

    /// Closes the lists behind the `lasts` of their blocks that were closed so far, and copies
    /// their rows.
    fn copy(&mut self, lasts: &mut [Option<BlockNo>]) -> Result<()> {
        let mut vacant: Vec<VectorNo> = Vec::new();
        for (list, last) in self.lists.clone().iter().zip(lasts) {
            let mut next = match *last {
                Some(last) => self.next_of(list, last)?,
                None => Some(list.first),
            };
            while let Some(from) = next {
                self.store.pause()?;
                let closed = self.close(list, from)?;
                self.distribute(&closed.entries)?;
                vacant.try_extend(closed.vacant)?;
                (next, *last) = (closed.next, Some(closed.last));
            }
        }
        let count = self.chains.len();
        for (i, vector) in vacant.into_iter().enumerate() {
            self.chains[i % count].push_vacant(vector)?;
        }
        self.flush(true)
    }

    /// What follows block `no` of a list.
    fn next_of(&self, list: &List, no: BlockNo) -> Result<Option<BlockNo>> {
        let mut next = None;
        self.ivf.blocks_of(self.store, (no, list.id()), |_, block| {
            next = block.next();
            Ok(false)
        })?;
        Ok(next)
    }

    /// Closes the blocks that follow each other from `no` on in one page: no row is added to them.
    fn close(&self, list: &List, mut no: BlockNo) -> Result<Closed> {
        let geometry = self.ivf.geometry();
        let page = no.page(geometry);
        let mut closed = Closed { entries: Vec::new(), vacant: Vec::new(), last: no, next: None };
        let mut batch = self.store.batch();
        let body = batch.page(page)?;
        loop {
            let mut block = BlockMut::open(body, no, list.id(), geometry)?;
            if block.as_ref().closed() {
                return Err(Error::corrupted(page, "chain of blocks leads back"));
            }
            block.set_closed(true);
            let block = block.as_ref();
            closed.entries.try_extend(block.entries().map(|(_, entry)| entry))?;
            closed.vacant.try_extend(block.vacated())?;
            closed.vacant.try_extend(block.open().into_iter().flat_map(|open| open.vectors()))?;
            closed.last = no;
            closed.next = block.next();
            match closed.next {
                Some(next) if next.page(geometry) == page => no = next,
                _ => break,
            }
        }
        batch.commit()?;
        Ok(closed)
    }

    /// Adds each row to the chain whose centroid is nearest.
    fn distribute(&mut self, entries: &[Entry]) -> Result<()> {
        let ivf = self.ivf;
        let mut vector = vec![0.0; ivf.geometry().dims];
        let mut reader = Reader::new(self.store, ivf.geometry());
        for &entry in entries {
            reader.pause()?;
            let chains = &mut self.chains;
            reader.read(entry.vector, |stored| {
                ivf.holder().widen(&stored, &mut vector);
                ivf.place(&mut vector);
                let distance = |chain: &Chain| kernels::l2_squared(&vector, chain.centroid());
                let nearest = chains.iter_mut().min_by(|a, b| distance(a).total_cmp(&distance(b)));
                nearest.map_or(Ok(()), |chain| chain.push(ivf, entry, &stored, &vector))
            })??;
        }
        drop(reader);
        self.flush(false)
    }

    fn flush(&mut self, all: bool) -> Result<()> {
        self.chains.iter_mut().try_for_each(|chain| chain.flush(self.store, self.ivf, all))
    }

    /// Makes the chains part of the index instead of the lists, which are as they were when the
    /// metapage counted `added_to_closed`. Returns the new lists; none if blocks were added meanwhile.
    fn publish(&self, added_to_closed: u32) -> Result<Option<Vec<Length>>> {
        let geometry = self.ivf.geometry();
        let (roots, roomy) = self.root_blocks()?;
        let goal = match roomy {
            Ok(roomy) => roomy,
            Err(last) => self.extend_root(last)?,
        };
        let mut pages: Vec<u32> = roots.iter().chain([&goal]).map(|no| no.page(geometry)).collect();
        pages.sort_unstable();
        pages.dedup();
        if pages.len() >= MAX_BATCH {
            return Ok(None);
        }
        let mut batch = self.store.batch();
        let mut meta = Meta::decode(batch.page(META_BLOCK)?)?;
        for page in pages {
            batch.page(page)?;
        }
        if meta.reorganized.added_to_closed != added_to_closed {
            return Ok(None);
        }
        for (list, &root) in self.lists.iter().zip(&roots) {
            let mut block = BlockMut::open(batch.page(root.page(geometry))?, root, ROOT, geometry)?;
            let slot =
                block.as_ref().entries().find(|(_, entry)| entry.vector == list.entry.vector);
            let Some((slot, _)) = slot else { return Ok(None) };
            block.retain(!(1 << slot));
        }
        let root = goal.page(geometry);
        let added = self.enlist(&mut BlockMut::open(batch.page(root)?, goal, ROOT, geometry)?)?;
        let lists = (meta.lists + added.len() as u32).checked_sub(self.lists.len() as u32);
        meta.lists = lists
            .filter(|&lists| lists > 0)
            .ok_or(Error::corrupted(META_BLOCK, "metapage counts too few lists"))?;
        meta.reorganized.epoch = meta.reorganized.epoch.wrapping_add(1);
        meta.reorganized.taken = None;
        for (retired, list) in meta.reorganized.retired.iter_mut().zip(&self.lists) {
            *retired = Some(list.first);
        }
        meta.encode(batch.page(META_BLOCK)?);
        batch.commit()?;
        Ok(Some(added.into_iter().map(|(list, rows)| Length { list, rows, root }).collect()))
    }

    /// Adds a list for each chain to a block of the list of lists; returns them and their rows.
    fn enlist(&self, block: &mut BlockMut<'_>) -> Result<Vec<(List, u64)>> {
        let mut added = Vec::new();
        let middle = self.ivf.rotated(self.middle);
        for chain in &self.chains {
            let Some(first) = chain.first() else { continue };
            let sketch = self.ivf.sketch((self.middle, &middle), chain.centroid(), 0.0);
            let entry = Entry { tid: chain.radius().tid(first), vector: chain.list() };
            let slot = block.as_ref().vacant().ok_or(Error::Limit("no room for a list"))?;
            block.set_entry(slot, entry, &sketch);
            added.push((List::of(entry), chain.rows()));
        }
        Ok(added)
    }

    /// The blocks of the list of lists that tell of the lists, and one with room for all chains, or
    /// else the last.
    fn root_blocks(&self) -> Result<(Vec<BlockNo>, std::result::Result<BlockNo, BlockNo>)> {
        let root = self.ivf.meta().root;
        let mut own = vec![None; self.lists.len()];
        let mut roomy = Err(root);
        self.ivf.blocks_of(self.store, (root, ROOT), |no, block| {
            for (list, own) in self.lists.iter().zip(&mut own) {
                if block.entries().any(|(_, entry)| entry.vector == list.entry.vector) {
                    *own = Some(no);
                }
            }
            let leaving = own.iter().filter(|&&own| own == Some(no)).count();
            let vacant = BLOCK - block.entries().count() + leaving;
            if roomy.is_err() {
                roomy = if vacant >= self.chains.len() { Ok(no) } else { Err(no) };
            }
            Ok(true)
        })?;
        let gone =
            Error::corrupted(root.page(self.ivf.geometry()), "list is not in the list of lists");
        let own = own.into_iter().collect::<Option<_>>().ok_or(gone)?;
        Ok((own, roomy))
    }

    /// Adds a block behind the `last` of the list of lists.
    fn extend_root(&self, last: BlockNo) -> Result<BlockNo> {
        let geometry = self.ivf.geometry();
        let mut batch = self.store.batch();
        let mut meta = Meta::decode(batch.page(META_BLOCK)?)?;
        let mut pages = [last.page(geometry), free::page_of_next(&meta)];
        pages.sort_unstable();
        for page in pages.into_iter().filter(|&page| page < meta.next_page) {
            batch.page(page)?;
        }
        let taken = free::take(&mut batch, &mut meta, 1)?;
        let full = Error::Limit("the index has too many pages");
        let added = taken.first().copied().ok_or(full)?;
        BlockMut::create(batch.page(added.page(geometry))?, added, ROOT, None, geometry);
        let body = batch.page(last.page(geometry))?;
        BlockMut::open(body, last, ROOT, geometry)?.set_next(Some(added));
        meta.encode(batch.page(META_BLOCK)?);
        batch.commit()?;
        Ok(added)
    }
}

/// Opens the blocks of a list that are closed.
pub(crate) fn reopen<S: PageStore>(store: &S, ivf: &Ivf, list: &List) -> Result<()> {
    let geometry = ivf.geometry();
    let mut closed = Vec::new();
    ivf.blocks_of(store, (list.first, list.id()), |no, block| {
        closed.try_extend(block.closed().then_some(no))?;
        Ok(true)
    })?;
    for blocks in closed.chunk_by(|a, b| a.page(geometry) == b.page(geometry)) {
        store.pause()?;
        let mut batch = store.batch();
        let body = batch.page(blocks[0].page(geometry))?;
        for &no in blocks {
            BlockMut::open(body, no, list.id(), geometry)?.set_closed(false);
        }
        batch.commit()?;
    }
    Ok(())
}
