//! A page of the write buffer.
//!
//! Body: sequence number (u64), sum of the lengths of documents that begin here (u64), their number
//! (u16), bytes of the column (u16), bytes of the payloads (u16), whether it is sealed (u8), zero (u8).
//! Then the column: for each part its number of terms (u16), the bytes of its payload (u16) and the
//! hashes. Payloads fill the page from its end: that of the first part ends the page.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use pages::{Error, HeapTid, PAGE_USABLE, PageKind, Result, init_page, page_kind};

use super::encode::{CONTINUED, CONTINUES, LONG, PREFIX, Part};
use crate::fields::{put, u16_at, u32_at, u64_at};
use crate::meta::Options;
use crate::score::{Scoring, Statistics};

mod at {
    pub const SEQUENCE: usize = 0;
    pub const LENGTH: usize = 8;
    pub const DOCUMENTS: usize = 16;
    pub const COLUMN: usize = 18;
    pub const PAYLOADS: usize = 20;
    pub const SEALED: usize = 22;
}

const HEADER: usize = 24;

/// Bytes for parts in a page.
pub(crate) const ROOM: usize = PAGE_USABLE - HEADER;

/// What became of a part that was to be appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Appended {
    /// It was.
    Done,
    /// There is no room, or the page is sealed.
    Full,
    /// The page has another number: it was emptied.
    Gone,
}

/// Makes the page of `block` an empty one with this number.
pub(crate) fn init(body: &mut [u8], block: u32, sequence: u64) {
    body[..PAGE_USABLE].fill(0);
    init_page(body, PageKind::Buffer, block);
    put(body, at::SEQUENCE, &sequence.to_le_bytes());
}

/// Appends a part to the page of `block`, if it is the one with this number.
pub(crate) fn append(body: &mut [u8], block: u32, sequence: u64, part: &Part) -> Result<Appended> {
    let Some(page) = Page::open(body, block, sequence)? else { return Ok(Appended::Gone) };
    let used = page.column.len().saturating_add(page.payloads.len());
    if page.sealed || used.saturating_add(part.size()) > ROOM {
        return Ok(Appended::Full);
    }
    let (column, payloads) = (page.column.len(), page.payloads.len());
    let mut statistics = page.statistics;
    if part.payload.get(6).is_some_and(|flags| flags & CONTINUED == 0) {
        statistics.documents = statistics.documents.saturating_add(1);
        statistics.total_length =
            statistics.total_length.saturating_add(u64::from(u32_at(&part.payload, 7)));
    }
    // A part fits a page, so do its counts fit 16 bits.
    let small = |size: usize| (size as u16).to_le_bytes();
    let mut at = HEADER.saturating_add(column);
    put(body, at, &small(part.hashes.len()));
    put(body, at.saturating_add(2), &small(part.payload.len()));
    for hash in &part.hashes {
        at = at.saturating_add(4);
        put(body, at, &hash.to_le_bytes());
    }
    let payloads = payloads.saturating_add(part.payload.len());
    put(body, PAGE_USABLE.saturating_sub(payloads), &part.payload);
    put(body, at::LENGTH, &statistics.total_length.to_le_bytes());
    put(body, at::DOCUMENTS, &small(statistics.documents as usize));
    put(body, at::COLUMN, &small(at.saturating_add(4).saturating_sub(HEADER)));
    put(body, at::PAYLOADS, &small(payloads));
    Ok(Appended::Done)
}

/// Has the page of `block`, which has this number, take no more parts.
pub(crate) fn seal(body: &mut [u8], block: u32, sequence: u64) -> Result<()> {
    let Some(_) = Page::open(body, block, sequence)? else {
        return Err(Error::corrupted(block, "page of the write buffer has another number"));
    };
    put(body, at::SEALED, &[1]);
    Ok(())
}

/// A page that is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page<'a> {
    block: u32,
    column: &'a [u8],
    payloads: &'a [u8],
    /// Of the documents that begin in it.
    pub statistics: Statistics,
    pub sealed: bool,
}

impl<'a> Page<'a> {
    /// Checks the page of `block`. None if it has another number than `sequence`.
    pub(crate) fn open(body: &'a [u8], block: u32, sequence: u64) -> Result<Option<Self>> {
        if page_kind(body, block)? != PageKind::Buffer {
            return Err(Error::corrupted(block, "page is not one of the write buffer"));
        }
        if u64_at(body, at::SEQUENCE) != sequence {
            return Ok(None);
        }
        let size = |at| usize::from(u16_at(body, at));
        let (column, payloads) = (size(at::COLUMN), size(at::PAYLOADS));
        let parts = &body[HEADER..PAGE_USABLE];
        let between = ROOM.checked_sub(column).and_then(|rest| rest.checked_sub(payloads));
        let (Some(_), Some((column, rest))) = (between, parts.split_at_checked(column)) else {
            return Err(Error::corrupted(block, "page of the write buffer is too full"));
        };
        let payloads = rest.len().checked_sub(payloads).and_then(|start| rest.get(start..));
        Ok(Some(Self {
            block,
            column,
            payloads: payloads.unwrap_or_default(),
            statistics: Statistics {
                documents: u64::from(u16_at(body, at::DOCUMENTS)),
                total_length: u64_at(body, at::LENGTH),
            },
            sealed: body.get(at::SEALED).is_some_and(|&sealed| sealed != 0),
        }))
    }

    /// The words of the column: hashes, and between them what tells where parts end.
    pub(crate) fn words(&self) -> &'a [[u8; 4]] {
        self.column.as_chunks().0
    }

    /// The parts in the page, in the order in which they came.
    pub(crate) fn parts(self) -> impl Iterator<Item = Result<PartOf<'a>>> {
        let corrupted = Error::corrupted(self.block, "page of the write buffer has a wrong column");
        let (mut column, mut payloads, mut word) = (self.column, self.payloads, 0usize);
        std::iter::from_fn(move || {
            let (&head, rest) = column.split_first_chunk::<4>()?;
            let [a, b, c, d] = head;
            let terms = usize::from(u16::from_le_bytes([a, b]));
            let bytes = usize::from(u16::from_le_bytes([c, d]));
            let hashes = rest.split_at_checked(terms.saturating_mul(4));
            let payload = payloads.len().checked_sub(bytes).filter(|_| bytes >= PREFIX);
            let split = payload.and_then(|start| payloads.split_at_checked(start));
            let (Some((hashes, others)), Some((before, payload))) = (hashes, split) else {
                column = &[];
                return Some(Err(corrupted.clone()));
            };
            (column, payloads) = (others, before);
            let first_word = word.saturating_add(1);
            word = first_word.saturating_add(terms);
            let hashes = hashes.as_chunks().0;
            Some(Ok(PartOf { block: self.block, first_word, hashes, payload }))
        })
    }
}

/// A part of a document in a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartOf<'a> {
    block: u32,
    /// Where the hashes begin in [`Page::words`].
    pub first_word: usize,
    pub hashes: &'a [[u8; 4]],
    payload: &'a [u8],
}

impl<'a> PartOf<'a> {
    /// The row of the document.
    pub(crate) fn tid(&self) -> HeapTid {
        HeapTid::from_bytes(self.payload.first_chunk().copied().unwrap_or_default())
    }

    /// Number of tokens of the document.
    pub(crate) fn length(&self) -> u32 {
        u32_at(self.payload, 7)
    }

    /// Whether the document began in the page before.
    pub(crate) fn is_continued(&self) -> bool {
        self.payload.get(6).is_some_and(|flags| flags & CONTINUED != 0)
    }

    /// Whether the document goes on in the next page.
    pub(crate) fn continues(&self) -> bool {
        self.payload.get(6).is_some_and(|flags| flags & CONTINUES != 0)
    }

    /// Where entries begin in the payload, and the sizes of all, in bytes or in pairs of these.
    fn sizes(&self) -> (usize, &'a [u8], bool) {
        let long = self.payload.get(6).is_some_and(|flags| flags & LONG != 0);
        let len = self.hashes.len().saturating_mul(if long { 2 } else { 1 });
        let start = PREFIX.saturating_add(len);
        (start, self.payload.get(PREFIX..start).unwrap_or_default(), long)
    }

    /// Term number `i`.
    pub(crate) fn term(&self, i: usize, options: Options) -> Result<TermOf<'a>> {
        if options.scoring == Scoring::InnerProduct {
            let start = PREFIX.saturating_add(i.saturating_mul(4));
            let value = self.payload.get(start..).and_then(|rest| rest.first_chunk());
            let value = value.map(|&value| u32::from_le_bytes(value));
            let is_weight = |&value: &u32| f32::from_bits(value).is_finite();
            return value
                .filter(is_weight)
                .map(|value| TermOf { term: &[], value, positions: &[] })
                .ok_or_else(|| self.wrong());
        }
        let (start, sizes, long) = self.sizes();
        // Each sum is below the sum of what fits a page, or the payload is wrong.
        let (before, size) = if long {
            let sizes = sizes.as_chunks().0;
            let number = |&bytes| usize::from(u16::from_le_bytes(bytes));
            let before = sizes.get(..i).unwrap_or_default().iter().map(number);
            (before.fold(0, usize::saturating_add), sizes.get(i).map(number))
        } else {
            let before = sizes.get(..i).unwrap_or_default().iter().copied().map(u32::from);
            let before = before.fold(0, u32::wrapping_add) as usize;
            (before, sizes.get(i).copied().map(usize::from))
        };
        self.entry(start.saturating_add(before), size.unwrap_or(0))
    }

    /// The terms, in the order of the hashes.
    pub(crate) fn terms(self, options: Options) -> impl Iterator<Item = Result<TermOf<'a>>> {
        let weighted = options.scoring == Scoring::InnerProduct;
        let (mut start, sizes, long) = self.sizes();
        (0..self.hashes.len()).map(move |i| {
            if weighted {
                return self.term(i, options);
            }
            let size = if long {
                usize::from(u16_at(sizes, i.saturating_mul(2)))
            } else {
                usize::from(sizes.get(i).copied().unwrap_or(0))
            };
            let entry = self.entry(start, size);
            start = start.saturating_add(size);
            let entry = entry?;
            let ends = entry.positions.iter().filter(|&&byte| byte < 0x80).count();
            let wanted = if options.positions { entry.value as usize } else { 0 };
            if ends == wanted && entry.positions.last().is_none_or(|&byte| byte < 0x80) {
                Ok(entry)
            } else {
                Err(self.wrong())
            }
        })
    }

    fn entry(&self, start: usize, size: usize) -> Result<TermOf<'a>> {
        let bytes = self.payload.get(start..start.saturating_add(size));
        let parsed = bytes.and_then(|bytes| {
            let (&len, rest) = bytes.split_first()?;
            let (term, mut rest) = rest.split_at_checked(usize::from(len))?;
            let value = take_number(&mut rest)?;
            Some(TermOf { term, value, positions: rest })
        });
        parsed.filter(|entry| entry.value > 0).ok_or_else(|| self.wrong())
    }

    fn wrong(&self) -> Error {
        Error::corrupted(self.block, "page of the write buffer has a wrong payload")
    }
}

/// A term in a part.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TermOf<'a> {
    /// The term; of dimensions, empty.
    pub term: &'a [u8],
    pub value: u32,
    /// LEB128: the first position and the gaps to the others, `value` numbers; empty without positions.
    pub positions: &'a [u8],
}

/// Takes a number in LEB128.
pub(crate) fn take_number(rest: &mut &[u8]) -> Option<u32> {
    let mut number = 0u32;
    for shift in [0, 7, 14, 21, 28] {
        let (&byte, others) = rest.split_first()?;
        *rest = others;
        number |= u32::from(byte & 0x7F).checked_shl(shift)?;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// The positions of a term, from what [`TermOf::positions`] holds; they are appended to `out`. False if
/// they do not ascend.
pub(crate) fn push_positions(mut bytes: &[u8], out: &mut Vec<u32>) -> bool {
    let (mut before, mut first) = (0u32, true);
    while let Some(gap) = take_number(&mut bytes) {
        let Some(position) = before.checked_add(gap).filter(|_| first || gap > 0) else {
            return false;
        };
        out.push(position);
        (before, first) = (position, false);
    }
    bytes.is_empty()
}
