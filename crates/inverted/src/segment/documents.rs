//! The documents of a segment: tids, lengths, and which are dead.
//!
//! A group of 3,776 documents has four pages. The first holds lengths (u16, 65,535 for the list of long
//! lengths), then a bit for each dead document; the others hold tids, 1,259 each.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use memory::Grow;
use pages::{Error, HeapTid, PageStore, Result};

use crate::page::{Draft, HEADER, NONE, Pages, Part, Source};

/// Documents of a group.
pub const GROUP: usize = 3776;
/// Pages of a group with tids, and tids of each.
pub(crate) const TID_PAGES: usize = 3;
pub(crate) const TIDS: usize = GROUP.div_ceil(TID_PAGES);
/// Bytes of a group's bits.
pub(crate) const DEAD_BYTES: usize = GROUP / 8;
/// Where they begin.
pub(crate) const DEAD_AT: usize = HEADER + GROUP * 2;
/// Stored in place of a length that is in the list of long lengths.
pub(crate) const LONG: u16 = u16::MAX;

const _: () = assert!(GROUP.is_multiple_of(64) && DEAD_AT + DEAD_BYTES <= pages::PAGE_USABLE);
const _: () = assert!(TIDS * HeapTid::SIZE <= crate::page::SPACE);

/// Blocks of the pages of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GroupPages {
    pub lengths: u32,
    pub tids: [u32; TID_PAGES],
}

impl GroupPages {
    /// Bytes in a page.
    pub const SIZE: usize = 4 * (1 + TID_PAGES);

    pub fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        let blocks = [self.lengths, self.tids[0], self.tids[1], self.tids[2]];
        for (bytes, block) in bytes.as_chunks_mut().0.iter_mut().zip(blocks) {
            *bytes = block.to_le_bytes();
        }
        bytes
    }

    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Self {
        let [lengths, a, b, c] = [0, 1, 2, 3]
            .map(|i| bytes.as_chunks().0.get(i).map_or(NONE, |&bytes| u32::from_le_bytes(bytes)));
        Self { lengths, tids: [a, b, c] }
    }
}

/// The documents of a group, in memory.
#[derive(Clone, Debug)]
pub struct Documents {
    /// Ordinal of the first.
    pub first: u32,
    /// Where the rows are.
    pub tids: Vec<HeapTid>,
    /// Their lengths in tokens.
    pub lengths: Vec<u32>,
    /// A bit for each dead document.
    pub dead: Vec<u64>,
    /// Block of the page that holds the bits of the dead; [`crate::kill`] changes it.
    pub block: u32,
}

impl Documents {
    /// Whether the document at place `i` of the group is dead.
    pub fn is_dead(&self, i: usize) -> bool {
        self.dead.get(i / 64).is_some_and(|word| word >> (i % 64) & 1 == 1)
    }
}

/// Reads the lengths, as many as `lengths` has room for, and the dead bits of a group.
pub(crate) fn read_lengths<S: PageStore>(
    source: Source<'_, S>,
    block: u32,
    lengths: &mut [u16],
    dead: &mut [u64; GROUP / 64],
) -> Result<()> {
    source.read(block, Part::Lengths, |_, body| {
        let stored = body.get(HEADER..DEAD_AT).unwrap_or(&[]).as_chunks().0;
        for (length, &bytes) in lengths.iter_mut().zip(stored) {
            *length = u16::from_le_bytes(bytes);
        }
        let stored = body.get(DEAD_AT..).unwrap_or(&[]).as_chunks().0;
        for (word, &bytes) in dead.iter_mut().zip(stored) {
            *word = u64::from_le_bytes(bytes);
        }
        Ok(())
    })
}

/// Reads the first `count` tids of a page.
pub(crate) fn read_tids<S: PageStore>(
    source: Source<'_, S>,
    block: u32,
    count: usize,
    out: &mut Vec<HeapTid>,
) -> Result<()> {
    source.read(block, Part::Tids, |_, body| {
        let stored = body.get(HEADER..).unwrap_or(&[]).as_chunks().0;
        for &bytes in stored.iter().take(count) {
            let tid = HeapTid::from_bytes(bytes);
            if !tid.is_possible() {
                return Err(Error::corrupted(block, "document has an impossible row"));
            }
            out.try_push(tid)?;
        }
        Ok(())
    })
}

/// Appends the tids at some places of a page.
pub(crate) fn read_tids_at<S: PageStore>(
    source: Source<'_, S>,
    block: u32,
    places: impl Iterator<Item = usize>,
    out: &mut Vec<HeapTid>,
) -> Result<()> {
    source.read(block, Part::Tids, |_, body| {
        let stored = body.get(HEADER..).unwrap_or(&[]).as_chunks().0;
        for place in places {
            match stored.get(place).map(|&bytes| HeapTid::from_bytes(bytes)) {
                Some(tid) if tid.is_possible() => out.try_push(tid)?,
                _ => return Err(Error::corrupted(block, "document has an impossible row")),
            }
        }
        Ok(())
    })
}

/// Writes documents.
#[derive(Debug)]
pub(crate) struct DocumentWriter {
    id: u64,
    tids: Vec<HeapTid>,
    lengths: Vec<u16>,
    pub count: u32,
    pub total_length: u64,
    /// Long lengths by ordinal.
    pub long: Vec<(u32, u32)>,
    /// Codes of all lengths.
    pub codes: Vec<u8>,
    pub groups: Vec<GroupPages>,
    /// Groups that are complete. Those of `groups` beyond were written before.
    flushed: usize,
}

impl DocumentWriter {
    pub fn new(id: u64) -> Self {
        let (tids, lengths, long) = (Vec::new(), Vec::new(), Vec::new());
        let (codes, groups) = (Vec::new(), Vec::new());
        Self { id, tids, lengths, count: 0, total_length: 0, long, codes, groups, flushed: 0 }
    }

    /// Does not write the first groups, whose pages these are: their documents come again.
    pub fn restore(&mut self, written: Vec<GroupPages>) {
        self.groups = written;
    }

    /// Whether `groups` has all groups with all of their pages, after [`DocumentWriter::flush`].
    pub fn is_complete(&self) -> bool {
        let mut left = self.count as usize;
        let are_complete = self.groups.iter().all(|group| {
            let tid_pages = left.min(GROUP).div_ceil(TIDS);
            left = left.saturating_sub(GROUP);
            let mut tids = group.tids.iter().enumerate();
            tid_pages > 0 && tids.all(|(i, &block)| (block == NONE) == (i >= tid_pages))
        });
        are_complete && left == 0
    }

    pub fn push(&mut self, pages: &mut dyn Pages, tid: HeapTid, length: u32) -> Result<()> {
        if self.count >= super::MAX_DOCUMENTS {
            return Err(Error::Limit("a segment of the index has too many documents"));
        }
        let stored = u16::try_from(length).unwrap_or(LONG);
        if stored == LONG {
            self.long.try_push((self.count, length))?;
        }
        self.codes.try_push(crate::postings::length_code(length))?;
        self.tids.try_push(tid)?;
        self.lengths.try_push(stored)?;
        self.count = self.count.saturating_add(1);
        self.total_length = self.total_length.saturating_add(length.into());
        if self.tids.len() == GROUP { self.flush(pages) } else { Ok(()) }
    }

    /// Writes the last group.
    pub fn flush(&mut self, pages: &mut dyn Pages) -> Result<()> {
        if self.tids.is_empty() {
            return Ok(());
        }
        self.flushed = self.flushed.saturating_add(1);
        if self.flushed <= self.groups.len() {
            self.tids.clear();
            self.lengths.clear();
            return Ok(());
        }
        let mut draft = Draft::new(pages, Part::Lengths)?;
        let mut group = GroupPages { lengths: draft.block, tids: [NONE; TID_PAGES] };
        draft.count = self.lengths.len() as u16;
        self.lengths.iter().for_each(|length| draft.push(&length.to_le_bytes()));
        draft.finish(pages, self.id, NONE)?;
        for (tids, block) in self.tids.chunks(TIDS).zip(&mut group.tids) {
            let mut draft = Draft::new(pages, Part::Tids)?;
            *block = draft.block;
            draft.count = tids.len() as u16;
            tids.iter().for_each(|tid| draft.push(&tid.to_bytes()));
            draft.finish(pages, self.id, NONE)?;
        }
        self.tids.clear();
        self.lengths.clear();
        self.groups.try_push(group)?;
        Ok(())
    }
}
