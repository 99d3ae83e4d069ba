//! Freeing the blocks of lists that are no more, and of those that a crash left half made.

use pages::{Batch, Error, META_BLOCK, PageStore, Result};

use crate::block::{Block, FREE, ROOT};
use crate::free;
use crate::geometry::BlockNo;
use crate::meta::{MAX_RETIRED, Meta};

/// Frees what the metapage remembers, a page a batch.
pub(crate) fn reclaim<S: PageStore>(store: &S) -> Result<()> {
    while free_page(store, |meta| &mut meta.reorganized.taken, |block| block.taken_before())? {
        store.pause()?;
    }
    for i in 0..MAX_RETIRED {
        while free_page(store, |meta| &mut meta.reorganized.retired[i], |block| block.next())? {
            store.pause()?;
        }
    }
    Ok(())
}

/// Frees the first blocks of the chain at `place`, as far as they lie in one page. Returns false
/// where there is no chain.
fn free_page<S: PageStore>(
    store: &S,
    place: impl Fn(&mut Meta) -> &mut Option<BlockNo>,
    next: fn(&Block<'_>) -> Option<BlockNo>,
) -> Result<bool> {
    let mut batch = store.batch();
    let mut meta = Meta::decode(batch.page(META_BLOCK)?)?;
    let geometry = meta.geometry;
    let Some(page) = place(&mut meta).map(|first| first.page(&geometry)) else { return Ok(false) };
    let body = batch.page(page)?;
    while let Some(no) = place(&mut meta).filter(|no| no.page(&geometry) == page) {
        let block = Block::read_any(body, no, &geometry)?;
        if matches!(block.list(), FREE | ROOT) {
            return Err(Error::corrupted(page, "block is to be freed and is none of a list"));
        }
        *place(&mut meta) = next(&block);
        free::give(body, &mut meta, no);
    }
    meta.encode(batch.page(META_BLOCK)?);
    batch.commit()?;
    Ok(true)
}
