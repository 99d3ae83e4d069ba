//! Pages that are written once, in the order of their blocks.

use std::collections::BTreeMap;

use pages::{Error, PAGE_BODY, Result};

use crate::meta::Chain;
use crate::page::Pages;
use crate::page_list::{self, CAPACITY};

/// Passes pages on in order; those that come early wait.
pub(super) struct AppendedPages<'a> {
    first: u32,
    next: u32,
    appended: u32,
    waiting: BTreeMap<u32, Vec<u8>>,
    append: &'a mut dyn FnMut(&[u8]) -> Result<()>,
}

impl<'a> AppendedPages<'a> {
    /// Blocks from `first` on.
    pub(super) fn new(first: u32, append: &'a mut dyn FnMut(&[u8]) -> Result<()>) -> Self {
        Self { first, next: first, appended: first, waiting: BTreeMap::new(), append }
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

impl Pages for AppendedPages<'_> {
    fn allocate(&mut self) -> Result<u32> {
        let block = self.next;
        let full = Error::Limit("the index has too many pages");
        self.next = block.checked_add(1).filter(|&next| next < u32::MAX).ok_or(full)?;
        Ok(block)
    }

    fn write(&mut self, block: u32, body: &[u8]) -> Result<()> {
        if block != self.appended {
            self.waiting.insert(block, memory::copied(body)?);
            return Ok(());
        }
        (self.append)(body)?;
        self.appended += 1;
        while let Some(body) = self.waiting.remove(&self.appended) {
            (self.append)(&body)?;
            self.appended += 1;
        }
        Ok(())
    }
}
