//! Copying documents and postings of segments that are merged.

use memory::Grow;
use pages::{Coordination, HeapTid, Result};

use crate::bytes::Bytes;
use crate::dictionary::{Entry, Stored, Terms};
use crate::fields::prefix;
use crate::meta::Options;
use crate::postings::{Block, Postings, Recycled, decode_inline};
use crate::segment::{Reader, Writer};
use crate::write::damaged;

/// Stands for the ordinal of a document that is left out.
const DEAD: u32 = u32::MAX;

/// A segment that is merged, at the next of its terms.
pub(super) struct Input<'r, 's, S: Coordination> {
    reader: &'r Reader<'s, S>,
    /// For each document its ordinal in the new segment, or [`DEAD`].
    ordinals: Vec<u32>,
    terms: Terms<'r, 's, S>,
    /// The first bytes of the term: comparing these is mostly enough.
    prefix: u64,
    term: Vec<u8>,
    /// What the segment knows of it.
    entry: Entry,
    recycled: Option<Recycled>,
}

impl<'r, 's, S: Coordination> Input<'r, 's, S> {
    /// At the first term, or the first after another. None if there is none.
    pub fn new(
        reader: &'r Reader<'s, S>,
        ordinals: Vec<u32>,
        after: Option<&[u8]>,
    ) -> Result<Option<Self>> {
        let mut terms = match after {
            Some(after) => reader.terms_near(after)?,
            None => reader.terms(),
        };
        let next = match after {
            Some(after) => terms.next_after(after)?,
            None => terms.next()?,
        };
        let Some((term, entry)) = next else { return Ok(None) };
        let (prefix, term) = (prefix(term), memory::copied(term)?);
        Ok(Some(Self { reader, ordinals, terms, prefix, term, entry, recycled: None }))
    }

    /// Moves to the next term. False if there is none.
    fn advance(&mut self) -> Result<bool> {
        let Some((term, entry)) = self.terms.next()? else { return Ok(false) };
        self.entry = entry;
        self.prefix = prefix(term);
        self.term.clear();
        self.term.extend_from_slice(term);
        Ok(true)
    }

    fn key(&self) -> (u64, &[u8]) {
        (self.prefix, &self.term)
    }
}

/// Memory that is used again.
pub(super) struct Memory {
    block: Block,
    positions: Vec<u32>,
}

impl Memory {
    pub fn new() -> Self {
        Self { block: Block::new(), positions: Vec::new() }
    }
}

/// Adds the living documents of a segment to the new one. Returns the new ordinals of all.
pub(super) fn copy_documents<S: Coordination>(
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

/// Copies terms until the new segment has `end` pages. Whether these are all.
pub(super) fn copy_terms<S: Coordination>(
    inputs: &mut Vec<Input<'_, '_, S>>,
    writer: &mut Writer<'_>,
    options: Options,
    end: u32,
    memory: &mut Memory,
) -> Result<bool> {
    let (mut term, mut ended) = (Vec::new(), false);
    // Few segments are merged at a time: looking at all is faster than keeping them in order.
    while let Some(least) = inputs.iter().map(Input::key).min() {
        if writer.pages() >= end {
            return Ok(false);
        }
        let prefix = least.0;
        term.clear();
        term.extend_from_slice(least.1);
        writer.term(&term)?;
        // Ordinals of an input are below those of the next.
        for input in inputs.iter_mut().filter(|input| input.key() == (prefix, &term)) {
            copy_postings(input, writer, options, memory)?;
            if !input.advance()? {
                // Above all terms, which are no longer than that.
                (input.prefix, ended) = (u64::MAX, true);
                input.term = vec![u8::MAX; crate::MAX_TERM + 1];
            }
        }
        if ended {
            inputs.retain(|input| input.term.len() <= crate::MAX_TERM);
            ended = false;
        }
    }
    Ok(true)
}

/// Passes the postings of the term of an input on, those of living documents.
fn copy_postings<S: Coordination>(
    input: &mut Input<'_, '_, S>,
    writer: &mut Writer<'_>,
    options: Options,
    memory: &mut Memory,
) -> Result<()> {
    if let Stored::Inline(bytes) = &input.entry.stored {
        return copy_inline(input, bytes, writer, options, memory);
    }
    let damaged = damaged(input.entry.block());
    let recycled = input.recycled.take().unwrap_or_default();
    let mut postings = Postings::recycling(input.reader, &input.entry, recycled)?;
    while let Some(ordinal) = postings.ordinal() {
        let new = input.ordinals.get(ordinal as usize).copied().unwrap_or(DEAD);
        if new != DEAD {
            if options.positions {
                postings.positions(&mut memory.positions)?;
            }
            writer.posting(new, postings.value(), &memory.positions).map_err(&damaged)?;
        }
        postings.advance()?;
    }
    input.recycled = Some(postings.recycle());
    Ok(())
}

/// The same for postings that are in the dictionary, as those of most terms are.
fn copy_inline<S: Coordination>(
    input: &Input<'_, '_, S>,
    bytes: &[u8],
    writer: &mut Writer<'_>,
    options: Options,
    Memory { block, positions }: &mut Memory,
) -> Result<()> {
    let (info, entry, leaf) = (input.reader.info(), &input.entry, input.entry.block());
    decode_inline(bytes, entry.count, options.scoring, info.documents, leaf, block)?;
    let at = usize::from(block.positions.offset);
    let mut rest = Bytes::new(bytes.get(at..).unwrap_or(&[]), leaf);
    for (&ordinal, &value) in block.ordinals().iter().zip(block.values()) {
        positions.clear();
        if options.positions {
            let mut position = 0u32;
            for _ in 0..value {
                position = position.wrapping_add(rest.varint()?);
                positions.try_push(position)?;
            }
        }
        let new = input.ordinals.get(ordinal as usize).copied().unwrap_or(DEAD);
        if new != DEAD {
            writer.posting(new, value, positions).map_err(damaged(leaf))?;
        }
    }
    Ok(())
}
