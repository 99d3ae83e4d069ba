//! Records that come and go.

use pages::{Batch, Error, META_BLOCK, PageKind, PageStore, Result, init_page};

use crate::Hnsw;
use crate::format::{Geometry, Meta, NodeNo, RecordMut, State};

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

    /// Locks the pages of the record and of `others` in block order; a page never used before is
    /// made.
    pub(crate) fn lock<B: Batch>(&self, batch: &mut B, others: &[NodeNo]) -> Result<()> {
        let geometry = &self.meta.geometry;
        let own = self.node.block(geometry);
        for block in blocks(geometry, others.iter().chain([&self.node])) {
            if block == own && self.fresh && self.node.place(geometry) == 0 {
                init_page(batch.create(block)?, PageKind::Records, block);
            } else {
                batch.page(block)?;
            }
        }
        Ok(())
    }

    /// Ends the life of a record, whose page is locked, and writes the metapage: the record is the
    /// next to be allocated.
    pub(crate) fn give_back<B: Batch>(&mut self, batch: &mut B, node: NodeNo) -> Result<()> {
        let geometry = self.meta.geometry;
        open(batch, node, &geometry)?.write_free(self.meta.free);
        self.meta.free = Some(node);
        self.meta.encode(batch.page(META_BLOCK)?);
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

/// A walk along a chain of records, which a damaged page may have made endless.
#[derive(Debug)]
pub(crate) struct Chain {
    geometry: Geometry,
    /// No chain has more records than the index.
    left: u64,
}

impl Chain {
    pub(crate) fn new<S: PageStore>(store: &S, hnsw: &Hnsw) -> Result<Self> {
        let geometry = *hnsw.geometry();
        let left = u64::from(store.blocks()?) * geometry.records_per_page as u64;
        Ok(Self { geometry, left })
    }

    /// Counts a step to `node`.
    pub(crate) fn step(&mut self, node: NodeNo) -> Result<()> {
        let endless = Error::corrupted(node.block(&self.geometry), "chain of records is endless");
        self.left = self.left.checked_sub(1).ok_or(endless)?;
        Ok(())
    }
}

/// Locks the pages of records in block order.
pub(crate) fn lock_in_order<B: Batch>(
    batch: &mut B,
    geometry: &Geometry,
    nodes: &[NodeNo],
) -> Result<()> {
    for block in blocks(geometry, nodes) {
        batch.page(block)?;
    }
    Ok(())
}

/// The blocks of records, in order.
fn blocks<'a>(geometry: &Geometry, nodes: impl IntoIterator<Item = &'a NodeNo>) -> Vec<u32> {
    let mut blocks: Vec<u32> = nodes.into_iter().map(|node| node.block(geometry)).collect();
    blocks.sort_unstable();
    blocks.dedup();
    blocks
}
