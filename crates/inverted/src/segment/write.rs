//! Writes a segment.

use pages::{Error, HeapTid, Result};

use super::SegmentInfo;
use super::blocks::Noted;
use super::documents::DocumentWriter;
use super::root::{Groups, Root};
use crate::dictionary::Dictionary;
use crate::page::{Draft, NONE, Pages, Part, SPACE};
use crate::postings::Lists;
use crate::{MAX_TERM, Scoring};

/// Bytes of a long length: ordinal and length.
pub(super) const LONG_SIZE: usize = 8;

/// Writes a segment: first its documents, then its terms in ascending order, each with its postings.
#[derive(Debug)]
pub struct Writer<'p> {
    pub(super) pages: Noted<'p>,
    pub(super) id: u64,
    scoring: Scoring,
    positions: bool,
    pub(super) documents: DocumentWriter,
    pub(super) lists: Lists,
    pub(super) dictionary: Dictionary,
    pub(super) term: Option<Vec<u8>>,
    last: Option<u32>,
    pub(super) terms: u64,
    pub(super) postings: u64,
}

impl<'p> Writer<'p> {
    /// Begins the segment `id`, with positions if wanted.
    pub fn new(pages: &'p mut dyn Pages, scoring: Scoring, positions: bool, id: u64) -> Self {
        Self {
            pages: Noted::new(pages),
            id,
            scoring,
            positions,
            documents: DocumentWriter::new(id),
            lists: Lists::new(id, scoring, positions),
            dictionary: Dictionary::new(id),
            term: None,
            last: None,
            terms: 0,
            postings: 0,
        }
    }

    /// Adds the next document and returns its ordinal.
    ///
    /// # Errors
    /// [`Error::Limit`] beyond 2^31 − 1 documents, [`Error::Internal`] after the first term, and those
    /// of the pages.
    pub fn document(&mut self, tid: HeapTid, length: u32) -> Result<u32> {
        if self.term.is_some() {
            return Err(misused("a document is added after a term"));
        }
        let ordinal = self.documents.count;
        self.documents.push(&mut self.pages, tid, length)?;
        Ok(ordinal)
    }

    /// Begins the next term, of 0 to [`MAX_TERM`] bytes. A term without postings is left out.
    ///
    /// # Errors
    /// [`Error::Internal`] if it is not above the last or too long, and those of the pages.
    pub fn term(&mut self, term: &[u8]) -> Result<()> {
        if self.term.as_deref().is_some_and(|last| last >= term) || term.len() > MAX_TERM {
            return Err(misused("terms are out of order"));
        }
        self.finish_term()?;
        self.last = None;
        let buffer = self.term.get_or_insert_default();
        buffer.clear();
        buffer.extend_from_slice(term);
        Ok(())
    }

    /// Adds a posting of the term: `value` and `positions` as in [`crate::Posting`].
    ///
    /// # Errors
    /// [`Error::Internal`] if `ordinal` is not above the last or of no document, or `value` or the
    /// number of positions is out of range, and those of the pages.
    pub fn posting(&mut self, ordinal: u32, value: u32, positions: &[u32]) -> Result<()> {
        let Some(&length) = self.documents.codes.get(ordinal as usize) else {
            return Err(misused("a posting is of a document that does not exist"));
        };
        if self.term.is_none() || self.last.is_some_and(|last| last >= ordinal) {
            return Err(misused("postings are out of order"));
        }
        let fits = match self.scoring {
            Scoring::Bm25 { .. } => value != 0,
            Scoring::InnerProduct => f32::from_bits(value).is_finite(),
        };
        if !fits || self.positions && positions.len() != value as usize {
            return Err(misused("the value of a posting is out of range"));
        }
        self.last = Some(ordinal);
        self.postings += 1;
        self.lists.push(&mut self.pages, ordinal, value, length, positions)
    }

    pub(super) fn finish_term(&mut self) -> Result<()> {
        let count = self.lists.count();
        let Some(term) = self.term.as_deref().filter(|_| count > 0) else {
            return match self.term {
                None => self.documents.flush(&mut self.pages),
                Some(_) => Ok(()),
            };
        };
        let written = self.lists.finish_list(&mut self.pages)?;
        self.terms += 1;
        self.dictionary.push(&mut self.pages, term, count, &written)
    }

    /// Ends the segment, whose pages are then all written.
    ///
    /// # Errors
    /// Those of the pages.
    pub fn finish(mut self) -> Result<SegmentInfo> {
        self.finish_term()?;
        let (pages, id) = (&mut self.pages, self.id);
        self.lists.finish(pages)?;
        let tree = self.dictionary.finish(pages)?;
        let DocumentWriter { count, total_length, long, groups, .. } = self.documents;
        let long = write_long(pages, id, &long)?;
        let groups = Groups::write(groups, pages, id)?;
        let mut draft = Draft::new(pages, Part::Root)?;
        let blocks = pages.write(id)?;
        let root = Root {
            documents: count,
            positions: self.positions,
            inner_product: self.scoring == Scoring::InnerProduct,
            tree,
            terms: self.terms,
            total_length,
            postings: self.postings,
            long,
            blocks,
            pages: pages.count,
            groups,
        };
        root.write(&mut draft);
        let block = draft.block;
        draft.finish(pages, id, NONE)?;
        Ok(SegmentInfo { id, root: block, pages: root.pages, documents: count, total_length })
    }
}

/// Writes the list of long lengths: its number, and its first page.
fn write_long(pages: &mut Noted<'_>, id: u64, long: &[(u32, u32)]) -> Result<(u32, u32)> {
    if long.is_empty() {
        return Ok((0, NONE));
    }
    let mut draft = Draft::new(pages, Part::LongLengths)?;
    let first = draft.block;
    for &(ordinal, length) in long {
        if usize::from(draft.count) == SPACE / LONG_SIZE {
            draft.turn(pages, id)?;
        }
        draft.push(&ordinal.to_le_bytes());
        draft.push(&length.to_le_bytes());
        draft.count += 1;
    }
    draft.finish(pages, id, NONE)?;
    Ok((long.len() as u32, first))
}

fn misused(what: &str) -> Error {
    Error::Internal(format!("inverted index: {what}"))
}
