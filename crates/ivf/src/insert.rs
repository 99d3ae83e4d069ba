//! Inserting a row: one batch, unless its list needs another page.

use pages::{Batch, Error, HeapTid, META_BLOCK, PageStore, Result};
use quant::Metric;

use crate::block::{Block, BlockMut, Entry, Open, Sketch};
use crate::free;
use crate::geometry::{BlockNo, VectorNo};
use crate::index::Ivf;
use crate::lists::{List, NearestLists};
use crate::meta::{Meta, set_next_page};
use crate::query::Query;
use crate::radius::{self, Radius};
use crate::reader::Reader;
use crate::vector::{Stored, init_vectors, open_vectors, pieces};

/// Inserts the row `tid` with `vector`, which has the index's dimensions and is
/// [`crate::indexable`].
///
/// # Errors
/// Those of the store, [`pages::Error::Corrupted`], and [`pages::Error::Limit`] where the index is
/// full.
pub fn insert<S: PageStore>(store: &S, vector: &[f32], tid: HeapTid) -> Result<()> {
    loop {
        let ivf = Ivf::open(store)?;
        let (expected, found) = (ivf.geometry().dims, vector.len());
        if found != expected {
            return Err(Error::Dimensions { expected, found });
        }
        match insert_into(store, &ivf, vector, tid) {
            Ok(true) => return Ok(()),
            Err(error) if error.ends_work() => return Err(error),
            // The list may be no more.
            _ if ivf.is_outdated(store)? => {}
            Err(error) => return Err(error),
            Ok(false) => return Err(Error::corrupted(META_BLOCK, "index has no lists")),
        }
    }
}

/// Inserts a row unless lists are reorganized; returns whether it is done.
fn insert_into<S: PageStore>(store: &S, ivf: &Ivf, vector: &[f32], tid: HeapTid) -> Result<bool> {
    let Some((list, _)) = nearest_list(store, ivf, vector)? else { return Ok(false) };
    let mut stored = vec![0; ivf.geometry().vector_size()];
    ivf.holder().write(vector, &mut stored);
    let (holder, geometry) = (ivf.holder(), ivf.geometry());
    let (mut centroid, mut placed) = (vec![0.0; vector.len()], vec![0.0; vector.len()]);
    Reader::new(store, geometry)
        .read(list.entry.vector, |stored| holder.widen(&stored, &mut centroid))?;
    let own = Stored::new(&stored, geometry);
    holder.widen(&own, &mut placed);
    ivf.place(&mut placed);
    let reach = Radius::of_row(ivf, &own, &placed, &centroid);
    if !list.radius().covers(reach) && !radius::raise(store, ivf, &list, reach)? {
        return Ok(false);
    }
    let owner = ivf.rotated(&centroid);
    let error = own.placed_error(ivf.metric());
    let sketch = ivf.sketch((&centroid, &owner), &placed, error);
    let row = Row { tid, sketch, stored };
    let inserter = Inserter { store, ivf, list: &list };
    while !inserter.step(&row)? {
        store.pause()?;
        if ivf.is_outdated(store)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The list whose centroid is nearest, and how far that is (see [`distance_of_centroid`]).
pub(crate) fn nearest_list<S: PageStore>(
    store: &S,
    ivf: &Ivf,
    vector: &[f32],
) -> Result<Option<(List, f32)>> {
    let query = Query::new(ivf, vector);
    if ivf.metric() != Metric::InnerProduct {
        let nearest = NearestLists::new(store, ivf, &query)?.next(store, ivf, &query)?;
        return Ok(nearest.map(|(list, centroid)| (list, centroid.reduced)));
    }
    // Rows are near in space to the centroid of their list; the largest product is another matter,
    // and codes tell of that one only.
    let lists = ivf.all_lists(store)?;
    let mut reader = Reader::new(store, ivf.geometry());
    let mut nearest = None;
    for list in lists {
        reader.pause()?;
        let distance = reader.read(list.entry.vector, |stored| query.squared_distance(&stored))?;
        if nearest.as_ref().is_none_or(|&(_, least)| distance < least) {
            nearest = Some((list, distance));
        }
    }
    Ok(nearest)
}

/// How far a row's `vector` is from the centroid of a list, as lists are made: the square of the
/// distance in space, of bits the number of those that differ.
pub(crate) fn distance_of_centroid(ivf: &Ivf, vector: &[f32], centroid: &Stored<'_>) -> f32 {
    Query::new(ivf, vector).squared_distance(centroid)
}

/// What is written of a row.
struct Row {
    tid: HeapTid,
    sketch: Sketch,
    stored: Vec<u8>,
}

/// Where a list has room.
enum Room {
    /// This block has a vacant entry.
    Vacant(BlockNo),
    /// No block has; this is the last.
    After(BlockNo),
}

/// A vacant entry and where its vector goes.
#[derive(PartialEq, Eq)]
struct Vacancy {
    index: usize,
    /// None where a run is to be begun.
    vector: Option<VectorNo>,
}

impl Vacancy {
    fn of(block: &Block<'_>) -> Option<Self> {
        let index = block.vacant()?;
        let vector = if index < block.used() {
            Some(block.entry(index).vector)
        } else {
            block.open().map(|open| open.first)
        };
        Some(Self { index, vector })
    }
}

struct Inserter<'a, S> {
    store: &'a S,
    ivf: &'a Ivf,
    list: &'a List,
}

impl<S: PageStore> Inserter<'_, S> {
    /// Inserts the row or makes room for it. Returns whether it is inserted.
    fn step(&self, row: &Row) -> Result<bool> {
        match self.room()? {
            Room::Vacant(no) => self.put(no, row),
            Room::After(last) => self.extend(last),
        }
    }

    /// Looks for room from where the list says there may be some.
    fn room(&self) -> Result<Room> {
        let first = self.list.first;
        let mut start = first;
        self.ivf.blocks_of(self.store, (first, self.list.id()), |_, block| {
            start = block.room().unwrap_or(first);
            Ok(false)
        })?;
        let mut room = Room::After(start);
        self.ivf.blocks_of(self.store, (start, self.list.id()), |no, block| {
            let vacant = block.vacant().is_some();
            room = if vacant { Room::Vacant(no) } else { Room::After(no) };
            Ok(!vacant)
        })?;
        Ok(room)
    }

    /// Writes the row into a vacant entry of block `no`. Returns false where others were faster.
    fn put(&self, no: BlockNo, row: &Row) -> Result<bool> {
        let mut vacancy = None;
        self.ivf.blocks_of(self.store, (no, self.list.id()), |_, block| {
            vacancy = Vacancy::of(block);
            Ok(false)
        })?;
        match vacancy {
            Some(Vacancy { index, vector: Some(vector) }) => self.put_at(no, index, vector, row),
            Some(Vacancy { index, vector: None }) => self.put_in_new_run(no, index, row),
            None => Ok(false),
        }
    }

    /// Writes the row where there is a place for its vector.
    fn put_at(&self, no: BlockNo, index: usize, vector: VectorNo, row: &Row) -> Result<bool> {
        let geometry = self.ivf.geometry();
        let page = no.page(geometry);
        let pieces = pieces(vector, geometry);
        let mut batch = self.store.batch();
        let mut pages: Vec<u32> = pieces.iter().map(|piece| piece.0).chain([page]).collect();
        pages.sort_unstable();
        for &page in &pages {
            batch.page(page)?;
        }
        let mut block = BlockMut::open(batch.page(page)?, no, self.list.id(), geometry)?;
        if Vacancy::of(&block.as_ref()) != Some(Vacancy { index, vector: Some(vector) }) {
            return Ok(false);
        }
        if index == block.as_ref().used() {
            let open = block.as_ref().open();
            block.set_open(open.and_then(Open::after));
        }
        block.set_entry(index, Entry { tid: row.tid, vector }, &row.sketch);
        self.carry_on(batch.page(page)?, no)?;
        for (page, range, part) in pieces {
            open_vectors(&mut batch, page)?[range].copy_from_slice(&row.stored[part]);
        }
        batch.commit()?;
        Ok(true)
    }

    /// Writes the row and begins a run of vectors for its list with it.
    fn put_in_new_run(&self, no: BlockNo, index: usize, row: &Row) -> Result<bool> {
        let geometry = self.ivf.geometry();
        let page = no.page(geometry);
        let mut batch = self.store.batch();
        let run = self.next_page(&mut batch, no)?;
        let vector = VectorNo::at(run, 0, geometry)?;
        let last = VectorNo::at(run, geometry.run_vectors, geometry)?;
        let mut block = BlockMut::open(batch.page(page)?, no, self.list.id(), geometry)?;
        if Vacancy::of(&block.as_ref()) != Some(Vacancy { index, vector: None }) {
            return Ok(false);
        }
        let run_of = Open { first: vector, count: (last.0 - vector.0) as usize };
        block.set_open(run_of.after());
        block.set_entry(index, Entry { tid: row.tid, vector }, &row.sketch);
        self.carry_on(batch.page(page)?, no)?;
        let end = run + geometry.run_pages as u32;
        for page in run..end {
            init_vectors(batch.create(page)?, page);
        }
        for (page, range, part) in pieces(vector, geometry) {
            open_vectors(&mut batch, page)?[range].copy_from_slice(&row.stored[part]);
        }
        set_next_page(batch.page(META_BLOCK)?, end);
        batch.commit()?;
        Ok(true)
    }

    /// Locks the metapage; the first page that was never used, which lies behind `block`.
    fn next_page(&self, batch: &mut S::Batch<'_>, block: BlockNo) -> Result<u32> {
        let next = Meta::decode(batch.page(META_BLOCK)?)?.next_page;
        if next <= block.page(self.ivf.geometry()) {
            return Err(Error::corrupted(META_BLOCK, "metapage counts too few pages"));
        }
        Ok(next)
    }

    /// Hands what is open on to the next block of the page, if block `no` is full.
    fn carry_on(&self, body: &mut [u8], no: BlockNo) -> Result<()> {
        let geometry = self.ivf.geometry();
        let mut block = BlockMut::open(body, no, self.list.id(), geometry)?;
        let (open, next) = (block.as_ref().open(), block.as_ref().next());
        let same_page = |next: &BlockNo| next.page(geometry) == no.page(geometry);
        let full = block.as_ref().vacant().is_none();
        if let (Some(open), Some(next), true) = (open, next.filter(same_page), full) {
            block.set_open(None);
            let mut next = BlockMut::open(body, next, self.list.id(), geometry)?;
            next.set_open(Some(open));
        }
        Ok(())
    }

    /// Gives the list the blocks of a page, or some of them, behind the `last`. The row is not
    /// inserted yet.
    fn extend(&self, last: BlockNo) -> Result<bool> {
        let geometry = self.ivf.geometry();
        let (list, first) = (self.list.id(), self.list.first);
        let mut batch = self.store.batch();
        let mut meta = Meta::decode(batch.page(META_BLOCK)?)?;
        if meta.reorganized.epoch != self.ivf.meta().reorganized.epoch {
            return Ok(false);
        }
        let mut pages = [first.page(geometry), last.page(geometry), free::page_of_next(&meta)];
        pages.sort_unstable();
        for page in pages.into_iter().filter(|&page| page < meta.next_page) {
            batch.page(page)?;
        }
        let mut tail = BlockMut::open(batch.page(last.page(geometry))?, last, list, geometry)?;
        if tail.as_ref().next().is_some() || tail.as_ref().vacant().is_some() {
            return Ok(false);
        }
        // What is open in a closed block is known to whoever closed it.
        let open = tail.as_ref().open().filter(|_| !tail.as_ref().closed());
        if open.is_some() {
            tail.set_open(None);
        }
        meta.reorganized.added_to_closed =
            meta.reorganized.added_to_closed.wrapping_add(tail.as_ref().closed().into());
        let added = free::take(&mut batch, &mut meta, geometry.blocks_per_page())?;
        for (i, &no) in added.iter().enumerate() {
            let body = batch.page(no.page(geometry))?;
            let mut block = BlockMut::create(body, no, list, added.get(i + 1).copied(), geometry);
            block.set_open(open.filter(|_| i == 0));
        }
        let mut tail = BlockMut::open(batch.page(last.page(geometry))?, last, list, geometry)?;
        tail.set_next(added.first().copied());
        let body = batch.page(first.page(geometry))?;
        BlockMut::open(body, first, list, geometry)?.set_room(added.first().copied());
        meta.encode(batch.page(META_BLOCK)?);
        batch.commit()?;
        Ok(false)
    }
}
