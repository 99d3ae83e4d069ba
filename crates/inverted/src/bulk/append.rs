//! Pages that are written once, in the order of their blocks.
//!
//! Few pages wait for others, as long as none is open while many are written. The page of the dictionary
//! that is being filled is while the postings of a frequent term are.

use std::collections::BTreeMap;

use memory::Grow;
use pages::{Error, PAGE_BODY, Result};
use space::{Space, Table};

use super::{Pause, no_space};
use crate::meta::Chain;
use crate::page::Pages;
use crate::page_list::{self, CAPACITY};

/// Passes pages on in order; those that come early wait.
pub(super) struct AppendedPages<'a, 'h> {
    first: u32,
    next: u32,
    appended: u32,
    /// Rows of `bodies` with the pages that wait, by block.
    waiting: BTreeMap<u32, usize>,
    bodies: Table<u8>,
    /// Rows that are not in use.
    unused: Vec<usize>,
    space: &'a mut Space<'h>,
    pause: &'a Pause<'h>,
    append: &'a mut dyn FnMut(&[u8]) -> Result<()>,
}

impl<'a, 'h> AppendedPages<'a, 'h> {
    /// Blocks from `first` on. Pages wait in `space`.
    pub(super) fn new(
        first: u32,
        space: &'a mut Space<'h>,
        pause: &'a Pause<'h>,
        append: &'a mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Self {
        let (waiting, unused) = (BTreeMap::new(), Vec::new());
        let bodies = Table::within_space(PAGE_BODY);
        Self { first, next: first, appended: first, waiting, bodies, unused, space, pause, append }
    }

    /// Keeps a page until all before it are written.
    fn keep(&mut self, block: u32, body: &[u8]) -> Result<()> {
        let row = match self.unused.pop() {
            Some(row) => {
                self.bodies.row_mut(row).copy_from_slice(body);
                row
            }
            None => {
                self.bodies.push(body, self.space).map_err(no_space)?;
                self.bodies.len() - 1
            }
        };
        self.waiting.insert(block, row);
        Ok(())
    }

    /// The next block.
    pub(super) fn next(&self) -> u32 {
        self.next
    }

    /// Writes the list of all blocks so far.
    pub(super) fn list(&mut self) -> Result<Chain> {
        let end = self.next;
        let first = end;
        let mut body = memory::filled(PAGE_BODY, 0)?;
        let mut from = self.first;
        loop {
            let to = end.min(from.saturating_add(CAPACITY as u32));
            let numbers: Vec<u32> = (from..to).collect();
            let block = self.allocate()?;
            let next = (to < end).then_some(self.next);
            page_list::write(&mut body, block, next, &numbers);
            self.write(block, &body)?;
            if next.is_none() {
                return Ok(Chain { first, last: block });
            }
            body.fill(0);
            from = to;
        }
    }
}

impl Pages for AppendedPages<'_, '_> {
    fn allocate(&mut self) -> Result<u32> {
        let block = self.next;
        let full = Error::Limit("the index has too many pages");
        self.next = block.checked_add(1).filter(|&next| next < u32::MAX).ok_or(full)?;
        Ok(block)
    }

    fn write(&mut self, block: u32, body: &[u8]) -> Result<()> {
        (self.pause)()?;
        if block != self.appended {
            return self.keep(block, body);
        }
        (self.append)(body)?;
        self.appended += 1;
        while let Some(row) = self.waiting.remove(&self.appended) {
            (self.pause)()?;
            (self.append)(self.bodies.row(row))?;
            self.unused.try_push(row)?;
            self.appended += 1;
        }
        Ok(())
    }
}
