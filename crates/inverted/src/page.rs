//! Pages of segments: their header, and where new ones come from.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use crate::bytes::Bytes;
use crate::owned::Owned;
use memory::filled;
use pages::{Error, PAGE_BODY, PAGE_USABLE, PageKind, PageStore, Result, init_page, page_kind};

/// Bytes of the header.
pub(crate) const HEADER: usize = 16;
/// Bytes between header and trailer.
pub(crate) const SPACE: usize = PAGE_USABLE - HEADER;
/// Number of no block.
pub(crate) const NONE: u32 = u32::MAX;

/// Where the pages of a new segment come from and go to.
///
/// At most 16 pages are allocated and not yet written at any time; all are written at the end.
pub trait Pages {
    /// A block for a new page.
    ///
    /// # Errors
    /// Those of the store.
    fn allocate(&mut self) -> Result<u32>;

    /// Takes the finished page of a block that was allocated, once. The body has its trailer, and the
    /// store adds the checksum.
    ///
    /// # Errors
    /// Those of the store.
    fn write(&mut self, block: u32, body: &[u8]) -> Result<()>;
}

/// What a page of a segment holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Part {
    Root = 1,
    Lengths = 2,
    Tids = 3,
    Postings = 4,
    Skips = 5,
    Positions = 6,
    Dictionary = 7,
    LongLengths = 8,
    Blocks = 9,
    Groups = 10,
    Progress = 11,
}

/// Where something begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub block: u32,
    /// Offset in the body.
    pub offset: u16,
}

/// The header of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Of dictionary pages, 0 for leaves.
    pub level: u8,
    /// Number of entries.
    pub count: u16,
    /// Next page of the same list, or [`NONE`].
    pub next: u32,
}

impl Header {
    /// The header of the page of `block`, after checking that it is of that part of that segment.
    pub fn of(body: &[u8], block: u32, id: u64, part: Part) -> Result<Self> {
        if page_kind(body, block)? != PageKind::Segment || body[..8] != id.to_le_bytes() {
            return Err(Error::corrupted(block, "page does not belong to the segment"));
        }
        if body[8] != part as u8 {
            return Err(Error::corrupted(block, "page holds another part of the segment"));
        }
        Ok(Self {
            level: body[9],
            count: u16::from_le_bytes([body[10], body[11]]),
            next: u32::from_le_bytes([body[12], body[13], body[14], body[15]]),
        })
    }
}

/// Reads pages of one segment.
#[derive(Debug)]
pub(crate) struct Source<'s, S> {
    pub store: &'s S,
    /// Id of the segment.
    pub id: u64,
    /// Its number of pages.
    pub pages: u32,
}

// A derived implementation would require that the store can be copied.
impl<S> Clone for Source<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S> Copy for Source<'_, S> {}

impl<S: PageStore> Source<'_, S> {
    /// What `read` makes of a page, which is held meanwhile.
    pub fn read<R>(
        &self,
        block: u32,
        part: Part,
        read: impl FnOnce(Header, &[u8]) -> Result<R>,
    ) -> Result<R> {
        self.store.pause()?;
        let page = self.store.read(block)?;
        read(Header::of(&page, block, self.id, part)?, &page)
    }
}

/// A page that is being written.
#[derive(Debug)]
pub(crate) struct Draft {
    /// [`NONE`] as long as no block is allocated.
    pub block: u32,
    body: Vec<u8>,
    /// End of what was written.
    end: usize,
    part: Part,
    pub level: u8,
    pub count: u16,
}

impl Draft {
    /// An empty page.
    pub fn new(pages: &mut dyn Pages, part: Part) -> Result<Self> {
        let mut draft = Self::unplaced(part)?;
        draft.place(pages)?;
        Ok(draft)
    }

    /// An empty page whose block is not allocated before [`Draft::place`]. For pages that are open for
    /// long: whoever writes pages in order keeps all later ones in memory until then.
    pub fn unplaced(part: Part) -> Result<Self> {
        let body = filled(PAGE_BODY, 0)?;
        Ok(Self { block: NONE, body, end: HEADER, part, level: 0, count: 0 })
    }

    /// Allocates the block, if it has none, and returns it.
    pub fn place(&mut self, pages: &mut dyn Pages) -> Result<u32> {
        if self.block == NONE {
            self.block = pages.allocate()?;
        }
        Ok(self.block)
    }

    /// Bytes that still fit.
    pub fn room(&self) -> usize {
        PAGE_USABLE.saturating_sub(self.end)
    }

    /// Appends all that [`Draft::restore`] needs to go on.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.extend(self.block.to_le_bytes());
        out.extend([self.part as u8, self.level]);
        out.extend(self.count.to_le_bytes());
        let written = self.body.get(HEADER..self.end).unwrap_or(&[]);
        out.extend((written.len() as u16).to_le_bytes());
        out.extend_from_slice(written);
    }

    /// The page that was saved, which is one of those that are owned. If it may be unplaced, it may have no
    /// block.
    pub fn restore(
        bytes: &mut Bytes<'_>,
        part: Part,
        owned: &mut Owned,
        may_be_unplaced: bool,
    ) -> Result<Self> {
        let mut draft = Self::unplaced(part)?;
        draft.block = bytes.u32()?;
        owned.claim(draft.block, may_be_unplaced, bytes)?;
        let [of, level] = bytes.array()?;
        draft.level = level;
        draft.count = bytes.u16()?;
        let len = usize::from(bytes.u16()?);
        if of != part as u8 || len > SPACE {
            return Err(bytes.error("page that was begun is of another part"));
        }
        draft.push(bytes.take(len)?);
        Ok(draft)
    }

    /// Where the next bytes go.
    pub fn spot(&self) -> Spot {
        // Bodies are shorter than 2^16 bytes.
        Spot { block: self.block, offset: self.end as u16 }
    }

    /// Appends bytes that fit.
    pub fn push(&mut self, bytes: &[u8]) {
        let end = self.end.saturating_add(bytes.len());
        self.body[self.end..end].copy_from_slice(bytes);
        self.end = end;
    }

    /// Writes bytes that end where the trailer begins.
    pub fn push_at_end(&mut self, bytes: &[u8]) {
        self.body[PAGE_USABLE.saturating_sub(bytes.len())..PAGE_USABLE].copy_from_slice(bytes);
    }

    /// Gives the page back.
    pub fn finish(mut self, pages: &mut dyn Pages, id: u64, next: u32) -> Result<()> {
        self.body[..8].copy_from_slice(&id.to_le_bytes());
        self.body[8] = self.part as u8;
        self.body[9] = self.level;
        self.body[10..12].copy_from_slice(&self.count.to_le_bytes());
        self.body[12..HEADER].copy_from_slice(&next.to_le_bytes());
        init_page(&mut self.body, PageKind::Segment, self.block);
        pages.write(self.block, &self.body)
    }

    /// Gives the page back and begins the next of the same list.
    pub fn turn(&mut self, pages: &mut dyn Pages, id: u64) -> Result<()> {
        let mut next = Self::new(pages, self.part)?;
        next.level = self.level;
        let block = next.block;
        std::mem::replace(self, next).finish(pages, id, block)
    }
}
