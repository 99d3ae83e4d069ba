//! What all pages have in common: body size, kind, format version, place and checksum.
//!
//! A body ends in a 16-byte trailer: checksum (u32), zero (u32), kind (u8), format version (u8), number
//! of the page's block (u32), page id (u16).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use crc32fast::Hasher;

use crate::{Error, Result};

/// Bytes of a page that belong to the index: 8,192 less the host's header of 24.
pub const PAGE_BODY: usize = 8192 - 24;

/// Bytes of a body before the trailer.
pub const PAGE_USABLE: usize = PAGE_BODY - TRAILER;

/// Block of the metapage.
pub const META_BLOCK: u32 = 0;

/// Version of the page format that this crate writes and reads.
pub const FORMAT_VERSION: u8 = 2;

const TRAILER: usize = 16;
/// Ends every page, so that tools such as pg_filedump can tell whose it is.
const PAGE_ID: u16 = 0xFE90;

mod at {
    use std::ops::Range;

    pub const CHECKSUM: Range<usize> = super::PAGE_USABLE..super::PAGE_USABLE + 4;
    pub const KIND: usize = super::PAGE_USABLE + 8;
    pub const VERSION: usize = KIND + 1;
    pub const BLOCK: Range<usize> = VERSION + 1..VERSION + 5;
    pub const ID: Range<usize> = BLOCK.end..BLOCK.end + 2;
}

const _: () = assert!(at::ID.end == PAGE_BODY);

/// What a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum PageKind {
    /// Block [`META_BLOCK`].
    Meta = 1,
    /// Records: elements of all levels and tid overflow.
    Records = 2,
    /// Blocks of inverted lists.
    Blocks = 3,
    /// Vectors of inverted lists.
    Vectors = 4,
    /// Part of an immutable segment of an inverted index.
    Segment = 5,
    /// Documents that an inverted index has received and not yet put into a segment.
    Buffer = 6,
    /// Numbers of pages that belong together.
    PageList = 7,
    /// What an inverted index was made with, and never changes.
    Definition = 8,
}

/// Writes the trailer of a fresh page, which is to be the page of `block`.
pub fn init_page(body: &mut [u8], kind: PageKind, block: u32) {
    if body.len() == PAGE_BODY {
        body[PAGE_USABLE..].fill(0);
        body[at::KIND] = kind as u8;
        body[at::VERSION] = FORMAT_VERSION;
        body[at::BLOCK].copy_from_slice(&block.to_le_bytes());
        body[at::ID].copy_from_slice(&PAGE_ID.to_le_bytes());
    }
}

/// Writes the checksum of a page that is made as a whole. Every store does so when it takes a page.
pub fn seal(body: &mut [u8]) {
    if body.len() == PAGE_BODY && !is_new(body) {
        let sum = checksum(body);
        body[at::CHECKSUM].copy_from_slice(&sum.to_le_bytes());
    }
}

/// Writes the checksum of a page that was `old` and is being changed: one that was wrong stays so,
/// whatever was changed.
pub fn reseal(old: &[u8], body: &mut [u8]) {
    if old.len() != PAGE_BODY || is_new(old) {
        return seal(body);
    }
    if body.len() == PAGE_BODY {
        let sum = stored_checksum(old) ^ checksum(old) ^ checksum(body);
        body[at::CHECKSUM].copy_from_slice(&sum.to_le_bytes());
    }
}

/// Whether a page, if it was ever written, has the checksum of what it holds.
pub fn is_intact(body: &[u8]) -> bool {
    body.len() == PAGE_BODY && (is_new(body) || stored_checksum(body) == checksum(body))
}

fn stored_checksum(body: &[u8]) -> u32 {
    body[at::CHECKSUM].iter().rev().fold(0, |sum, &byte| sum << 8 | u32::from(byte))
}

/// CRC-32 of all but itself.
fn checksum(body: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(&body[..at::CHECKSUM.start]);
    hasher.update(&body[at::CHECKSUM.end..]);
    hasher.finalize()
}

/// Whether the page was added to the store but never written: a crash can leave such pages.
pub fn is_new(body: &[u8]) -> bool {
    body.get(PAGE_USABLE..PAGE_BODY).is_some_and(|trailer| trailer.iter().all(|&b| b == 0))
}

/// The kind of the page of `block`, after checking that it is one of ours and that one.
pub fn page_kind(body: &[u8], block: u32) -> Result<PageKind> {
    if body.len() != PAGE_BODY {
        return Err(Error::corrupted(block, "page has the wrong size"));
    }
    if body[at::ID] != PAGE_ID.to_le_bytes() {
        return Err(Error::corrupted(block, "page is not a vector index page"));
    }
    if body[at::VERSION] != FORMAT_VERSION {
        return Err(Error::Version { found: u32::from(body[at::VERSION]) });
    }
    if body[at::BLOCK] != block.to_le_bytes() {
        return Err(Error::corrupted(block, "page belongs to another block"));
    }
    match body[at::KIND] {
        1 => Ok(PageKind::Meta),
        2 => Ok(PageKind::Records),
        3 => Ok(PageKind::Blocks),
        4 => Ok(PageKind::Vectors),
        5 => Ok(PageKind::Segment),
        6 => Ok(PageKind::Buffer),
        7 => Ok(PageKind::PageList),
        8 => Ok(PageKind::Definition),
        _ => Err(Error::corrupted(block, "page has an unknown kind")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_checksum_stays_wrong() {
        let mut page = vec![7; PAGE_BODY];
        init_page(&mut page, PageKind::Records, 3);
        seal(&mut page);
        assert!(is_intact(&page));
        let change = |page: &mut Vec<u8>, at: usize| {
            let old = page.clone();
            page[at] ^= 0x55;
            reseal(&old, page);
        };
        change(&mut page, 100);
        assert!(is_intact(&page));
        page[200] ^= 1;
        change(&mut page, 300);
        assert!(!is_intact(&page));
        page[200] ^= 1;
        assert!(is_intact(&page));
    }

    #[test]
    fn a_page_is_that_of_its_block() {
        let mut page = vec![0; PAGE_BODY];
        assert!(is_new(&page) && is_intact(&page));
        init_page(&mut page, PageKind::Vectors, 70_000);
        assert_eq!(page_kind(&page, 70_000), Ok(PageKind::Vectors));
        assert!(page_kind(&page, 4_464).is_err());
    }
}
