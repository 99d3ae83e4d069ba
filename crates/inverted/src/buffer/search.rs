//! Finding the documents of the write buffer that hold terms of a query.

use memory::Grow;
use pages::{Error, HeapTid, PageStore, Result};

use super::hash;
use super::page::{Page, PartOf, push_positions};
use crate::meta::Options;
use crate::score::{Scoring, Statistics};
use crate::snapshot::Snapshot;

/// A document of the write buffer that holds terms of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferDocument {
    /// The row.
    pub tid: HeapTid,
    /// Number of tokens.
    pub length: u32,
    /// Where its matches end; they begin where those of the document before end.
    matches_end: usize,
}

/// A term of a query in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferMatch {
    /// Number of the term in the query.
    pub term: u32,
    /// As in [`crate::Posting`].
    pub value: u32,
    /// Where its positions begin and end.
    positions: [usize; 2],
}

/// What the write buffer holds of a query.
#[derive(Clone, Debug, Default)]
pub struct BufferMatches {
    /// Of all documents of the buffer.
    pub statistics: Statistics,
    /// How many documents of the buffer hold each term.
    pub frequencies: Vec<u64>,
    documents: Vec<BufferDocument>,
    matches: Vec<BufferMatch>,
    positions: Vec<u32>,
}

impl BufferMatches {
    /// The documents that hold any of the terms, each with its matches, in the order of terms in the
    /// document.
    pub fn documents(&self) -> impl ExactSizeIterator<Item = (BufferDocument, &[BufferMatch])> {
        let mut start = 0;
        self.documents.iter().map(move |document| {
            let matches = self.matches.get(start..document.matches_end).unwrap_or_default();
            start = document.matches_end;
            (*document, matches)
        })
    }

    /// The ascending positions of a match; none if they were not asked for.
    pub fn positions(&self, of: &BufferMatch) -> &[u32] {
        let [start, end] = of.positions;
        self.positions.get(start..end).unwrap_or_default()
    }
}

/// Bits of a hash that tell whether it may be one of the query.
const FILTER_BITS: u32 = 12;

/// Words of a column that are looked at together.
const CHUNK: usize = 16;

/// The terms of a query, to be found by their hashes.
struct Query<'a> {
    /// Hashes in ascending order, each with the number of the term.
    hashes: Vec<(u32, u32)>,
    terms: &'a [&'a [u8]],
    filter: [u64; 1 << (FILTER_BITS - 6)],
}

impl<'a> Query<'a> {
    fn new(terms: &'a [&'a [u8]], weighted: bool) -> Result<Self> {
        let mut query = Self { hashes: memory::with_room(terms.len())?, terms, filter: [0; 64] };
        for (number, term) in (0..).zip(terms) {
            let hash = hash(term, weighted);
            query.hashes.push((hash, number));
            let bit = Self::bit(hash);
            query.filter[bit / 64] |= 1 << (bit % 64);
        }
        query.hashes.sort_unstable();
        Ok(query)
    }

    /// Hashes of short terms differ in their upper bits, dimensions in their lower ones.
    fn bit(hash: u32) -> usize {
        (hash.wrapping_mul(0x9e37_79b1) >> (32 - FILTER_BITS)) as usize
    }

    #[inline]
    fn may_hold(&self, hash: u32) -> bool {
        let bit = Self::bit(hash);
        self.filter[bit / 64] & 1 << (bit % 64) != 0
    }

    /// A bit for each chunk of words that may hold a hash of the query.
    fn chunks(&self, words: &[[u8; 4]]) -> u128 {
        match self.hashes.len() {
            0 => 0,
            1 => self.chunks_of::<1>(words),
            2 => self.chunks_of::<2>(words),
            3 | 4 => self.chunks_of::<4>(words),
            5..=8 => self.chunks_of::<8>(words),
            _ => chunks(words, |word| self.may_hold(u32::from_le_bytes(word))),
        }
    }

    /// The same for at most `N` hashes: comparisons of many words at a time.
    fn chunks_of<const N: usize>(&self, words: &[[u8; 4]]) -> u128 {
        let last = self.hashes.len().saturating_sub(1);
        let hashes: [u32; N] = std::array::from_fn(|i| self.hashes[i.min(last)].0);
        chunks(words, |word| {
            let word = u32::from_le_bytes(word);
            hashes.iter().fold(false, |any, &hash| any | (word == hash))
        })
    }

    /// Numbers of the terms with this hash.
    fn find(&self, hash: u32) -> impl Iterator<Item = u32> {
        let from = self.hashes.partition_point(|&(other, _)| other < hash);
        let same = self.hashes[from..].iter().take_while(move |&&(other, _)| other == hash);
        same.map(|&(_, number)| number)
    }
}

/// A bit for each chunk with a word that `may_match`.
#[inline]
fn chunks(words: &[[u8; 4]], may_match: impl Fn([u8; 4]) -> bool) -> u128 {
    let (whole, rest) = words.as_chunks::<CHUNK>();
    let mut bits = 0;
    for (i, chunk) in whole.iter().enumerate() {
        let any = chunk.iter().fold(false, |any, &word| any | may_match(word));
        bits |= u128::from(any) << (i & 127);
    }
    bits | u128::from(rest.iter().any(|&word| may_match(word))) << (whole.len() & 127)
}

/// The bits of the chunks in which the words from `first` on lie, at least one.
fn chunks_between(first: usize, len: usize) -> u128 {
    let (from, to) = (first / CHUNK, (first + len.max(1) - 1) / CHUNK);
    (u128::MAX << (from & 127)) & (u128::MAX >> (127 - (to & 127)))
}

/// Finds the documents of the buffer, as far as `snapshot` knows it, that hold any of `terms`, which are
/// distinct, with their positions if asked for. None if the buffer was emptied meanwhile: the snapshot
/// is outdated.
pub(crate) fn search<S: PageStore>(
    store: &S,
    snapshot: &Snapshot,
    terms: &[&[u8]],
    positions: bool,
) -> Result<Option<BufferMatches>> {
    let options = snapshot.options();
    let query = Query::new(terms, options.scoring == Scoring::InnerProduct)?;
    let frequencies = memory::filled(terms.len(), 0)?;
    let mut found = BufferMatches { frequencies, ..BufferMatches::default() };
    let mut search = Search { query, options, positions, found: &mut found, open: false };
    for (sequence, &block) in (snapshot.first_sequence()..).zip(snapshot.buffer()) {
        store.pause()?;
        let body = store.read(block)?;
        let Some(page) = Page::open(&body, block, sequence)? else { return Ok(None) };
        search.page(page, block)?;
    }
    Ok(Some(found))
}

struct Search<'a> {
    query: Query<'a>,
    options: Options,
    positions: bool,
    found: &'a mut BufferMatches,
    /// Whether the last document found goes on in the next page.
    open: bool,
}

impl Search<'_> {
    fn page(&mut self, page: Page<'_>, block: u32) -> Result<()> {
        let statistics = &mut self.found.statistics;
        statistics.documents += page.statistics.documents;
        statistics.total_length =
            statistics.total_length.saturating_add(page.statistics.total_length);
        let chunks = self.query.chunks(page.words());
        if chunks == 0 {
            return Ok(());
        }
        for part in page.parts() {
            let part = part?;
            if chunks & chunks_between(part.first_word, part.hashes.len()) != 0 {
                self.part(part, block)?;
            }
        }
        Ok(())
    }

    /// Looks at the terms of a part.
    fn part(&mut self, part: PartOf<'_>, block: u32) -> Result<()> {
        let weighted = self.options.scoring == Scoring::InnerProduct;
        let before = self.found.matches.len();
        for (i, &hash) in part.hashes.iter().enumerate() {
            let hash = u32::from_le_bytes(hash);
            if !self.query.may_hold(hash) {
                continue;
            }
            for term in self.query.find(hash) {
                let of = part.term(i, self.options)?;
                let same =
                    |&other: &&[u8]| if weighted { other.len() == 4 } else { other == of.term };
                if !self.query.terms.get(term as usize).is_some_and(same) {
                    continue;
                }
                let start = self.found.positions.len();
                if self.positions {
                    self.found
                        .positions
                        .try_reserve(of.positions.len())
                        .map_err(|_| Error::OutOfMemory)?;
                    let ascend = push_positions(of.positions, &mut self.found.positions);
                    let pushed = self.found.positions.len() - start;
                    if self.options.positions && (!ascend || pushed != of.value as usize) {
                        return Err(Error::corrupted(block, "positions do not ascend"));
                    }
                }
                let positions = [start, self.found.positions.len()];
                self.found.matches.try_push(BufferMatch { term, value: of.value, positions })?;
                if let Some(frequency) = self.found.frequencies.get_mut(term as usize) {
                    *frequency += 1;
                }
            }
        }
        let matches_end = self.found.matches.len();
        let last = self.found.documents.last_mut();
        match last.filter(|last| self.open && part.is_continued() && last.tid == part.tid()) {
            Some(last) => last.matches_end = matches_end,
            None if matches_end > before => {
                let (tid, length) = (part.tid(), part.length());
                self.found.documents.try_push(BufferDocument { tid, length, matches_end })?;
            }
            None => return Ok(()),
        }
        self.open = part.continues();
        Ok(())
    }
}
