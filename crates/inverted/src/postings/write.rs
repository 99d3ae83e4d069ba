//! Writes lists of postings.

use memory::Grow;
use pages::Result;

use super::block::{push_block, push_inline};
use super::bound::Bound;
use super::skip::Skip;
use super::{BLOCK, GROUP, INLINE, INLINE_BYTES};
use crate::Scoring;
use crate::bytes::{Bytes, push_varint};
use crate::owned::Owned;
use crate::page::{Draft, NONE, Pages, Part, SPACE, Spot};

/// Where a list is, by its length: its block, its group of skip entries, or its list of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// At most 128 postings.
    Block(Spot),
    /// At most 64 blocks.
    Group(Spot),
    /// More.
    Groups(Spot),
}

impl Place {
    /// The place at `spot` of a list of `count` postings.
    pub fn new(count: u32, spot: Spot) -> Self {
        match count as usize {
            0..=BLOCK => Self::Block(spot),
            count if count <= BLOCK * GROUP => Self::Group(spot),
            _ => Self::Groups(spot),
        }
    }
}

/// What was written of a list.
#[derive(Debug)]
pub(crate) enum Written {
    /// Its bytes for the dictionary.
    Inline(Vec<u8>),
    /// Its place and bound.
    At(Spot, Bound),
}

/// Writes lists one after another.
#[derive(Debug)]
pub(crate) struct Lists {
    id: u64,
    scoring: Scoring,
    with_positions: bool,
    /// Pages of postings, of skip entries and lists of groups, and of positions.
    postings: Option<Draft>,
    skips: Option<Draft>,
    positions: Option<Draft>,
    /// Postings of the current list in all, and those that are not written yet.
    count: u32,
    ordinals: Vec<u32>,
    values: Vec<u32>,
    /// Positions of those that are not written yet.
    pending: Vec<u8>,
    bound: Bound,
    list_bound: Bound,
    /// Skip entries that are not written yet, and the groups of the list.
    entries: Vec<Skip>,
    written: Vec<Skip>,
    bytes: Vec<u8>,
}

impl Lists {
    pub fn new(id: u64, scoring: Scoring, with_positions: bool) -> Self {
        Self {
            id,
            scoring,
            with_positions,
            postings: None,
            skips: None,
            positions: None,
            count: 0,
            ordinals: Vec::new(),
            values: Vec::new(),
            pending: Vec::new(),
            bound: Bound::none(scoring),
            list_bound: Bound::none(scoring),
            entries: Vec::new(),
            written: Vec::new(),
            bytes: Vec::new(),
        }
    }

    /// Appends what [`Lists::restore`] needs to go on, between two lists.
    pub fn save(&self, out: &mut Vec<u8>) {
        for draft in [&self.postings, &self.skips, &self.positions] {
            out.push(draft.is_some().into());
            if let Some(draft) = draft {
                draft.save(out);
            }
        }
    }

    /// Goes on with the pages that were saved.
    pub fn restore(&mut self, bytes: &mut Bytes<'_>, owned: &mut Owned) -> Result<()> {
        for (draft, part) in [
            (&mut self.postings, Part::Postings),
            (&mut self.skips, Part::Skips),
            (&mut self.positions, Part::Positions),
        ] {
            let is_some = bytes.u8()? != 0;
            *draft = is_some.then(|| Draft::restore(bytes, part, owned, false)).transpose()?;
        }
        Ok(())
    }

    /// Postings of the current list.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Adds a posting of a document whose length has the code `length`.
    pub fn push(
        &mut self,
        pages: &mut dyn Pages,
        ordinal: u32,
        value: u32,
        length: u8,
        positions: &[u32],
    ) -> Result<()> {
        if self.ordinals.len() == BLOCK {
            self.write_block(pages)?;
        }
        self.count += 1;
        self.ordinals.push(ordinal);
        self.values.push(value);
        self.bound.add(value, length);
        if self.with_positions {
            let mut before = 0;
            for &position in positions {
                self.pending.try_reserve(8).map_err(|_| memory::OutOfMemory)?;
                push_varint(position.wrapping_sub(before), &mut self.pending);
                before = position;
            }
        }
        Ok(())
    }

    /// Ends the list.
    pub fn finish_list(&mut self, pages: &mut dyn Pages) -> Result<Written> {
        let count = std::mem::take(&mut self.count) as usize;
        if count <= INLINE {
            let mut bytes = Vec::new();
            push_inline(&self.ordinals, &self.values, self.scoring, &self.pending, &mut bytes);
            if bytes.len() <= INLINE_BYTES {
                self.clear_block();
                return Ok(Written::Inline(bytes));
            }
        }
        self.write_block(pages)?;
        let bound = std::mem::replace(&mut self.list_bound, Bound::none(self.scoring));
        if count <= BLOCK {
            let only = self.entries.pop().map_or(Spot { block: NONE, offset: 0 }, |e| e.spot);
            return Ok(Written::At(only, bound));
        }
        self.write_group(pages)?;
        let groups = std::mem::take(&mut self.written);
        let spot = match &groups[..] {
            [only] => only.spot,
            groups => self.write_groups(pages, groups)?,
        };
        Ok(Written::At(spot, bound))
    }

    /// Gives all pages back.
    pub fn finish(mut self, pages: &mut dyn Pages) -> Result<()> {
        let drafts = [&mut self.postings, &mut self.skips, &mut self.positions];
        for draft in drafts.into_iter().filter_map(Option::take) {
            draft.finish(pages, self.id, NONE)?;
        }
        Ok(())
    }

    fn clear_block(&mut self) -> Bound {
        self.ordinals.clear();
        self.values.clear();
        self.pending.clear();
        std::mem::replace(&mut self.bound, Bound::none(self.scoring))
    }

    fn write_block(&mut self, pages: &mut dyn Pages) -> Result<()> {
        let Some(&last) = self.ordinals.last() else { return Ok(()) };
        let positions = if self.with_positions { Some(self.write_positions(pages)?) } else { None };
        self.bytes.clear();
        push_block(&self.ordinals, &self.values, self.scoring, positions, &mut self.bytes);
        let draft =
            with_room(&mut self.postings, self.bytes.len(), Part::Postings, pages, self.id)?;
        let spot = draft.spot();
        draft.push(&self.bytes);
        let bound = self.clear_block();
        self.list_bound.merge(bound);
        if self.entries.len() == GROUP {
            self.write_group(pages)?;
        }
        self.entries.push(Skip { last, spot, bound });
        Ok(())
    }

    /// Writes positions as a stream of bytes over pages, and returns where it begins.
    fn write_positions(&mut self, pages: &mut dyn Pages) -> Result<Spot> {
        if self.positions.is_none() {
            self.positions = Some(Draft::new(pages, Part::Positions)?);
        }
        let Some(draft) = &mut self.positions else { return Ok(Spot { block: NONE, offset: 0 }) };
        if draft.room() == 0 {
            draft.turn(pages, self.id)?;
        }
        let spot = draft.spot();
        let mut rest = &self.pending[..];
        while !rest.is_empty() {
            if draft.room() == 0 {
                draft.turn(pages, self.id)?;
            }
            let (now, later) = rest.split_at(rest.len().min(draft.room()));
            draft.push(now);
            rest = later;
        }
        Ok(spot)
    }

    fn write_group(&mut self, pages: &mut dyn Pages) -> Result<()> {
        let Some(&Skip { last, .. }) = self.entries.last() else { return Ok(()) };
        let len = self.entries.len() * Skip::SIZE;
        let draft = with_room(&mut self.skips, len, Part::Skips, pages, self.id)?;
        let spot = draft.spot();
        let mut bound = Bound::none(self.scoring);
        self.bytes.clear();
        for entry in self.entries.drain(..) {
            bound.merge(entry.bound);
            entry.push(&mut self.bytes);
        }
        draft.push(&self.bytes);
        self.written.try_push(Skip { last, spot, bound })?;
        Ok(())
    }

    /// Writes a list of groups behind the groups themselves, on one page if it fits.
    fn write_groups(&mut self, pages: &mut dyn Pages, groups: &[Skip]) -> Result<Spot> {
        let len = groups.len().saturating_mul(Skip::SIZE).min(SPACE);
        let draft = with_room(&mut self.skips, len, Part::Skips, pages, self.id)?;
        let spot = draft.spot();
        for group in groups {
            if draft.room() < Skip::SIZE {
                draft.turn(pages, self.id)?;
            }
            self.bytes.clear();
            group.push(&mut self.bytes);
            draft.push(&self.bytes);
        }
        Ok(spot)
    }
}

/// The page of a stream, a new one if `len` bytes do not fit.
fn with_room<'a>(
    draft: &'a mut Option<Draft>,
    len: usize,
    part: Part,
    pages: &mut dyn Pages,
    id: u64,
) -> Result<&'a mut Draft> {
    if draft.as_ref().is_none_or(|draft| draft.room() < len) {
        if let Some(full) = draft.take() {
            full.finish(pages, id, NONE)?;
        }
        *draft = Some(Draft::new(pages, part)?);
    }
    draft.as_mut().ok_or_else(|| pages::Error::Internal("no page of a segment".to_owned()))
}
