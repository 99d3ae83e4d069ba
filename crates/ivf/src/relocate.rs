//! Moving all rows of a list to others, while readers and writers go on.
//!
//! The list is closed, its entries are copied into chains that nobody sees, and one batch makes
//! these part of the index instead. Vectors stay where they are.

use kernels::BLOCK;
use pages::{Batch, Error, HeapTid, META_BLOCK, PageStore, Result};

use crate::block::{Block, BlockMut, Entry, NO_FACTORS, ROOT};
use crate::chain::Chain;
use crate::free;
use crate::geometry::{BlockNo, VectorNo};
use crate::index::Ivf;
use crate::lists::List;
use crate::meta::Meta;
use crate::reclaim::reclaim;
use crate::vectors::Reader;

/// How often rows that came meanwhile are copied, too, before a list is left as it is.
const TRIES: usize = 16;

/// Where rows go.
pub(crate) enum Goal {
    /// To lists of their own, one for each chain.
    New,
    /// To this list.
    Into(List),
}

/// The rows of a list on their way.
pub(crate) struct Relocation<'a, S> {
    pub(crate) store: &'a S,
    pub(crate) ivf: &'a Ivf,
    pub(crate) list: List,
    pub(crate) goal: Goal,
    pub(crate) chains: Vec<Chain>,
    /// The vector about which centroids are coded.
    pub(crate) middle: &'a [f32],
}

/// What was to be known of blocks that were closed.
#[derive(Default)]
struct Closed {
    entries: Vec<Entry>,
    /// Places of vectors that no row has.
    vacant: Vec<VectorNo>,
    next: Option<BlockNo>,
}

enum Published {
    Done,
    /// The list has got this block meanwhile.
    Grown(BlockNo),
    /// Something else came between.
    Again,
}

impl<S: PageStore> Relocation<'_, S> {
    /// Moves all rows. Returns their number, or none where too many others came meanwhile.
    pub(crate) fn run(mut self) -> Result<Option<u64>> {
        let (mut moved, mut last) = (0, self.list.first);
        let mut from = Some(self.list.first);
        for _ in 0..TRIES {
            if let Some(from) = from.take() {
                moved += self.copy(from, &mut last)?;
            }
            match self.publish(last)? {
                Published::Done => {
                    reclaim(self.store)?;
                    return Ok(Some(moved));
                }
                Published::Grown(block) => from = Some(block),
                Published::Again => {}
            }
        }
        reclaim(self.store)?;
        reopen(self.store, self.ivf, &self.list)?;
        Ok(None)
    }

    /// Closes the list from block `from` on and copies its rows. Tells the `last` block.
    fn copy(&mut self, from: BlockNo, last: &mut BlockNo) -> Result<u64> {
        let (mut rows, mut vacant, mut next) = (0, Vec::new(), Some(from));
        while let Some(from) = next {
            self.store.pause()?;
            let mut closed = self.close(from, last)?;
            rows += closed.entries.len() as u64;
            self.distribute(&closed.entries)?;
            vacant.append(&mut closed.vacant);
            next = closed.next;
        }
        let count = self.chains.len();
        for (i, vector) in vacant.into_iter().enumerate() {
            self.chains[i % count].push_vacant(vector);
        }
        self.flush(true)?;
        Ok(rows)
    }

    /// Closes the blocks that follow each other from `no` on in one page: no row is added to them.
    fn close(&self, mut no: BlockNo, last: &mut BlockNo) -> Result<Closed> {
        let geometry = self.ivf.geometry();
        let page = no.page(geometry);
        let mut closed = Closed::default();
        let mut batch = self.store.batch();
        let body = batch.page(page)?;
        loop {
            let mut block = BlockMut::open(body, no, self.list.id(), geometry)?;
            if block.as_ref().closed() {
                return Err(Error::corrupted(page, "chain of blocks leads back"));
            }
            block.set_closed(true);
            let block = block.as_ref();
            closed.entries.extend(block.entries().map(|(_, entry)| entry));
            closed.vacant.extend(block.vacated());
            closed.vacant.extend(block.open().into_iter().flat_map(|open| open.vectors()));
            *last = no;
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
            reader.read(entry.vector, |stored| stored.widen(&mut vector))?;
            ivf.place(&mut vector);
            let distance = |chain: &Chain| kernels::l2_squared(&vector, chain.centroid());
            let nearest = self.chains.iter_mut().min_by(|a, b| distance(a).total_cmp(&distance(b)));
            if let Some(chain) = nearest {
                chain.push(ivf, entry, &ivf.rotated(&vector));
            }
        }
        drop(reader);
        self.flush(false)
    }

    fn flush(&mut self, all: bool) -> Result<()> {
        self.chains.iter_mut().try_for_each(|chain| chain.flush(self.store, self.ivf, all))
    }

    /// Makes the chains part of the index instead of the list, whose last block is `last`.
    fn publish(&mut self, last: BlockNo) -> Result<Published> {
        let geometry = self.ivf.geometry();
        let (root, goal) = match &self.goal {
            Goal::New => self.root_blocks()?,
            Goal::Into(list) => {
                let (root, first) = (self.root_blocks()?.0, list.first);
                let mut next = None;
                self.ivf.blocks_of(self.store, (first, list.id()), |_, block| {
                    next = block.next();
                    false
                })?;
                for chain in &mut self.chains {
                    chain.lead_to(self.store, self.ivf, next)?;
                }
                (root, first)
            }
        };
        let mut pages = [root, goal, last].map(|no| no.page(geometry));
        pages.sort_unstable();
        let mut batch = self.store.batch();
        let mut meta = Meta::decode(batch.page(META_BLOCK)?)?;
        for page in pages {
            batch.page(page)?;
        }
        let tail = Block::read(batch.page(last.page(geometry))?, last, self.list.id(), geometry)?;
        if let Some(next) = tail.next() {
            return Ok(Published::Grown(next));
        }
        let body = batch.page(root.page(geometry))?;
        let mut block = BlockMut::open(body, root, ROOT, geometry)?;
        let slot = block.as_ref().entries().find(|(_, entry)| *entry == self.list.entry);
        let Some((slot, _)) = slot else { return Ok(Published::Again) };
        block.retain(!(1 << slot));
        meta.lists -= 1;
        let body = batch.page(goal.page(geometry))?;
        match &self.goal {
            Goal::New => {
                let mut block = BlockMut::open(body, goal, ROOT, geometry)?;
                meta.lists += self.enlist(&mut block)?;
            }
            Goal::Into(list) => {
                let mut block = BlockMut::open(body, goal, list.id(), geometry)?;
                if self.chains.iter().any(|chain| chain.behind() != block.as_ref().next()) {
                    return Ok(Published::Again);
                }
                if let Some(first) = self.chains.iter().find_map(Chain::first) {
                    block.set_next(Some(first));
                    block.set_room(None);
                }
            }
        }
        if meta.lists == 0 {
            return Err(Error::corrupted(META_BLOCK, "metapage counts too few lists"));
        }
        meta.reorganized.epoch = meta.reorganized.epoch.wrapping_add(1);
        meta.reorganized.taken = None;
        meta.reorganized.retired = Some(self.list.first);
        meta.encode(batch.page(META_BLOCK)?);
        batch.commit()?;
        Ok(Published::Done)
    }

    /// Adds a list for each chain to a block of the list of lists; returns their number.
    fn enlist(&self, block: &mut BlockMut<'_>) -> Result<u32> {
        let mut count = 0;
        for chain in &self.chains {
            let Some(first) = chain.first() else { continue };
            let (mut factors, mut code) = (NO_FACTORS, Vec::new());
            if let Some(coder) = self.ivf.coder() {
                code.resize(coder.code_bytes(), 0);
                let middle = self.ivf.rotated(self.middle);
                factors = coder.encode_rotated(&middle, chain.owner(), &mut code);
            }
            let tid = HeapTid { block: first.0, offset: 1 };
            let slot = block.as_ref().vacant().ok_or(Error::Limit("no room for a list"))?;
            block.set_entry(slot, Entry { tid, vector: chain.list() }, factors, &code);
            count += 1;
        }
        Ok(count)
    }

    /// The block of the list of lists that tells of the list, and one with room for all chains.
    fn root_blocks(&self) -> Result<(BlockNo, BlockNo)> {
        let (mut own, mut roomy, mut last) = (None, None, self.ivf.meta().root);
        self.ivf.blocks_of(self.store, (self.ivf.meta().root, ROOT), |no, block| {
            let mut vacant = BLOCK - block.entries().count();
            if block.entries().any(|(_, entry)| entry == self.list.entry) {
                own = Some(no);
                vacant += 1;
            }
            if vacant >= self.chains.len() {
                roomy = roomy.or(Some(no));
            }
            last = no;
            true
        })?;
        let page = last.page(self.ivf.geometry());
        let own = own.ok_or(Error::corrupted(page, "list has left the list of lists"))?;
        Ok((own, if let Some(roomy) = roomy { roomy } else { self.extend_root(last)? }))
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
        closed.extend(block.closed().then_some(no));
        true
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
