//! Walks a list of postings.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use memory::Grow;
use pages::{PageStore, Result};

use super::positions::Stream;
use super::{Block, Bound, Skips, decode, decode_inline, length_code};
use crate::bytes::Bytes;
use crate::dictionary::{Entry, Stored};
use crate::page::Part;
use crate::segment::Reader;

/// A cursor on the postings of a term in a segment, those of dead documents included.
pub struct Postings<'r, 's, S: PageStore> {
    reader: &'r Reader<'s, S>,
    /// Bytes of postings that are in the dictionary.
    inline: Option<Box<[u8]>>,
    skips: Option<Skips>,
    /// Number of the current block among the loaded skip entries, if it is one.
    current: Option<usize>,
    /// Bound of all postings, unless they are inline.
    bound: Option<Bound>,
    block: Box<Block>,
    /// Number of the current posting in the block.
    at: usize,
    /// Positions, of which those of postings before this number in the block were read.
    stream: Option<(Stream, usize)>,
    /// A stream that was of use before.
    spare: Option<Stream>,
}

/// Memory of a cursor, for the next one in the same segment.
#[derive(Debug)]
pub(crate) struct Recycled {
    block: Box<Block>,
    stream: Option<Stream>,
}

impl Default for Recycled {
    fn default() -> Self {
        Self { block: Box::new(Block::new()), stream: None }
    }
}

impl<S: PageStore> std::fmt::Debug for Postings<'_, '_, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postings").field("current", &self.current).finish_non_exhaustive()
    }
}

impl<'r, 's, S: PageStore> Postings<'r, 's, S> {
    /// On the first posting.
    pub(crate) fn new(reader: &'r Reader<'s, S>, entry: &Entry) -> Result<Self> {
        Self::recycling(reader, entry, Recycled::default())
    }

    /// The same in memory of an earlier cursor, see [`Postings::recycle`].
    pub(crate) fn recycling(
        reader: &'r Reader<'s, S>,
        entry: &Entry,
        Recycled { block, stream: spare }: Recycled,
    ) -> Result<Self> {
        let mut postings = Self {
            reader,
            inline: None,
            skips: None,
            current: None,
            bound: None,
            block,
            at: 0,
            stream: None,
            spare,
        };
        match &entry.stored {
            Stored::Inline(bytes) => {
                let (scoring, documents) = (reader.scoring(), reader.info().documents);
                let block = &mut postings.block;
                decode_inline(bytes, entry.count, scoring, documents, entry.leaf.block, block)?;
                postings.inline = Some(bytes.clone());
            }
            Stored::At(_, bound) => {
                postings.bound = Some(*bound);
                postings.skips = Some(reader.skips(entry)?);
                postings.current = Some(0);
                postings.load()?;
            }
        }
        Ok(postings)
    }

    /// Memory for the next cursor.
    pub(crate) fn recycle(self) -> Recycled {
        let stream = self.stream.map(|(stream, _)| stream).or(self.spare);
        Recycled { block: self.block, stream }
    }

    /// Decodes the current block, if there is one.
    fn load(&mut self) -> Result<()> {
        (self.at, self.block.count) = (0, 0);
        self.spare = self.stream.take().map(|(stream, _)| stream).or(self.spare.take());
        let Some((skips, current)) = self.skips.as_ref().zip(self.current) else { return Ok(()) };
        let Some(&entry) = skips.entries.get(current) else { return Ok(()) };
        let (reader, block) = (self.reader, &mut self.block);
        let documents = entry.last.saturating_add(1);
        reader.source().read(entry.spot.block, Part::Postings, |_, body| {
            let bytes = Bytes::at(body, entry.spot.offset, entry.spot.block)?;
            decode(bytes, reader.scoring(), reader.has_positions(), documents, block)?;
            if skips.is_exact() && block.last() != Some(entry.last) {
                return Err(bytes.error("block of postings ends before its skip entry says"));
            }
            Ok(())
        })
    }

    /// Whether the bounds of the current posting's block, of its group and of the list hold for it, in a
    /// document of `length` tokens.
    pub(crate) fn is_bounded(&self, length: u32) -> bool {
        let (value, code) = (self.value(), length_code(length));
        let blocks = self.skips.iter().zip(self.current);
        blocks
            .flat_map(|(skips, current)| skips.bounds(current))
            .chain(self.bound)
            .all(|bound| bound.covers(value, code))
    }

    /// The ordinal of the current posting, or none after the last.
    #[inline]
    pub fn ordinal(&self) -> Option<u32> {
        self.block.ordinals().get(self.at).copied()
    }

    /// Its frequency, or the bits of its weight.
    #[inline]
    pub fn value(&self) -> u32 {
        self.block.values().get(self.at).copied().unwrap_or(0)
    }

    /// Moves to the next posting.
    ///
    /// # Errors
    /// Those of the store, and of damaged pages.
    #[inline]
    pub fn advance(&mut self) -> Result<()> {
        self.at = self.at.saturating_add(1);
        if self.at >= self.block.count { self.next_block() } else { Ok(()) }
    }

    fn next_block(&mut self) -> Result<()> {
        let last = self.block.last();
        let Some((skips, current)) = self.skips.as_mut().zip(self.current) else { return Ok(()) };
        let Some(next) = last.and_then(|last| last.checked_add(1)) else { return Ok(()) };
        let mut current = current.saturating_add(1);
        if current >= skips.entries.len() {
            skips.extend(self.reader.source(), next)?;
            let before = skips.first;
            skips.forget(current);
            current = current.saturating_sub(skips.first.saturating_sub(before));
        }
        self.current = Some(current);
        self.load()
    }

    /// Moves to the first posting of `ordinal` or a later document, not backwards.
    ///
    /// # Errors
    /// Those of the store, and of damaged pages.
    pub fn seek(&mut self, ordinal: u32) -> Result<()> {
        if self.block.last().is_some_and(|last| last < ordinal) {
            let Some(skips) = &mut self.skips else {
                self.at = self.block.count;
                return Ok(());
            };
            skips.seek(self.reader.source(), ordinal)?;
            self.current = Some(skips.entries.partition_point(|entry| entry.last < ordinal));
            self.load()?;
        }
        let rest = self.block.ordinals().get(self.at..).unwrap_or(&[]);
        self.at = self.at.saturating_add(rest.partition_point(|&other| other < ordinal));
        Ok(())
    }

    /// The positions of the current posting, in place of what is in `out`; none if the index has none.
    ///
    /// # Errors
    /// Those of the store, and of damaged pages.
    pub fn positions(&mut self, out: &mut Vec<u32>) -> Result<()> {
        out.clear();
        if !self.reader.has_positions() || self.at >= self.block.count {
            return Ok(());
        }
        let source = self.reader.source();
        let (mut stream, from) = match (self.stream.take(), &self.inline) {
            (Some((stream, from)), _) if from <= self.at => (stream, from),
            (_, Some(bytes)) => {
                let offset = usize::from(self.block.positions.offset);
                (Stream::of(bytes.get(offset..).unwrap_or(&[])), 0)
            }
            (stream, None) => {
                let spot = self.block.positions;
                match stream.map(|(stream, _)| stream).or(self.spare.take()) {
                    Some(mut stream) => {
                        stream.seek(source, spot)?;
                        (stream, 0)
                    }
                    None => (Stream::at(source, spot)?, 0),
                }
            }
        };
        let skipped = self.block.values().get(from..self.at).unwrap_or(&[]);
        let skipped = skipped.iter().fold(0u64, |sum, &tf| sum.saturating_add(tf.into()));
        stream.skip(source, skipped)?;
        let mut position = 0u32;
        for _ in 0..self.value() {
            position = position.wrapping_add(stream.varint(source)?);
            out.try_push(position)?;
        }
        self.stream = Some((stream, self.at.saturating_add(1)));
        Ok(())
    }
}
