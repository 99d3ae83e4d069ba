//! Adding a document.

use pages::{Batch, Coordination, Error, META_BLOCK, Result};

use crate::allocate::FLUSH;
use crate::buffer::{self, Appended, Part, Parts, encode};
use crate::document::Document;
use crate::flush::{FLUSH_AT, flush_if_free};
use crate::meta::{Front, MAX_BUFFER, Meta};
use crate::{flush, large, merge, room};

/// Adds a document, which searches that begin later find. It goes to the write buffer; some inserts
/// write the buffer into a segment, or merge small segments, which takes milliseconds.
///
/// # Errors
/// Those of the store, [`Error::Corrupted`], and [`Error::Internal`] for a document that breaks the rules
/// of [`Document`].
pub fn insert<S: Coordination>(store: &S, document: &Document) -> Result<()> {
    let mut front = Front::read(store)?;
    let parts = match encode(document, front.options)? {
        Parts::Buffered(parts) => parts,
        Parts::Large => return large::insert(store, document),
    };
    loop {
        if let ([part], Some((block, sequence))) = (&parts[..], front.tail) {
            match append(store, block, sequence, part)? {
                Appended::Done => return Ok(()),
                Appended::Full => {}
                Appended::Gone => {
                    let now = Front::read(store)?;
                    if now.tail == front.tail {
                        let what = "last page of the write buffer has another number";
                        return Err(Error::corrupted(block, what));
                    }
                    front = now;
                    continue;
                }
            }
        }
        if front.buffer + parts.len() > MAX_BUFFER {
            write_out(store, parts.len())?;
            front = Front::read(store)?;
            continue;
        }
        let Some(now) = add_pages(store, &front, &parts)? else {
            front = Front::read(store)?;
            continue;
        };
        return maintain(store, &now);
    }
}

/// Writes the buffer out so that it takes so many pages more, unless others are writing it out: then
/// waits for them.
fn write_out<S: Coordination>(store: &S, pages: usize) -> Result<()> {
    room::ensure(store)?;
    let lock = store.lock(FLUSH as u32)?;
    if Front::read(store)?.buffer + pages > MAX_BUFFER {
        flush::flush(store, &mut |_| false)?;
    }
    drop(lock);
    maintain(store, &Meta::read(store)?)
}

fn append<S: Coordination>(store: &S, block: u32, sequence: u64, part: &Part) -> Result<Appended> {
    let mut batch = store.batch();
    let appended = buffer::append(batch.page(block)?, block, sequence, part)?;
    if appended == Appended::Done {
        batch.commit()?;
    }
    Ok(appended)
}

/// Adds a page for each part, unless others have added some since `seen`. Returns the metapage as it is
/// then.
fn add_pages<S: Coordination>(store: &S, seen: &Front, parts: &[Part]) -> Result<Option<Meta>> {
    let mut batch = store.batch();
    let mut meta = Meta::decode(batch.page(META_BLOCK)?)?;
    if meta.tail() != seen.tail || meta.buffer.len() + parts.len() > MAX_BUFFER {
        return Ok(None);
    }
    let mut blocks = Vec::with_capacity(parts.len());
    for _ in parts {
        blocks.push(meta.spare.pop().map_or_else(|| meta.extend(), Ok)?);
    }
    blocks.sort_unstable();
    if let Some(pair) = blocks.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Error::corrupted(pair[0], "page is kept for the write buffer twice"));
    }
    for (&block, part) in blocks.iter().zip(parts) {
        let sequence = meta.first_sequence + meta.buffer.len() as u64;
        let body = batch.create(block)?;
        buffer::init(body, block, sequence);
        if buffer::append(body, block, sequence, part)? != Appended::Done {
            return Err(Error::Internal("part of a document does not fit a page".to_owned()));
        }
        meta.buffer.push(block);
    }
    meta.encode(batch.page(META_BLOCK)?);
    batch.commit()?;
    Ok(Some(meta))
}

/// Now and then, does a bounded part of the work that keeps searches fast.
pub(crate) fn maintain<S: Coordination>(store: &S, meta: &Meta) -> Result<()> {
    if meta.buffer.len() >= FLUSH_AT {
        room::ensure(store)?;
        flush_if_free(store)
    } else {
        merge::merge_small(store, meta, merge::PART)
    }
}
