//! Reads a segment.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use std::cell::OnceCell;
use std::rc::Rc;

use memory::Grow;
use pages::{Error, HeapTid, PageStore, Result};

use super::SegmentInfo;
use super::blocks::each_block;
use super::documents::{Documents, GROUP, LONG, TIDS, read_lengths, read_tids, read_tids_at};
use super::head::Head;
use crate::Scoring;
use crate::bytes::Bytes;
use crate::dictionary::{Entry, Stored, Terms, find, leaf};
use crate::page::{HEADER, NONE, Part, Source};
use crate::postings::{Place, Postings, Skips};

/// A segment that is open for reading.
///
/// A page of another segment is [`Error::Corrupted`]. If the directory has changed meanwhile, the
/// segment was merged away and its pages are used again; otherwise the index is damaged.
#[derive(Debug)]
pub struct Reader<'s, S: PageStore> {
    source: Source<'s, S>,
    info: SegmentInfo,
    scoring: Scoring,
    head: Rc<Head>,
    /// Long lengths by ordinal, once they were asked for.
    long: OnceCell<Vec<(u32, u32)>>,
}

impl<'s, S: PageStore> Reader<'s, S> {
    /// Opens a segment.
    ///
    /// # Errors
    /// Those of the store, and of damaged pages; so for all that follows.
    pub fn open(store: &'s S, info: &SegmentInfo, scoring: Scoring) -> Result<Self> {
        let source = Source { store, id: info.id, pages: info.pages };
        let head = Rc::new(Head::read(source, info, scoring)?);
        Ok(Self::with_head(source, info, scoring, head))
    }

    /// Opens a segment whose head is known.
    pub(super) fn with_head(
        source: Source<'s, S>,
        info: &SegmentInfo,
        scoring: Scoring,
        head: Rc<Head>,
    ) -> Self {
        Self { source, info: *info, scoring, head, long: OnceCell::new() }
    }

    /// What the directory says.
    pub fn info(&self) -> &SegmentInfo {
        &self.info
    }

    /// How documents are ranked.
    pub fn scoring(&self) -> Scoring {
        self.scoring
    }

    /// Whether positions are stored.
    pub fn has_positions(&self) -> bool {
        self.head.root.positions
    }

    /// Number of terms.
    pub fn number_of_terms(&self) -> u64 {
        self.head.root.terms
    }

    /// Number of postings, those of dead documents included.
    pub fn number_of_postings(&self) -> u64 {
        self.head.root.postings
    }

    pub(crate) fn source(&self) -> Source<'s, S> {
        self.source
    }

    /// What the segment knows of a term. Reads one page for each level of the dictionary whose
    /// page is not known.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn lookup(&self, term: &[u8]) -> Result<Option<Entry>> {
        let Head { root, top, .. } = &*self.head;
        let top = top.as_ref().map(|(header, body)| (*header, &body[..]));
        find(self.source, root.tree, top, term, self.info.documents, self.scoring)
    }

    /// All terms in ascending order.
    pub fn terms(&self) -> Terms<'_, 's, S> {
        Terms::new(self, self.head.root.tree.first_leaf)
    }

    /// The terms from some place on that is not behind the first above `term`.
    pub(crate) fn terms_near(&self, term: &[u8]) -> Result<Terms<'_, 's, S>> {
        let Head { root, top, .. } = &*self.head;
        let top = top.as_ref().map(|(header, body)| (*header, &body[..]));
        let leaf = leaf(self.source, root.tree, top, term)?;
        Ok(Terms::new(self, leaf.unwrap_or(root.tree.first_leaf)))
    }

    /// The postings of a term, from the first on.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn postings(&self, entry: &Entry) -> Result<Postings<'_, 's, S>> {
        Postings::new(self, entry)
    }

    /// The skip entries of a list that is not inline.
    pub(crate) fn skips(&self, entry: &Entry) -> Result<Skips> {
        let Stored::At(spot, bound) = entry.stored else {
            return Err(Error::Internal("inline postings have no skip entries".to_owned()));
        };
        let place = Place::new(entry.count, spot);
        Skips::open(self.source, self.scoring, entry.count, place, bound, self.info.documents)
    }

    /// Number of groups of documents.
    pub fn groups(&self) -> usize {
        (self.info.documents as usize).div_ceil(GROUP)
    }

    /// Documents of a group.
    pub(crate) fn group_len(&self, group: usize) -> usize {
        (self.info.documents as usize).saturating_sub(group.saturating_mul(GROUP)).min(GROUP)
    }

    /// The documents `group · 3,776` and following.
    ///
    /// # Errors
    /// As [`Reader::open`]; also of a group that does not exist.
    pub fn documents(&self, group: usize) -> Result<Documents> {
        let (mut lengths, mut dead) = (Box::new([0; GROUP]), [0; GROUP / 64]);
        let block = self.lengths(group, &mut lengths[..], &mut dead)?;
        let count = self.group_len(group);
        let first = group.saturating_mul(GROUP) as u32;
        let mut documents = Documents {
            first,
            tids: Vec::new(),
            lengths: memory::with_room(count)?,
            dead: memory::copied(&dead)?,
            block,
        };
        self.tids(group, &mut documents.tids)?;
        for (&length, ordinal) in lengths.iter().take(count).zip(first..) {
            documents.lengths.push(self.exact_length(ordinal, length)?);
        }
        Ok(documents)
    }

    /// Reads lengths as stored, and dead bits. Returns the block of the page.
    pub(crate) fn lengths(
        &self,
        group: usize,
        lengths: &mut [u16],
        dead: &mut [u64; GROUP / 64],
    ) -> Result<u32> {
        let block = self.head.root.groups.get(self.source, group)?.lengths;
        read_lengths(self.source, block, lengths, dead)?;
        Ok(block)
    }

    /// The tids of a group, in place of what is in `out`.
    pub(crate) fn tids(&self, group: usize, out: &mut Vec<HeapTid>) -> Result<()> {
        let pages = self.head.root.groups.get(self.source, group)?;
        let mut left = self.group_len(group);
        out.clear();
        for block in pages.tids {
            let count = left.min(TIDS);
            left = left.saturating_sub(count);
            if count > 0 {
                read_tids(self.source, block, count, out)?;
            }
        }
        Ok(())
    }

    /// The tids of documents at ascending places of a group, in place of what is in `out`.
    pub(crate) fn tids_at(
        &self,
        group: usize,
        places: impl Iterator<Item = usize>,
        out: &mut Vec<HeapTid>,
    ) -> Result<()> {
        let pages = self.head.root.groups.get(self.source, group)?;
        let mut places = places.peekable();
        out.clear();
        while let Some(page) = places.peek().map(|place| place / TIDS) {
            let block = pages.tids.get(page).copied().unwrap_or(NONE);
            let here = std::iter::from_fn(|| places.next_if(|place| place / TIDS == page));
            read_tids_at(self.source, block, here.map(|place| place % TIDS), out)?;
        }
        Ok(())
    }

    /// The length of a document of which `length` is stored.
    #[inline]
    pub(crate) fn exact_length(&self, ordinal: u32, length: u16) -> Result<u32> {
        if length != LONG {
            return Ok(length.into());
        }
        if self.long.get().is_none() {
            let long = self.read_long()?;
            self.long.get_or_init(|| long);
        }
        let long = self.long.get().map_or(&[][..], |long| long);
        match long
            .binary_search_by_key(&ordinal, |&(ordinal, _)| ordinal)
            .ok()
            .and_then(|at| long.get(at))
        {
            Some(&(_, length)) => Ok(length),
            None => Err(Error::corrupted(self.info.root, "length of a long document is missing")),
        }
    }

    fn read_long(&self) -> Result<Vec<(u32, u32)>> {
        let (count, mut block) = self.head.root.long;
        let mut long: Vec<(u32, u32)> = Vec::new();
        while block != NONE {
            block = self.source.read(block, Part::LongLengths, |header, body| {
                let mut bytes = Bytes::at(body, HEADER as u16, block)?;
                for _ in 0..header.count {
                    let (ordinal, length) = (bytes.u32()?, bytes.u32()?);
                    if long.last().is_some_and(|&(last, _)| last >= ordinal) {
                        return Err(bytes.error("long lengths are out of order"));
                    }
                    long.try_push((ordinal, length))?;
                }
                if header.count == 0 || long.len() > count as usize {
                    return Err(bytes.error("list of long lengths has another number"));
                }
                Ok(header.next)
            })?;
        }
        Ok(long)
    }

    /// Calls `each` for every block of the segment, once.
    ///
    /// # Errors
    /// As [`Reader::open`], and those of `each`.
    pub fn blocks(&self, each: &mut dyn FnMut(u32) -> Result<()>) -> Result<()> {
        each_block(self.source, self.head.root.blocks, each)
    }
}
