//! Where the blocks of a list are, and what bounds the scores of each.
//!
//! An entry has 14 bytes: last ordinal of the block (u32), where it is (block u32, offset u16), and
//! its bound (4 bytes). The entries of 64 blocks are a group, which lies within one page. If there are
//! several groups, a list of entries of the same form tells where each is.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use memory::Grow;
use pages::{Error, PageStore, Result};

use super::bound::Bound;
use super::write::Place;
use super::{BLOCK, GROUP};
use crate::Scoring;
use crate::bytes::Bytes;
use crate::page::{NONE, Part, Source, Spot};

/// A block of postings, or a group of blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Skip {
    pub last: u32,
    pub spot: Spot,
    pub bound: Bound,
}

impl Skip {
    /// Bytes in a page.
    pub const SIZE: usize = 14;

    pub fn push(&self, out: &mut Vec<u8>) {
        out.extend(self.last.to_le_bytes());
        out.extend(self.spot.block.to_le_bytes());
        out.extend(self.spot.offset.to_le_bytes());
        out.extend(self.bound.to_bytes());
    }

    fn read(bytes: &mut Bytes<'_>, scoring: Scoring) -> Result<Self> {
        Ok(Self {
            last: bytes.u32()?,
            spot: Spot { block: bytes.u32()?, offset: bytes.u16()? },
            bound: Bound::from_bytes(bytes.array()?, scoring),
        })
    }
}

/// The skip entries of a list, loaded group by group.
#[derive(Debug)]
pub(crate) struct Skips {
    scoring: Scoring,
    /// Blocks of the list.
    blocks: usize,
    /// Groups; none if the list has one block, whose entry is loaded.
    groups: Vec<Skip>,
    /// Entries that are loaded.
    pub entries: Vec<Skip>,
    /// Number of the first of them in the list.
    pub first: usize,
    /// Last ordinal before them.
    pub before: Option<u32>,
}

impl Skips {
    /// Those of a list of `count` postings at `place`, whose bound is `bound`, in a segment of so many
    /// documents.
    pub fn open<S: PageStore>(
        source: Source<'_, S>,
        scoring: Scoring,
        count: u32,
        place: Place,
        bound: Bound,
        documents: u32,
    ) -> Result<Self> {
        let blocks = (count as usize).div_ceil(BLOCK);
        let last = documents.saturating_sub(1);
        let mut skips = Self {
            scoring,
            blocks,
            groups: Vec::new(),
            entries: Vec::new(),
            first: 0,
            before: None,
        };
        match place {
            Place::Block(spot) => skips.entries.try_push(Skip { last, spot, bound })?,
            Place::Group(spot) => {
                skips.groups.try_push(Skip { last, spot, bound })?;
                skips.load(source, 0)?;
                // Only now its end is known.
                if let (Some(group), Some(entry)) = (skips.groups.first_mut(), skips.entries.last())
                {
                    group.last = entry.last;
                }
            }
            Place::Groups(spot) => {
                skips.groups = read_groups(source, scoring, spot, blocks.div_ceil(GROUP))?;
                skips.load(source, 0)?;
            }
        }
        Ok(skips)
    }

    /// The entry of a list that has one block.
    pub fn only(scoring: Scoring, entry: Skip) -> Result<Self> {
        let mut entries = Vec::new();
        entries.try_push(entry)?;
        Ok(Self { scoring, blocks: 1, groups: Vec::new(), entries, first: 0, before: None })
    }

    /// Whether entries tell the last ordinals of their blocks, not just numbers that these do not exceed.
    pub fn is_exact(&self) -> bool {
        !self.groups.is_empty()
    }

    /// The bounds of a loaded block and of its group.
    pub fn bounds(&self, loaded: usize) -> impl Iterator<Item = Bound> {
        let group = self.first.saturating_add(loaded) / GROUP;
        let skips = self.entries.get(loaded).into_iter().chain(self.groups.get(group));
        skips.map(|skip| skip.bound)
    }

    /// Whether the list has the block of that number.
    pub fn more(&self, number: usize) -> bool {
        number < self.blocks
    }

    /// Groups that are loaded begin with this one.
    fn group(&self) -> usize {
        self.first / GROUP
    }

    /// Loads the entries of a group, after those that are loaded.
    fn load<S: PageStore>(&mut self, source: Source<'_, S>, group: usize) -> Result<()> {
        let Some(&Skip { spot, last, .. }) = self.groups.get(group) else { return Ok(()) };
        if self.entries.is_empty() {
            self.first = group.saturating_mul(GROUP);
            self.before = group.checked_sub(1).and_then(|g| self.groups.get(g)).map(|g| g.last);
        }
        let count = self.blocks.saturating_sub(group.saturating_mul(GROUP)).min(GROUP);
        self.entries.try_reserve(count).map_err(|_| Error::OutOfMemory)?;
        let before = self.entries.last().map(|entry| entry.last).or(self.before);
        let (entries, scoring) = (&mut self.entries, self.scoring);
        source.read(spot.block, Part::Skips, |_, body| {
            let mut bytes = Bytes::at(body, spot.offset, spot.block)?;
            let mut before = before;
            for _ in 0..count {
                let entry = Skip::read(&mut bytes, scoring)?;
                if before.is_some_and(|before| before >= entry.last) || entry.last > last {
                    return Err(bytes.error("skip entries are out of order"));
                }
                before = Some(entry.last);
                entries.push(entry);
            }
            Ok(())
        })
    }

    /// Drops the entries of blocks that end before `ordinal`, by whole groups, and loads the group of
    /// the block that ends there or later.
    pub fn seek<S: PageStore>(&mut self, source: Source<'_, S>, ordinal: u32) -> Result<()> {
        if self.entries.last().is_some_and(|entry| entry.last >= ordinal) {
            return Ok(());
        }
        let from = self.group();
        let rest = self.groups.get(from..).unwrap_or(&[]);
        let next = from.saturating_add(rest.partition_point(|group| group.last < ordinal));
        if next >= self.groups.len() {
            self.before = self.entries.last().map(|entry| entry.last).or(self.before);
            self.first = self.first.saturating_add(self.entries.len());
            self.entries.clear();
            return Ok(());
        }
        self.entries.clear();
        self.load(source, next)
    }

    /// Loads entries until one ends at `ordinal` or later, or all are loaded.
    pub fn extend<S: PageStore>(&mut self, source: Source<'_, S>, ordinal: u32) -> Result<()> {
        while self.entries.last().is_some_and(|entry| entry.last < ordinal) {
            let loaded = self.first.saturating_add(self.entries.len());
            if loaded >= self.blocks || self.groups.is_empty() {
                break;
            }
            self.load(source, loaded / GROUP)?;
        }
        Ok(())
    }

    /// Forgets the entries of the first `count` loaded blocks, if they are whole groups or more: keeps
    /// memory bounded.
    pub fn forget(&mut self, count: usize) {
        let count = count.saturating_sub(count % GROUP);
        if let Some(entry) = count.checked_sub(1).and_then(|last| self.entries.get(last)) {
            self.before = Some(entry.last);
            self.entries.drain(..count);
            self.first = self.first.saturating_add(count);
        }
    }
}

/// Reads the list of groups.
fn read_groups<S: PageStore>(
    source: Source<'_, S>,
    scoring: Scoring,
    spot: Spot,
    count: usize,
) -> Result<Vec<Skip>> {
    let mut groups = Vec::new();
    let Spot { mut block, mut offset } = spot;
    while groups.len() < count {
        if block == NONE {
            return Err(Error::corrupted(spot.block, "list of skip entries ends too early"));
        }
        block = source.read(block, Part::Skips, |header, body| {
            let mut bytes = Bytes::at(body, offset, block)?;
            let before = groups.len();
            while groups.len() < count && bytes.rest().len() >= Skip::SIZE {
                let group = Skip::read(&mut bytes, scoring)?;
                if groups.last().is_some_and(|before: &Skip| before.last >= group.last) {
                    return Err(bytes.error("skip entries are out of order"));
                }
                groups.try_push(group)?;
            }
            match groups.len() > before || offset > crate::page::HEADER as u16 {
                true => Ok(header.next),
                false => Err(bytes.error("list of skip entries ends too early")),
            }
        })?;
        offset = crate::page::HEADER as u16;
    }
    Ok(groups)
}
