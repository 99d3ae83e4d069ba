//! What all pages have in common: body size, kind and format version.
//!
//! A body ends in an 8-byte trailer: kind (u8), format version (u8), zero (u32), page id (u16).

use crate::{Error, Result};

/// Bytes of a page that belong to the index: 8,192 less the host's header of 24.
pub const PAGE_BODY: usize = 8192 - 24;

/// Bytes of a body before the trailer.
pub const PAGE_USABLE: usize = PAGE_BODY - TRAILER;

/// Version of the page format that this crate writes and reads.
pub const FORMAT_VERSION: u8 = 1;

const TRAILER: usize = 8;
/// Ends every page, so that tools such as pg_filedump can tell whose it is.
const PAGE_ID: u16 = 0xFE90;

/// What a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum PageKind {
    /// Block 0.
    Meta = 1,
    /// Records: elements of all levels and tid overflow.
    Records = 2,
    /// Blocks of inverted lists.
    Blocks = 3,
    /// Vectors of inverted lists.
    Vectors = 4,
}

/// Writes the trailer of a fresh page.
pub fn init_page(body: &mut [u8], kind: PageKind) {
    if let Some(trailer) = body.get_mut(PAGE_USABLE..PAGE_BODY) {
        trailer.fill(0);
        trailer[0] = kind as u8;
        trailer[1] = FORMAT_VERSION;
        trailer[6..8].copy_from_slice(&PAGE_ID.to_le_bytes());
    }
}

/// Whether the page was added to the store but never written: a crash can leave such pages.
pub fn is_new(body: &[u8]) -> bool {
    body.get(PAGE_USABLE..PAGE_BODY).is_some_and(|trailer| trailer.iter().all(|&b| b == 0))
}

/// The kind of a page, after checking that it is one of ours.
pub fn page_kind(body: &[u8], block: u32) -> Result<PageKind> {
    let trailer = body
        .get(PAGE_USABLE..PAGE_BODY)
        .ok_or(Error::corrupted(block, "page has the wrong size"))?;
    if trailer[6..8] != PAGE_ID.to_le_bytes() {
        return Err(Error::corrupted(block, "page is not a vector index page"));
    }
    if trailer[1] != FORMAT_VERSION {
        return Err(Error::Version { found: u32::from(trailer[1]) });
    }
    match trailer[0] {
        1 => Ok(PageKind::Meta),
        2 => Ok(PageKind::Records),
        3 => Ok(PageKind::Blocks),
        4 => Ok(PageKind::Vectors),
        _ => Err(Error::corrupted(block, "page has an unknown kind")),
    }
}
