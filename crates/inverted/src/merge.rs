//! Merging segments into one, without their dead documents.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use memory::Grow;
use pages::{Batch, Coordination, HeapTid, META_BLOCK, Result};

use crate::allocate::{MERGE, Taker, VACUUM, reclaim, recover};
use crate::dictionary::{Entry, Terms};
use crate::fields::prefix;
use crate::meta::{Meta, Options};
use crate::pick::pick_small;
use crate::postings::{Block, Postings};
use crate::publish::Change;
use crate::segment::{Reader, SegmentInfo, Writer};
use crate::write::damaged;

/// Merges a few small segments if there are too many of about the same size, unless another is at it.
pub(crate) fn merge_small<S: Coordination>(store: &S, seen: &Meta) -> Result<()> {
    // Claims may be those of a holder that has failed.
    if is_claimed(seen, VACUUM)
        && let Some(_lock) = store.try_lock(VACUUM as u32)?
    {
        recover(store, VACUUM)?;
    }
    if !is_claimed(seen, MERGE) && pick_small(seen).is_empty() {
        return Ok(());
    }
    let Some(_lock) = store.try_lock(MERGE as u32)? else { return Ok(()) };
    recover(store, MERGE)?;
    reclaim(store)?;
    let ids = claim(store, MERGE, pick_small)?;
    if ids.is_empty() { Ok(()) } else { merge(store, MERGE, &ids, &mut |_| false) }
}

/// Whether the holder of `lock`, or one that has failed, has claimed a segment.
pub(crate) fn is_claimed(meta: &Meta, lock: usize) -> bool {
    meta.segments.iter().any(|listed| listed.claim == Some(lock))
}

/// Claims the segments that `pick` chooses, for the holder of `lock`.
pub(crate) fn claim<S: Coordination>(
    store: &S,
    lock: usize,
    pick: impl FnOnce(&Meta) -> Vec<u64>,
) -> Result<Vec<u64>> {
    let mut batch = store.batch();
    let mut meta = Meta::decode(batch.page(META_BLOCK)?)?;
    let ids = pick(&meta);
    for listed in &mut meta.segments {
        if ids.contains(&listed.info.id) {
            listed.claim = Some(lock);
        }
    }
    meta.encode(batch.page(META_BLOCK)?);
    batch.commit()?;
    Ok(ids)
}

/// Stands for the ordinal of a document that is left out.
const DEAD: u32 = u32::MAX;

/// A segment that is merged.
struct Input<'r, 's, S: Coordination> {
    reader: &'r Reader<'s, S>,
    /// For each document its ordinal in the new segment, or [`DEAD`].
    ordinals: Vec<u32>,
    terms: Terms<'r, 's, S>,
    /// What the segment knows of its term that is next.
    entry: Option<Entry>,
}

/// The term of a segment that is next. Orders by the term, then by the segment.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Next {
    /// The first bytes of the term: comparing these is mostly enough.
    prefix: u64,
    term: Vec<u8>,
    input: usize,
}

impl<S: Coordination> Input<'_, '_, S> {
    /// Moves to the next term, which replaces that of `next`. False if there is none.
    fn advance(&mut self, next: &mut Next) -> Result<bool> {
        let Some((term, entry)) = self.terms.next()? else { return Ok(false) };
        self.entry = Some(entry);
        next.term.clear();
        next.term.extend_from_slice(term);
        next.prefix = prefix(term);
        Ok(true)
    }
}

/// Puts a new segment in the place of those with these ids, without the documents that are dead or that
/// `is_dead` tells. The caller holds `lock`, and has claimed the segments.
pub(crate) fn merge<S: Coordination>(
    store: &S,
    lock: usize,
    ids: &[u64],
    is_dead: &mut dyn FnMut(HeapTid) -> bool,
) -> Result<()> {
    let mut meta = Meta::read(store)?;
    let options = meta.options;
    let mut infos: Vec<SegmentInfo> = Vec::with_capacity(ids.len());
    for &id in ids {
        infos.push(meta.segment_mut(id)?.info);
    }
    let mut taker = Taker::new(store, lock)?;
    let id = taker.segment();
    let mut writer = Writer::new(&mut taker, options.scoring, options.positions, id);
    let readers: Vec<Reader<'_, S>> = infos
        .iter()
        .map(|info| Reader::open(store, info, options.scoring))
        .collect::<Result<_>>()?;
    let (mut inputs, mut documents) = (Vec::with_capacity(readers.len()), 0u32);
    for reader in &readers {
        let ordinals = copy_documents(reader, &mut writer, &mut documents, is_dead)?;
        inputs.push(Input { reader, ordinals, terms: reader.terms(), entry: None });
    }
    let mut change = Change { lock, remove: ids, ..Change::default() };
    if documents > 0 {
        copy_terms(&mut inputs, &mut writer, options)?;
        let info = writer.finish()?;
        change.add = Some((info, taker.finish()?));
    }
    change.publish(store)
}

/// Adds the living documents of a segment to the new one. Returns the new ordinals of all.
fn copy_documents<S: Coordination>(
    reader: &Reader<'_, S>,
    writer: &mut Writer<'_>,
    documents: &mut u32,
    is_dead: &mut dyn FnMut(HeapTid) -> bool,
) -> Result<Vec<u32>> {
    let mut ordinals = memory::with_room(reader.info().documents as usize)?;
    for group in 0..reader.groups() {
        let group = reader.documents(group)?;
        for (i, (&tid, &length)) in group.tids.iter().zip(&group.lengths).enumerate() {
            let dead = group.is_dead(i) || is_dead(tid);
            ordinals.try_push(if dead { DEAD } else { writer.document(tid, length)? })?;
            *documents += u32::from(!dead);
        }
    }
    Ok(ordinals)
}

fn copy_terms<S: Coordination>(
    inputs: &mut [Input<'_, '_, S>],
    writer: &mut Writer<'_>,
    options: Options,
) -> Result<()> {
    let mut heap = BinaryHeap::with_capacity(inputs.len());
    for (i, input) in inputs.iter_mut().enumerate() {
        let mut next = Next { prefix: 0, term: Vec::new(), input: i };
        if input.advance(&mut next)? {
            heap.push(Reverse(next));
        }
    }
    let (mut last, mut positions, mut block) = (None, Vec::new(), Box::new(Block::new()));
    while let Some(Reverse(mut next)) = heap.pop() {
        if last.as_ref() != Some(&next.term) {
            writer.term(&next.term)?;
            last.get_or_insert_with(Vec::new).clone_from(&next.term);
        }
        // Ordinals of an input are below those of the next.
        let Some(input) = inputs.get_mut(next.input) else { continue };
        if let Some(entry) = input.entry.take() {
            block = copy_postings(input, &entry, block, writer, options, &mut positions)?;
        }
        if input.advance(&mut next)? {
            heap.push(Reverse(next));
        }
    }
    Ok(())
}

/// Passes the postings of living documents on. `block` is memory that is returned for the next.
fn copy_postings<S: Coordination>(
    input: &Input<'_, '_, S>,
    entry: &Entry,
    block: Box<Block>,
    writer: &mut Writer<'_>,
    options: Options,
    positions: &mut Vec<u32>,
) -> Result<Box<Block>> {
    let mut postings = Postings::in_block(input.reader, entry, block)?;
    let damaged = damaged(entry.block());
    while let Some(ordinal) = postings.ordinal() {
        let new = input.ordinals.get(ordinal as usize).copied().unwrap_or(DEAD);
        if new != DEAD {
            if options.positions {
                postings.positions(positions)?;
            }
            writer.posting(new, postings.value(), positions).map_err(&damaged)?;
        }
        postings.advance()?;
    }
    Ok(postings.into_block())
}
