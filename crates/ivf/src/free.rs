//! Blocks that belong to no list.
//!
//! They are a chain from the metapage. Blocks of one page mostly follow each other in it, so that
//! what is taken together lies together.

use pages::{Batch, Error, META_BLOCK, Result};

use crate::block::{Block, BlockMut, FREE, init_blocks};
use crate::geometry::BlockNo;
use crate::meta::Meta;

/// The page in which the next blocks lie that [`take`] gives.
pub(crate) fn page_of_next(meta: &Meta) -> u32 {
    meta.reorganized.free.map_or(meta.next_page, |free| free.page(&meta.geometry))
}

/// Takes up to `wanted` blocks, at least one, all of one page: free ones, or those of a new page.
/// They are to be created anew. The caller holds all pages of the batch that come before theirs,
/// and writes `meta`.
pub(crate) fn take<B: Batch>(
    batch: &mut B,
    meta: &mut Meta,
    wanted: usize,
) -> Result<Vec<BlockNo>> {
    let geometry = meta.geometry;
    let page = page_of_next(meta);
    let Some(first) = meta.reorganized.free else {
        let places = 0..geometry.blocks_per_page();
        let mut all =
            places.map(|place| BlockNo::at(page, place, &geometry)).collect::<Result<Vec<_>>>()?;
        let rest = all.split_off(wanted.min(all.len()));
        let body = batch.create(page)?;
        init_blocks(body, page);
        for (i, &no) in rest.iter().enumerate() {
            BlockMut::create(body, no, FREE, rest.get(i + 1).copied(), &geometry);
        }
        let full = Error::Limit("the index has too many pages");
        meta.next_page = page.checked_add(1).ok_or(full)?;
        meta.reorganized.free = rest.first().copied();
        return Ok(all);
    };
    let body = batch.page(page)?;
    let (mut taken, mut next) = (Vec::new(), Some(first));
    while let Some(no) = next.filter(|no| no.page(&geometry) == page && taken.len() < wanted) {
        if taken.contains(&no) {
            return Err(Error::corrupted(META_BLOCK, "chain of free blocks leads back"));
        }
        taken.push(no);
        next = Block::read(body, no, FREE, &geometry)?.next();
    }
    meta.reorganized.free = next;
    Ok(taken)
}

/// Frees block `no`, which belongs to nobody else, in the body of its page.
pub(crate) fn give(body: &mut [u8], meta: &mut Meta, no: BlockNo) {
    BlockMut::create(body, no, FREE, meta.reorganized.free, &meta.geometry);
    meta.reorganized.free = Some(no);
}
