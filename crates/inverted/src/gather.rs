//! Documents in memory, to be written as a segment or a run of a build.

use memory::{Grow, filled, with_room};
use pages::{Error, HeapTid, Result};

use crate::buffer::{push_number, take_number};
use crate::document::Document;
use crate::term_table::TermTable;

/// Postings between two pauses.
const PAUSE: usize = 4_096;

/// A posting; all of a document follow each other.
#[derive(Clone, Copy, Debug)]
struct Posting {
    term: u32,
    document: u32,
    value: u32,
    /// Where its positions begin.
    positions: u32,
}

/// Documents and their postings.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    documents: Vec<(HeapTid, u32)>,
    terms: TermTable,
    postings: Vec<Posting>,
    /// Positions in LEB128: the first and the gaps to the others.
    positions: Vec<u8>,
}

impl Gathered {
    /// The documents: row and length.
    pub(crate) fn documents(&self) -> &[(HeapTid, u32)] {
        &self.documents
    }

    /// Bytes of memory in use, and of those that writing takes, about.
    pub(crate) fn memory(&self) -> usize {
        self.documents.capacity() * size_of::<(HeapTid, u32)>()
            + self.postings.capacity() * (size_of::<Posting>() + 4)
            + self.positions.capacity()
            + self.terms.memory()
            + self.terms.len() * 20
    }

    /// Whether numbers may soon not tell where more would lie.
    pub(crate) fn is_full(&self) -> bool {
        const MOST: usize = 1 << 31;
        self.positions.len() > MOST || self.postings.len() > MOST || self.terms.bytes() > MOST
    }

    /// Begins a document.
    pub(crate) fn begin(&mut self, tid: HeapTid, length: u32) -> Result<()> {
        if self.documents.len() >= (u32::MAX - 1) as usize {
            return Err(Error::Limit("too many documents for one segment"));
        }
        Ok(self.documents.try_push((tid, length))?)
    }

    /// Adds a posting to the document that was begun last; `positions` as they are kept here.
    pub(crate) fn posting(&mut self, term: &[u8], value: u32, positions: &[u8]) -> Result<()> {
        let term = self.terms.number(term)?;
        self.push(term, value)?;
        self.positions.try_reserve(positions.len()).map_err(|_| Error::OutOfMemory)?;
        self.positions.extend_from_slice(positions);
        Ok(())
    }

    /// Adds a document.
    pub(crate) fn document(&mut self, document: &Document) -> Result<()> {
        self.begin(document.tid, document.length)?;
        for posting in &document.postings {
            let term = self.terms.number(&posting.term)?;
            self.push(term, posting.value)?;
            let mut before = 0;
            // A number takes at most five bytes.
            let room = posting.positions.len().saturating_mul(5);
            self.positions.try_reserve(room).map_err(|_| Error::OutOfMemory)?;
            for &position in &posting.positions {
                push_number(position.wrapping_sub(before), &mut self.positions);
                before = position;
            }
        }
        Ok(())
    }

    fn push(&mut self, term: u32, value: u32) -> Result<()> {
        let positions = u32::try_from(self.positions.len());
        let positions = positions.map_err(|_| Error::Limit("too many positions at a time"))?;
        // Documents are numbered below 2^32.
        let document = (self.documents.len() as u32).saturating_sub(1);
        Ok(self.postings.try_push(Posting { term, document, value, positions })?)
    }

    /// Tells each term in ascending order, then its postings in order of documents: ordinal, value and
    /// positions, of which there are none or as many as the value says. Calls `pause` every few thousand
    /// postings.
    pub(crate) fn tell(
        &self,
        positions: bool,
        pause: &dyn Fn() -> Result<()>,
        to: &mut dyn Sink,
    ) -> Result<()> {
        let mut ends = filled(self.terms.len(), 0u32)?;
        for postings in self.postings.chunks(PAUSE) {
            pause()?;
            postings.iter().for_each(|posting| ends[posting.term as usize] += 1);
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += std::mem::replace(end, sum);
        }
        let mut order = filled(self.postings.len(), 0u32)?;
        for (i, posting) in (0..).zip(&self.postings) {
            if (i as usize).is_multiple_of(PAUSE) {
                pause()?;
            }
            let end = &mut ends[posting.term as usize];
            order[*end as usize] = i;
            *end += 1;
        }
        let (mut numbers, mut told) = (with_room(0)?, 0usize);
        for term in self.terms.sorted()? {
            to.term(self.terms.term(term))?;
            let start = (term as usize).checked_sub(1).map_or(0, |before| ends[before]);
            for &i in &order[start as usize..ends[term as usize] as usize] {
                if told.is_multiple_of(PAUSE) {
                    pause()?;
                }
                told += 1;
                let posting = self.postings[i as usize];
                numbers.clear();
                if positions {
                    let mut bytes = &self.positions[posting.positions as usize..];
                    let mut position = 0u32;
                    for _ in 0..posting.value {
                        position = position.wrapping_add(take_number(&mut bytes).unwrap_or(0));
                        numbers.try_push(position)?;
                    }
                }
                to.posting(posting.document, posting.value, &numbers)?;
            }
        }
        Ok(())
    }
}

/// Who is told terms and postings in order.
pub(crate) trait Sink {
    /// The next term.
    fn term(&mut self, term: &[u8]) -> Result<()>;

    /// The next posting of the term.
    fn posting(&mut self, ordinal: u32, value: u32, positions: &[u32]) -> Result<()>;
}
