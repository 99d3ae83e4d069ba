//! A segment that is written in several parts, between which nothing is in memory.
//!
//! | bytes | field |
//! |---|---|
//! | 4, … | complete groups of documents, and for each four blocks (u32 each) |
//! | … | pages of postings, skip entries, positions that are begun: 0 (u8), or 1 and the page |
//! | 4, 1, … | dictionary: first leaf (u32), levels (u8), and for each the page that is begun, then separator, last key and offsets of runs, each after its length (u16) |
//! | 8, 8 | terms, postings (u64) |
//! | 2, … | the last term after its length (u16), 65,535 if there is none |
//!
//! A page that is begun: block (u32), part, level (u8 each), count (u16), and what was written after its
//! length (u16).

use memory::Grow;
use pages::{Error, META_BLOCK, Result};

use super::documents::GroupPages;
use super::write::Writer;
use crate::bytes::Bytes;
use crate::dictionary::Dictionary;
use crate::owned::Owned;
use crate::progress::MAX_STATE;

/// In place of the length of a term that is not.
const NO_TERM: u16 = u16::MAX;

impl Writer<'_> {
    /// Appends all that [`Writer::restore`] needs to go on with the next term. All documents were added.
    /// False if that would be more than [`MAX_STATE`] bytes.
    pub(crate) fn save(&mut self, out: &mut Vec<u8>) -> Result<bool> {
        self.finish_term()?;
        // All else is bounded.
        if self.documents.groups.len() > MAX_STATE / GroupPages::SIZE {
            return Ok(false);
        }
        out.extend((self.documents.groups.len() as u32).to_le_bytes());
        for group in &self.documents.groups {
            out.try_extend(group.to_bytes())?;
        }
        self.lists.save(out);
        self.dictionary.save(out);
        out.extend(self.terms.to_le_bytes());
        out.extend(self.postings.to_le_bytes());
        out.extend(self.term.as_ref().map_or(NO_TERM, |term| term.len() as u16).to_le_bytes());
        out.extend(self.term.iter().flatten());
        Ok(out.len() <= MAX_STATE)
    }

    /// Takes up a segment where it was saved, after these pages were handed out, and returns the last term.
    /// To be called first of all; then all documents are to be added once more, and [`Writer::go_on`] to be
    /// called.
    pub(crate) fn restore(
        &mut self,
        bytes: &mut Bytes<'_>,
        handed_out: &[u32],
    ) -> Result<Option<Vec<u8>>> {
        handed_out.iter().try_for_each(|&block| self.pages.note(block))?;
        let mut owned = Owned::new(handed_out)?;
        let mut groups = Vec::new();
        for _ in 0..bytes.u32()? {
            let group = GroupPages::from_bytes(&bytes.array()?);
            owned.claim(group.lengths, false, bytes)?;
            group.tids.iter().try_for_each(|&block| owned.claim(block, true, bytes))?;
            groups.try_push(group)?;
        }
        self.documents.restore(groups);
        self.lists.restore(bytes, &mut owned)?;
        self.dictionary = Dictionary::restore(self.id, bytes, &mut owned)?;
        (self.terms, self.postings) = (bytes.u64()?, bytes.u64()?);
        match bytes.u16()? {
            NO_TERM => Ok(None),
            len => Ok(Some(memory::copied(bytes.take(len.into())?)?)),
        }
    }

    /// Goes on after `term`, which is what [`Writer::restore`] returned.
    pub(crate) fn go_on(&mut self, term: Option<Vec<u8>>) -> Result<()> {
        self.documents.flush(&mut self.pages)?;
        if !self.documents.is_complete() {
            return Err(Error::corrupted(META_BLOCK, "state of a merge is of other documents"));
        }
        self.term = term;
        Ok(())
    }

    /// Pages so far.
    pub(crate) fn pages(&self) -> u32 {
        self.pages.count
    }
}
