//! Chains of blocks in the making: no reader knows of them yet.

use kernels::BLOCK;
use memory::Grow;
use pages::{Batch, META_BLOCK, PageStore, Result};

use crate::block::{BlockMut, Entry, Sketch};
use crate::free;
use crate::geometry::{BlockNo, VectorNo};
use crate::index::Ivf;
use crate::meta::Meta;
use crate::radius::Radius;
use crate::vector::Stored;

/// What becomes an entry.
enum Member {
    Row(Entry, Sketch),
    /// A place that a later row may take.
    Vacant(VectorNo),
}

/// Blocks of one list, written from the last to the first.
///
/// Each is remembered in the metapage until the chain is published, so that a crash loses none.
pub(crate) struct Chain {
    /// The list that its blocks belong to.
    list: u32,
    centroid: Vec<f32>,
    /// The centroid as codes are made about it.
    owner: Vec<f32>,
    first: Option<BlockNo>,
    rows: u64,
    radius: Radius,
    waiting: Vec<Member>,
}

impl Chain {
    /// An empty chain of blocks of `list` about its `centroid`.
    pub(crate) fn new(ivf: &Ivf, list: VectorNo, centroid: Vec<f32>) -> Self {
        let owner = ivf.rotated(&centroid);
        Self {
            list: list.0,
            centroid,
            owner,
            first: None,
            rows: 0,
            radius: Radius::NONE,
            waiting: Vec::new(),
        }
    }

    pub(crate) fn list(&self) -> VectorNo {
        VectorNo(self.list)
    }

    pub(crate) fn centroid(&self) -> &[f32] {
        &self.centroid
    }

    pub(crate) fn first(&self) -> Option<BlockNo> {
        self.first
    }

    /// How far they reach from the centroid.
    pub(crate) fn radius(&self) -> Radius {
        self.radius
    }

    /// Rows that were added.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds the row of `entry`, whose vector is `stored` and, as lists are made of it, `placed` (see
    /// [`Ivf::place`]).
    ///
    /// # Errors
    /// [`pages::Error::OutOfMemory`].
    pub(crate) fn push(
        &mut self,
        ivf: &Ivf,
        entry: Entry,
        stored: &Stored<'_>,
        placed: &[f32],
    ) -> Result<()> {
        self.radius = self.radius.max(Radius::of_row(ivf, stored, placed, &self.centroid));
        let error = stored.placed_error(ivf.metric());
        let sketch = ivf.sketch((&self.centroid, &self.owner), placed, error);
        self.waiting.try_push(Member::Row(entry, sketch))?;
        self.rows += 1;
        Ok(())
    }

    /// Adds a place for the vector of a later row.
    ///
    /// # Errors
    /// [`pages::Error::OutOfMemory`].
    pub(crate) fn push_vacant(&mut self, vector: VectorNo) -> Result<()> {
        Ok(self.waiting.try_push(Member::Vacant(vector))?)
    }

    /// Writes what was added; of less than a page only where `all` is to be written.
    pub(crate) fn flush<S: PageStore>(&mut self, store: &S, ivf: &Ivf, all: bool) -> Result<()> {
        let page = ivf.geometry().blocks_per_page() * BLOCK;
        while self.waiting.len() >= if all { 1 } else { page } {
            store.pause()?;
            self.write(store, ivf)?;
        }
        Ok(())
    }

    /// Writes as many blocks as there are in one page. Only the first of the chain is not full.
    fn write<S: PageStore>(&mut self, store: &S, ivf: &Ivf) -> Result<()> {
        let geometry = ivf.geometry();
        let mut batch = store.batch();
        let mut meta = Meta::decode(batch.page(META_BLOCK)?)?;
        let wanted = self.waiting.len().div_ceil(BLOCK).min(geometry.blocks_per_page());
        let taken = free::take(&mut batch, &mut meta, wanted)?;
        let count = self.waiting.len().min(taken.len() * BLOCK);
        let mut first = self.first;
        for (&no, members) in taken.iter().rev().zip(self.waiting[..count].rchunks(BLOCK)) {
            let body = batch.page(no.page(geometry))?;
            let mut block = BlockMut::create(body, no, self.list, first, geometry);
            block.set_taken_before(meta.reorganized.taken.replace(no));
            for (i, member) in members.iter().enumerate() {
                match member {
                    Member::Row(entry, sketch) => block.set_entry(i, *entry, sketch),
                    Member::Vacant(vector) => block.set_vacated(i, *vector),
                }
            }
            first = Some(no);
        }
        meta.encode(batch.page(META_BLOCK)?);
        batch.commit()?;
        self.first = first;
        self.waiting.drain(..count);
        Ok(())
    }
}
