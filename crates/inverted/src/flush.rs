//! Writing the buffer into a segment.

use pages::{Batch, Coordination, HeapTid, Result};

use crate::allocate::{FLUSH, Taker, reclaim};
use crate::buffer::{self, Page};
use crate::gather::Gathered;
use crate::meta::{Front, Meta, Options};
use crate::publish::Change;
use crate::room::is_full;
use crate::score::Scoring;
use crate::write::{damaged, write_segment};

/// Pages of the buffer that are written into a segment: a search reads all of them.
pub(crate) const FLUSH_AT: usize = 32;

/// Writes the buffer into a segment if it is large, unless another is at it.
pub(crate) fn flush_if_free<S: Coordination>(store: &S) -> Result<()> {
    let Some(_lock) = store.try_lock(FLUSH as u32)? else { return Ok(()) };
    // Another may have been faster.
    if Front::read(store)?.buffer >= FLUSH_AT {
        flush(store, &mut |_| false)?;
    }
    Ok(())
}

/// Writes the documents that are in the buffer now into a segment, but those that `is_dead` tells. False
/// if the directory has no room for it, see [`crate::room`]. The caller holds the lock [`FLUSH`].
pub(crate) fn flush<S: Coordination>(
    store: &S,
    is_dead: &mut dyn FnMut(HeapTid) -> bool,
) -> Result<bool> {
    reclaim(store)?;
    let meta = Meta::read(store)?;
    if is_full(&meta) || meta.buffer.is_empty() {
        return Ok(meta.buffer.is_empty());
    }
    for (sequence, &block) in (meta.first_sequence..).zip(&meta.buffer) {
        seal(store, block, sequence)?;
    }
    let gathered = gather(store, &meta, is_dead)?;
    let mut change = Change { lock: FLUSH, flushed: meta.buffer.len(), ..Change::default() };
    if !gathered.documents().is_empty() {
        let taker = Taker::new(store, FLUSH)?;
        let segment = write_segment(taker, meta.options, &gathered);
        change.add = Some(segment.map_err(damaged(meta.buffer.first().copied().unwrap_or(0)))?);
    }
    change.publish(store)?;
    Ok(true)
}

/// Has no more documents come to a page.
fn seal<S: Coordination>(store: &S, block: u32, sequence: u64) -> Result<()> {
    store.stop_if_asked()?;
    let mut batch = store.batch();
    buffer::seal(batch.page(block)?, block, sequence)?;
    batch.commit()
}

fn gather<S: Coordination>(
    store: &S,
    meta: &Meta,
    is_dead: &mut dyn FnMut(HeapTid) -> bool,
) -> Result<Gathered> {
    let mut gathered = Gathered::default();
    let mut dead = false;
    for (sequence, &block) in (meta.first_sequence..).zip(&meta.buffer) {
        store.stop_if_asked()?;
        let body = store.read(block)?;
        let Some(page) = Page::open(&body, block, sequence)? else {
            let what = "page of the write buffer has another number";
            return Err(pages::Error::corrupted(block, what));
        };
        gather_page(page, meta.options, &mut dead, is_dead, &mut gathered)?;
    }
    Ok(gathered)
}

/// `dead` tells whether the document that goes on from the page before is.
fn gather_page(
    page: Page<'_>,
    options: Options,
    dead: &mut bool,
    is_dead: &mut dyn FnMut(HeapTid) -> bool,
    gathered: &mut Gathered,
) -> Result<()> {
    for part in page.parts() {
        let part = part?;
        if !part.is_continued() {
            *dead = is_dead(part.tid());
            if !*dead {
                gathered.begin(part.tid(), part.length())?;
            }
        }
        if *dead {
            continue;
        }
        for (&hash, of) in part.hashes.iter().zip(part.terms(options)) {
            let of = of?;
            let dimension = u32::from_le_bytes(hash).to_be_bytes();
            let term = match options.scoring {
                Scoring::InnerProduct => &dimension,
                Scoring::Bm25 { .. } => of.term,
            };
            gathered.posting(term, of.value, of.positions)?;
        }
    }
    Ok(())
}
