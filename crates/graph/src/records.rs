//! Records that come and go: allocation, and heap tids beyond the first few of an element.

use pages::{
    Batch, Error, Geometry, HeapTid, META_BLOCK, Meta, NodeNo, PageKind, PageStore, RecordMut,
    Result, State, init_page,
};

use crate::Hnsw;

/// Opens a record of a page that the batch holds or locks now.
pub(crate) fn open<'a, B: Batch>(
    batch: &'a mut B,
    node: NodeNo,
    geometry: &'a Geometry,
) -> Result<RecordMut<'a>> {
    let block = node.block(geometry);
    RecordMut::open(batch.page(block)?, block, node.place(geometry), geometry)
}

/// A record taken from the free ones while the metapage is locked.
///
/// The order of locks is that of blocks, so the metapage comes first: it tells which record it
/// will be, the caller then locks all pages of its batch in order, and [`Allocation::take`] makes
/// the record the caller's.
#[derive(Debug)]
pub(crate) struct Allocation {
    pub(crate) node: NodeNo,
    fresh: bool,
    meta: Meta,
}

impl Allocation {
    /// Locks the metapage and chooses a record.
    pub(crate) fn begin<B: Batch>(batch: &mut B) -> Result<Self> {
        let meta = Meta::decode(batch.page(META_BLOCK)?)?;
        let (node, fresh) = match meta.free {
            Some(free) => (free, false),
            None => (meta.next, true),
        };
        Ok(Self { node, fresh, meta })
    }

    /// The metapage as locked; what the caller changes here, [`Allocation::take`] writes.
    pub(crate) fn meta(&mut self) -> &mut Meta {
        &mut self.meta
    }

    /// Locks the record's page; a page never used before is made.
    pub(crate) fn lock<B: Batch>(&self, batch: &mut B) -> Result<()> {
        let geometry = &self.meta.geometry;
        let block = self.node.block(geometry);
        if self.fresh && self.node.place(geometry) == 0 {
            init_page(batch.create(block)?, PageKind::Records);
        } else {
            batch.page(block)?;
        }
        Ok(())
    }

    /// Takes the record out of the free ones and writes the metapage.
    pub(crate) fn take<B: Batch>(mut self, batch: &mut B) -> Result<()> {
        let geometry = self.meta.geometry;
        let block = self.node.block(&geometry);
        let record = open(batch, self.node, &geometry)?;
        if record.as_ref().state() != State::Free {
            return Err(Error::corrupted(block, "a record in use is listed as free"));
        }
        if self.fresh {
            let next = u64::from(self.node.0) + 1;
            let per_page = geometry.records_per_page as u64;
            let place = (next % per_page) as usize;
            let block =
                u32::try_from(next / per_page).map_err(|_| Error::Limit("index is full"))?;
            self.meta.next = NodeNo::at(block, place, &geometry)?;
        } else {
            self.meta.free = record.as_ref().link();
        }
        self.meta.encode(batch.page(META_BLOCK)?);
        Ok(())
    }
}

/// Adds a row to an element that has the same vector. False where the element is gone.
pub(crate) fn add_tid<S: PageStore>(
    store: &S,
    hnsw: &Hnsw,
    node: NodeNo,
    version: u32,
    error: f32,
    tid: HeapTid,
) -> Result<bool> {
    let geometry = hnsw.geometry();
    let mut batch = store.batch();
    let mut record = open(&mut batch, node, geometry)?;
    if record.as_ref().state() != State::Live || record.as_ref().version() != version {
        return Ok(false);
    }
    record.raise_error(error);
    if record.push_tid(tid) {
        batch.commit()?;
        return Ok(true);
    }
    let head = record.as_ref().link();
    drop(batch);
    if let Some(head) = head
        && add_to_overflow(store, hnsw, node, version, error, head, tid)?
    {
        return Ok(true);
    }
    add_overflow(store, hnsw, node, version, error, tid)
}

/// Adds a row to the first overflow record; false where it is full or no longer the first.
fn add_to_overflow<S: PageStore>(
    store: &S,
    hnsw: &Hnsw,
    node: NodeNo,
    version: u32,
    error: f32,
    head: NodeNo,
    tid: HeapTid,
) -> Result<bool> {
    let geometry = hnsw.geometry();
    let mut batch = store.batch();
    lock_in_order(&mut batch, geometry, &[node, head])?;
    let mut record = open(&mut batch, node, geometry)?;
    let current = record.as_ref();
    let same = current.state() == State::Live && current.version() == version;
    if !same || current.link() != Some(head) {
        return Ok(false);
    }
    record.raise_error(error);
    let mut overflow = open(&mut batch, head, geometry)?;
    if overflow.as_ref().state() != State::Tids || !overflow.push_tid(tid) {
        return Ok(false);
    }
    batch.commit()?;
    Ok(true)
}

/// Puts a new overflow record before the others of an element, with one row.
fn add_overflow<S: PageStore>(
    store: &S,
    hnsw: &Hnsw,
    node: NodeNo,
    version: u32,
    error: f32,
    tid: HeapTid,
) -> Result<bool> {
    let geometry = hnsw.geometry();
    let mut batch = store.batch();
    let allocation = Allocation::begin(&mut batch)?;
    let overflow = allocation.node;
    if node < overflow {
        open(&mut batch, node, geometry)?;
    }
    allocation.lock(&mut batch)?;
    let mut record = open(&mut batch, node, geometry)?;
    let current = record.as_ref();
    if current.state() != State::Live || current.version() != version {
        return Ok(false);
    }
    let next = current.link();
    record.raise_error(error);
    record.set_link(Some(overflow));
    allocation.take(&mut batch)?;
    let mut record = open(&mut batch, overflow, geometry)?;
    record.write_overflow(node, next);
    record.push_tid(tid);
    batch.commit()?;
    Ok(true)
}

/// Locks the pages of records in block order.
pub(crate) fn lock_in_order<B: Batch>(
    batch: &mut B,
    geometry: &Geometry,
    nodes: &[NodeNo],
) -> Result<()> {
    let mut blocks: Vec<u32> = nodes.iter().map(|node| node.block(geometry)).collect();
    blocks.sort_unstable();
    for block in blocks {
        batch.page(block)?;
    }
    Ok(())
}
