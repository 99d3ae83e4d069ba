//! All terms in order.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use memory::copied;
use pages::{Error, PAGE_USABLE, PageStore, Result};

use super::entry::Entry;
use super::keys::Key;
use crate::bytes::Bytes;
use crate::page::{HEADER, NONE, Part};
use crate::segment::Reader;

/// A cursor on the terms of a segment, in ascending order.
pub struct Terms<'r, 's, S: PageStore> {
    reader: &'r Reader<'s, S>,
    /// A copy of the current leaf.
    leaf: Vec<u8>,
    block: u32,
    next: u32,
    /// Entries of the leaf that are left, and where they begin.
    left: u16,
    at: usize,
    key: Key,
    /// The last term.
    last: Vec<u8>,
    started: bool,
}

impl<S: PageStore> std::fmt::Debug for Terms<'_, '_, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terms").field("block", &self.block).finish_non_exhaustive()
    }
}

impl<'r, 's, S: PageStore> Terms<'r, 's, S> {
    pub(crate) fn new(reader: &'r Reader<'s, S>, first_leaf: u32) -> Self {
        Self {
            reader,
            leaf: Vec::new(),
            block: NONE,
            next: first_leaf,
            left: 0,
            at: HEADER,
            key: Key::new(),
            last: Vec::new(),
            started: false,
        }
    }

    /// As [`Terms::next`], for the first term that is above `term`.
    pub(crate) fn next_after(&mut self, term: &[u8]) -> Result<Option<(&[u8], Entry)>> {
        loop {
            let Some((next, entry)) = self.next()? else { return Ok(None) };
            if next > term {
                return Ok(Some((&self.last, entry)));
            }
        }
    }

    /// The next term and its entry.
    ///
    /// # Errors
    /// Those of the store, and of damaged pages.
    #[allow(clippy::should_implement_trait)] // lends the term
    pub fn next(&mut self) -> Result<Option<(&[u8], Entry)>> {
        while self.left == 0 {
            if self.next == NONE {
                return Ok(None);
            }
            self.turn()?;
        }
        self.left = self.left.saturating_sub(1);
        let mut bytes = Bytes::new(self.leaf.get(self.at..).unwrap_or(&[]), self.block);
        self.key.read(&mut bytes)?;
        let (documents, scoring) = (self.reader.info().documents, self.reader.scoring());
        let entry = Entry::read(&mut bytes, self.block, documents, scoring)?;
        self.at = PAGE_USABLE.saturating_sub(bytes.rest().len());
        if self.started && self.last[..] >= *self.key.get() {
            return Err(Error::corrupted(self.block, "terms are out of order"));
        }
        self.started = true;
        self.last.clear();
        self.last.extend_from_slice(self.key.get());
        Ok(Some((&self.last, entry)))
    }

    fn turn(&mut self) -> Result<()> {
        self.block = self.next;
        let block = self.block;
        (self.leaf, self.left, self.next) =
            self.reader.source().read(block, Part::Dictionary, |header, body| {
                if header.level != 0 || header.count == 0 {
                    return Err(Error::corrupted(
                        block,
                        "page of the dictionary has another level",
                    ));
                }
                Ok((copied(body.get(..PAGE_USABLE).unwrap_or(&[]))?, header.count, header.next))
            })?;
        (self.at, self.key) = (HEADER, Key::new());
        Ok(())
    }
}
