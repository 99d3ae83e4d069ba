//! Documents that are too large for the write buffer: each becomes a segment.

use pages::{Coordination, Result};

use crate::allocate::{FIRST_OF_LARGE, Taker};
use crate::document::Document;
use crate::gather::Gathered;
use crate::merge;
use crate::meta::{LOCKS, Meta};
use crate::publish::Change;
use crate::room::{self, is_full};
use crate::write::write_segment;

/// Writes a document as a segment.
pub(crate) fn insert<S: Coordination>(store: &S, document: &Document) -> Result<()> {
    let mut gathered = Gathered::default();
    gathered.document(document)?;
    let options = Meta::read(store)?.options;
    let (lock, held) = loop {
        room::ensure(store)?;
        let (lock, held) = any_lock(store)?;
        if !is_full(&Meta::read(store)?) {
            break (lock, held);
        }
    };
    let taker = Taker::new(store, lock)?;
    let segment = write_segment(taker, options, &gathered)?;
    // Merging all of them takes several times as many pages as writing them.
    let part = merge::PART.max(segment.0.pages.saturating_mul(4));
    let add = Some(segment);
    Change { lock, add, ..Change::default() }.publish(store)?;
    drop(held);
    merge::merge_small(store, &Meta::read(store)?, part)
}

/// A lock that is free, or else the last when it is.
fn any_lock<S: Coordination>(store: &S) -> Result<(usize, S::Lock<'_>)> {
    for lock in FIRST_OF_LARGE..LOCKS {
        if let Some(held) = store.try_lock(lock as u32)? {
            return Ok((lock, held));
        }
    }
    let lock = LOCKS - 1;
    Ok((lock, store.lock(lock as u32)?))
}
