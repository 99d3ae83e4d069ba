//! The postings of a term, window by window.

use std::ops::Range;

use memory::Grow;
use pages::{PageStore, Result};

use super::window::Steering;
use crate::bytes::Bytes;
use crate::dictionary::{Entry, Stored};
use crate::page::Part;
use crate::postings::{Block, Bound, Skip, Skips, decode, decode_inline, least_length};
use crate::score::Weight;
use crate::segment::Reader;

/// A block in memory, if it has a number, which is that in the list. Without one, the memory is spare.
#[derive(Debug, Default)]
struct Slot {
    number: Option<usize>,
    /// One or none: allocated so that it can be refused.
    block: Vec<Block>,
}

/// The list of a term in one segment.
#[derive(Debug)]
pub(super) struct List {
    pub weight: Weight,
    pub steering: Steering,
    ratio: f32,
    skips: Skips,
    /// Upper bounds of the contributions of the blocks of loaded skip entries, from number `first` on.
    bounds: Vec<f32>,
    first: usize,
    /// Blocks of the list with documents in the window.
    pub blocks: Range<usize>,
    /// Block `blocks.start + i` is in slot i, if anywhere.
    slots: Vec<Slot>,
    /// Upper bound of the contribution in the window, at least 0.
    pub bound: f32,
    /// Upper bound of the magnitude of any contribution.
    pub magnitude: f64,
}

impl List {
    pub fn new<S: PageStore>(
        reader: &Reader<'_, S>,
        weight: Weight,
        entry: &Entry,
        ratio: f32,
    ) -> Result<Self> {
        let steering = Steering::new(weight);
        let mut slots = Vec::new();
        let (skips, bound) = match &entry.stored {
            Stored::Inline(bytes) => {
                let (block, bound) = inline(reader, entry, bytes)?;
                let last = block.last().unwrap_or(0);
                slots.try_push(Slot { number: Some(0), block: memory::collected([block])? })?;
                (Skips::only(reader.scoring(), Skip { last, spot: entry.leaf, bound })?, bound)
            }
            Stored::At(_, bound) => (reader.skips(entry)?, *bound),
        };
        let magnitude = magnitude(weight, bound);
        let (bounds, first, blocks) = (Vec::new(), usize::MAX, 0..0);
        let bound = 0.0;
        Ok(Self { weight, steering, ratio, skips, bounds, first, blocks, slots, bound, magnitude })
    }

    /// Makes all contributions the same in single precision, whose range they exceed.
    pub fn stop_steering(&mut self) {
        self.steering = Steering::InnerProduct(0.0);
    }

    /// The entry of a block that is loaded.
    fn entry(&self, number: usize) -> Option<&Skip> {
        self.skips.entries.get(number.checked_sub(self.skips.first)?)
    }

    /// The last ordinal before a block that is loaded.
    fn before(&self, number: usize) -> Option<u32> {
        match number.checked_sub(self.skips.first) {
            None | Some(0) => self.skips.before,
            Some(at) => self.skips.entries.get(at - 1).map(|entry| entry.last),
        }
    }

    /// The block, if it is in memory.
    fn decoded(&self, number: usize) -> Option<&Block> {
        let slot = self.slots.get(number.checked_sub(self.blocks.start)?)?;
        slot.block.first().filter(|_| slot.number == Some(number))
    }

    /// Moves on to blocks with documents from `base` on. Returns the first document that there may be,
    /// from `base` on; none after the last.
    pub fn advance<S: PageStore>(
        &mut self,
        reader: &Reader<'_, S>,
        base: u32,
    ) -> Result<Option<u32>> {
        self.skips.seek(reader.source(), base)?;
        let mut start = self.blocks.start.max(self.skips.first);
        while let Some(entry) = self.entry(start) {
            let passed = match self.decoded(start) {
                Some(block) => block.last().is_none_or(|last| last < base),
                None => entry.last < base,
            };
            if !passed {
                break;
            }
            start += 1;
        }
        let old = std::mem::replace(&mut self.blocks, start..start);
        // Numbers of blocks of other slots no longer match.
        if start - old.start < self.slots.len() {
            self.slots.swap(0, start - old.start);
        }
        if self.entry(start).is_none() {
            // The last entry of a group may promise more than its blocks have.
            return match self.skips.more(start) {
                true => Ok(Some(base)),
                false => Ok(None),
            };
        }
        let next = match self.decoded(start) {
            Some(block) => {
                let ordinals = block.ordinals();
                ordinals.get(ordinals.partition_point(|&ordinal| ordinal < base)).copied()
            }
            None => None,
        };
        let least = self.before(start).map_or(0, |before| before.saturating_add(1));
        Ok(Some(next.unwrap_or(least).max(base)))
    }

    /// Finds the blocks and the bound of the window from `base` up to `end`, after
    /// [`List::advance`] to `base`.
    pub fn enter<S: PageStore>(&mut self, reader: &Reader<'_, S>, end: u32) -> Result<()> {
        self.skips.extend(reader.source(), end - 1)?;
        self.skips.forget(self.blocks.start.saturating_sub(self.skips.first));
        let loaded = self.skips.entries.len();
        if self.first != self.skips.first || self.bounds.len() != loaded {
            self.first = self.skips.first;
            self.bounds.clear();
            let bounds = self
                .skips
                .entries
                .iter()
                .map(|entry| upper(self.steering, entry.bound) * self.ratio);
            self.bounds.try_extend(bounds)?;
        }
        let mut number = self.blocks.start;
        self.bound = 0.0;
        while let Some(&bound) = self.bounds.get(number - self.first)
            && self.before(number).is_none_or(|before| before < end - 1)
        {
            self.bound = self.bound.max(bound);
            number += 1;
        }
        self.blocks.end = number;
        Ok(())
    }

    /// Makes room for the slots of all blocks of the window.
    fn make_slots(&mut self) -> Result<()> {
        while self.slots.len() < self.blocks.len() {
            self.slots.try_push(Slot::default())?;
        }
        Ok(())
    }

    /// Decodes blocks of the window.
    pub fn decode<S: PageStore>(
        &mut self,
        reader: &Reader<'_, S>,
        numbers: Range<usize>,
    ) -> Result<()> {
        self.make_slots()?;
        let Range { start: mut number, end } = numbers;
        while number < end {
            if self.decoded(number).is_some() {
                number += 1;
                continue;
            }
            let Some(&Skip { spot, .. }) = self.entry(number) else { return Ok(()) };
            reader.source().read(spot.block, Part::Postings, |_, body| {
                while number < end {
                    let entry = self.skips.entries.get(number - self.skips.first);
                    let Some(entry) = entry.filter(|entry| entry.spot.block == spot.block) else {
                        break;
                    };
                    let slot = &mut self.slots[number - self.blocks.start];
                    if slot.number != Some(number) {
                        slot.number = None;
                        let bytes = Bytes::at(body, entry.spot.offset, spot.block)?;
                        let documents = entry.last.saturating_add(1);
                        let positions = reader.has_positions();
                        if slot.block.is_empty() {
                            slot.block = memory::collected([Block::new()])?;
                        }
                        let block = &mut slot.block[0];
                        decode(bytes, reader.scoring(), positions, documents, block)?;
                        slot.number = Some(number);
                    }
                    number += 1;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Gives the memory of all blocks but the last back, which the next window may begin with.
    pub fn forget_blocks(&mut self) {
        let last = self.blocks.len().saturating_sub(1);
        self.slots.iter_mut().take(last).for_each(|slot| *slot = Slot::default());
    }

    /// The parts of decoded blocks with documents from `base` up to `end`.
    pub fn parts(&self, base: u32, end: u32) -> impl Iterator<Item = (&Block, Range<usize>)> {
        self.blocks.clone().filter_map(move |number| {
            let block = self.decoded(number)?;
            let ordinals = block.ordinals();
            let from = match ordinals.first() {
                Some(&first) if first >= base => 0,
                _ => ordinals.partition_point(|&ordinal| ordinal < base),
            };
            let to = match ordinals.last() {
                Some(&last) if last < end => ordinals.len(),
                _ => ordinals.partition_point(|&ordinal| ordinal < end),
            };
            Some((block, from..to))
        })
    }

    /// Number of postings of documents from `base` up to `end` in decoded blocks.
    pub fn postings(&self, base: u32, end: u32) -> usize {
        self.parts(base, end).map(|(_, range)| range.len()).sum()
    }

    /// The value of a document of the window, if it holds the term. `from` is a number of a block that
    /// the document is not before, and becomes that of its block.
    pub fn value<S: PageStore>(
        &mut self,
        reader: &Reader<'_, S>,
        ordinal: u32,
        from: &mut usize,
    ) -> Result<Option<u32>> {
        *from = (*from).max(self.blocks.start);
        while *from < self.blocks.end && self.entry(*from).is_some_and(|entry| entry.last < ordinal)
        {
            *from += 1;
        }
        if *from >= self.blocks.end {
            return Ok(None);
        }
        if self.decoded(*from).is_none() {
            self.decode(reader, *from..*from + 1)?;
        }
        Ok(self.decoded(*from).and_then(|block| {
            let at = block.ordinals().binary_search(&ordinal).ok()?;
            block.values().get(at).copied()
        }))
    }
}

/// Not below any contribution of a term in a segment, and at least 0; then, not below the magnitude of any.
pub(super) fn bounds_of<S: PageStore>(
    reader: &Reader<'_, S>,
    weight: Weight,
    entry: &Entry,
) -> (f32, f64) {
    let bound = match &entry.stored {
        Stored::At(_, bound) => Ok(*bound),
        Stored::Inline(bytes) => inline(reader, entry, bytes).map(|(_, bound)| bound),
    };
    match bound {
        Ok(bound) => (upper(Steering::new(weight), bound), magnitude(weight, bound)),
        // For the search to tell.
        Err(_) => (f32::INFINITY, weight.size()),
    }
}

/// Postings that are in the dictionary, and their bound.
fn inline<S: PageStore>(
    reader: &Reader<'_, S>,
    entry: &Entry,
    bytes: &[u8],
) -> Result<(Block, Bound)> {
    let mut block = Block::new();
    let (documents, leaf) = (reader.info().documents, entry.leaf.block);
    decode_inline(bytes, entry.count, reader.scoring(), documents, leaf, &mut block)?;
    let mut bound = Bound::none(reader.scoring());
    // Lengths are not known here: 0 bounds them all.
    block.values().iter().for_each(|&value| bound.add(value, 0));
    Ok((block, bound))
}

/// Not below any contribution of postings with that bound, and at least 0.
fn upper(steering: Steering, bound: Bound) -> f32 {
    // Covers the rounding of a contribution and of the bound.
    const ROUNDING: f32 = 1.0 + 8.0 * f32::EPSILON;
    let upper = match bound {
        Bound::Bm25 { once, more, frequency } => {
            let alone = if once == u8::MAX { 0.0 } else { steering.of(1, least_length(once)) };
            let others = match (frequency, steering) {
                (0, _) => 0.0,
                (u16::MAX, Steering::Bm25 { factor, .. }) => factor,
                _ => steering.of(frequency.into(), least_length(more)),
            };
            alone.max(others)
        }
        Bound::InnerProduct { least, greatest } => {
            let [a, b] = [least, greatest].map(|value| steering.of(value.to_bits(), 0));
            a.max(b)
        }
    };
    (upper * ROUNDING).max(0.0)
}

/// Not below the magnitude of any contribution of postings with that bound.
fn magnitude(weight: Weight, bound: Bound) -> f64 {
    match (weight, bound) {
        (Weight::InnerProduct(weight), Bound::InnerProduct { least, greatest }) => {
            weight.abs() * f64::from(least.abs().max(greatest.abs()))
        }
        (weight, _) => weight.size(),
    }
}
