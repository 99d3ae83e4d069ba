//! The list of all blocks of a segment: runs of a first block and a number (u32 each), in the order of
//! allocation, on a chain of pages of its own.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use memory::Grow;
use pages::{Error, PageStore, Result};

use crate::bytes::Bytes;
use crate::page::{Draft, HEADER, NONE, Pages, Part, SPACE, Source};

/// Bytes of a run, and runs of a page.
const RUN: usize = 8;
const RUNS: usize = SPACE / RUN;

/// Pages of a segment that is being written, all of which are noted.
pub(crate) struct Noted<'p> {
    pages: &'p mut dyn Pages,
    runs: Vec<(u32, u32)>,
    pub count: u32,
}

impl std::fmt::Debug for Noted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Noted").field("count", &self.count).finish_non_exhaustive()
    }
}

impl<'p> Noted<'p> {
    pub fn new(pages: &'p mut dyn Pages) -> Self {
        Self { pages, runs: Vec::new(), count: 0 }
    }

    /// Notes a page that was allocated.
    pub fn note(&mut self, block: u32) -> Result<()> {
        self.count = self.count.saturating_add(1);
        match self.runs.last_mut() {
            Some((start, len)) if start.checked_add(*len) == Some(block) => {
                *len = len.saturating_add(1);
            }
            _ => self.runs.try_push((block, 1))?,
        }
        Ok(())
    }

    /// Writes the list of all blocks, those of the list itself included. Returns its first page, or
    /// [`NONE`] if nothing was allocated.
    pub fn write(&mut self, id: u64) -> Result<u32> {
        if self.runs.is_empty() {
            return Ok(NONE);
        }
        let mut draft = Draft::new(self, Part::Blocks)?;
        let (first, mut at) = (draft.block, 0usize);
        // Pages of the list add to runs that are not written yet.
        while at < self.runs.len() {
            if usize::from(draft.count) == RUNS {
                draft.turn(self, id)?;
            }
            let (start, len) = self.runs.get(at).copied().unwrap_or_default();
            draft.push(&start.to_le_bytes());
            draft.push(&len.to_le_bytes());
            draft.count = draft.count.saturating_add(1);
            at = at.saturating_add(1);
        }
        draft.finish(self, id, NONE)?;
        Ok(first)
    }
}

impl Pages for Noted<'_> {
    fn allocate(&mut self) -> Result<u32> {
        let block = self.pages.allocate()?;
        self.note(block)?;
        Ok(block)
    }

    fn write(&mut self, block: u32, body: &[u8]) -> Result<()> {
        self.pages.write(block, body)
    }
}

/// Calls `each` for every block on the list that begins at `first`.
pub(crate) fn each_block<S: PageStore>(
    source: Source<'_, S>,
    first: u32,
    each: &mut dyn FnMut(u32) -> Result<()>,
) -> Result<()> {
    let (mut block, mut left) = (first, source.pages);
    while block != NONE {
        let mut runs = Vec::new();
        let next = source.read(block, Part::Blocks, |header, body| {
            let mut bytes = Bytes::at(body, HEADER as u16, block)?;
            for _ in 0..header.count {
                runs.push((bytes.u32()?, bytes.u32()?));
            }
            Ok(header.next)
        })?;
        if runs.is_empty() {
            return Err(Error::corrupted(block, "list of blocks is not that of the segment"));
        }
        for (start, len) in runs {
            left = match left.checked_sub(len).filter(|_| len > 0) {
                Some(left) if start.checked_add(len).is_some() => left,
                _ => {
                    return Err(Error::corrupted(
                        block,
                        "list of blocks is not that of the segment",
                    ));
                }
            };
            for block in (start..).take(len as usize) {
                each(block)?;
            }
        }
        block = next;
    }
    if left != 0 {
        return Err(Error::corrupted(first, "list of blocks is not that of the segment"));
    }
    Ok(())
}
