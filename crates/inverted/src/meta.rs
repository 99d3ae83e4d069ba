//! The metapage: block 0, all that changes of an index beside its documents. It is read and written as
//! a whole, so whoever has read it has a consistent view.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use pages::{Error, META_BLOCK, PAGE_USABLE, PageKind, PageStore, Result, init_page, page_kind};

use crate::fields::{put, u16_at, u32_at, u64_at};
use crate::progress::{MAX_PROGRESS, Progress};
use crate::score::Scoring;
use crate::segment::SegmentInfo;

/// "INV " as bytes.
const MAGIC: u32 = u32::from_le_bytes(*b"INV ");
/// Version of what this crate writes into pages.
const VERSION: u32 = 1;

/// Block of the definition.
pub(crate) const DEFINITION_BLOCK: u32 = 1;
/// The first block that anything may be stored in.
pub(crate) const FIRST_BLOCK: u32 = 2;

/// The most segments of an index.
pub(crate) const MAX_SEGMENTS: usize = 100;
/// The most pages of the write buffer, and of those kept for it.
pub(crate) const MAX_BUFFER: usize = 128;
/// The most lists of pages that wait for readers to end.
pub(crate) const MAX_RETIRED: usize = 32;
/// Locks of writers that take pages; see [`crate::allocate`].
pub(crate) const LOCKS: usize = 8;

mod at {
    use super::{LOCKS, MAX_BUFFER, MAX_RETIRED, MAX_SEGMENTS};

    pub const SCORING: usize = 8;
    pub const POSITIONS: usize = 9;
    pub const K1: usize = 12;
    pub const B: usize = 16;
    pub const NEXT_PAGE: usize = 20;
    pub const FREE: usize = 24;
    pub const NEXT_SEGMENT: usize = 32;
    pub const FIRST_SEQUENCE: usize = 40;
    pub const EPOCH: usize = 48;
    pub const BUFFER_COUNT: usize = 56;
    pub const SPARE_COUNT: usize = 58;
    pub const RETIRED_COUNT: usize = 60;
    pub const SEGMENT_COUNT: usize = 62;
    pub const TAKEN: usize = 64;
    pub const BUFFER: usize = TAKEN + LOCKS * 8;
    pub const SPARE: usize = BUFFER + MAX_BUFFER * 4;
    pub const RETIRED: usize = SPARE + MAX_BUFFER * 4;
    pub const SEGMENTS: usize = RETIRED + MAX_RETIRED * 16;
    pub const PROGRESS: usize = SEGMENTS + MAX_SEGMENTS * super::SEGMENT_SIZE;
    pub const PROGRESS_PAGES: usize = PROGRESS + 16;
    pub const END: usize = PROGRESS_PAGES + super::MAX_PROGRESS * 4;
}

/// Bytes of an entry of the directory.
const SEGMENT_SIZE: usize = 64;

const _: () = assert!(at::END <= PAGE_USABLE);

/// What an index is made with; fixed for its life.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// How documents are ranked.
    pub scoring: Scoring,
    /// Whether postings have positions, for phrases. Without meaning for inner products.
    pub positions: bool,
}

impl Options {
    /// Whether the numbers are in range.
    pub(crate) fn validate(&self) -> bool {
        match self.scoring {
            Scoring::Bm25 { k1, b } => (0.0..=3.0).contains(&k1) && (0.0..=1.0).contains(&b),
            Scoring::InnerProduct => !self.positions,
        }
    }
}

/// A chain of pages with numbers of pages (see [`crate::page_list`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chain {
    pub first: u32,
    pub last: u32,
}

/// Pages that belong to nothing any more, but that readers may still look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retired {
    pub pages: Chain,
    /// When they were given up (see [`pages::Coordination::mark`]).
    pub mark: u64,
}

/// A segment in the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub info: SegmentInfo,
    /// All pages of the segment, and those that list them.
    pub pages: Chain,
    /// Documents that are not dead.
    pub living: u32,
    /// Sum of their lengths.
    pub length: u64,
    /// The lock whose holder is at work on the segment.
    pub claim: Option<usize>,
    /// Whether document frequencies may count dead documents.
    pub stale: bool,
}

/// What an insert has to know of the metapage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Front {
    pub options: Options,
    /// The latest page of the buffer: its block and its number.
    pub tail: Option<(u32, u64)>,
    /// Pages of the buffer.
    pub buffer: usize,
}

impl Front {
    /// Reads the metapage, but for most of it.
    pub(crate) fn read<S: PageStore>(store: &S) -> Result<Self> {
        let body = store.read(META_BLOCK)?;
        let options = decode_options(&body)?;
        let buffer = usize::from(u16_at(&body, at::BUFFER_COUNT));
        let tail = buffer.checked_sub(1).map(|before| {
            let block = u32_at(&body, at::BUFFER.saturating_add(before.saturating_mul(4)));
            (block, u64_at(&body, at::FIRST_SEQUENCE).saturating_add(before as u64))
        });
        if buffer > MAX_BUFFER || tail.is_some_and(|(block, _)| block < FIRST_BLOCK) {
            return Err(Error::corrupted(META_BLOCK, "metapage has an impossible buffer"));
        }
        Ok(Self { options, tail, buffer })
    }
}

/// Checks that a page is a metapage that can be read, and what the index was made with.
fn decode_options(body: &[u8]) -> Result<Options> {
    let corrupted = |what| Error::corrupted(META_BLOCK, what);
    if page_kind(body, META_BLOCK)? != PageKind::Meta {
        return Err(corrupted("page is not a metapage"));
    }
    if u32_at(body, 0) != MAGIC {
        return Err(corrupted("metapage has the wrong magic number"));
    }
    if u32_at(body, 4) != VERSION {
        return Err(Error::Version { found: u32_at(body, 4) });
    }
    let float = |at| f32::from_bits(u32_at(body, at));
    let scoring = match body[at::SCORING] {
        1 => Scoring::Bm25 { k1: float(at::K1), b: float(at::B) },
        2 => Scoring::InnerProduct,
        _ => return Err(corrupted("scoring is unknown")),
    };
    let options = Options { scoring, positions: body[at::POSITIONS] != 0 };
    options.validate().then_some(options).ok_or(corrupted("options are out of range"))
}

/// Content of the metapage.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Meta {
    pub options: Options,
    /// First page that was never used so far.
    pub next_page: u32,
    /// First page of the list of free pages.
    pub free: Option<u32>,
    /// The id of the segment that will be written next.
    pub next_segment: u64,
    /// Grows whenever the directory or the beginning of the buffer changes.
    pub epoch: u64,
    /// Number of the first page of the buffer; others count on.
    pub first_sequence: u64,
    /// Pages taken by the holder of each lock for what it makes.
    pub taken: [Option<Chain>; LOCKS],
    /// Blocks of the write buffer, the latest at the end.
    pub buffer: Vec<u32>,
    /// Blocks that were of the buffer and will be again.
    pub spare: Vec<u32>,
    pub retired: Vec<Retired>,
    pub segments: Vec<Listed>,
    /// How far the merge of inserts is, if there is one.
    pub progress: Progress,
}

impl Meta {
    /// The metapage now.
    pub(crate) fn read<S: PageStore>(store: &S) -> Result<Self> {
        Self::decode(&store.read(META_BLOCK)?)
    }

    /// The metapage of an index without documents.
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            next_page: FIRST_BLOCK,
            free: None,
            next_segment: 1,
            epoch: 0,
            first_sequence: 1,
            taken: [None; LOCKS],
            buffer: Vec::new(),
            spare: Vec::new(),
            retired: Vec::new(),
            segments: Vec::new(),
            progress: Progress::default(),
        }
    }

    /// Takes the next page that was never used.
    pub(crate) fn extend(&mut self) -> Result<u32> {
        let page = self.next_page;
        self.next_page = page.checked_add(1).ok_or(Error::Limit("the index has too many pages"))?;
        Ok(page)
    }

    /// The latest page of the buffer: its block and its number.
    pub(crate) fn tail(&self) -> Option<(u32, u64)> {
        let before = self.buffer.len().checked_sub(1)?;
        Some((self.buffer[before], self.first_sequence.checked_add(before as u64)?))
    }

    /// The entry of a segment.
    pub(crate) fn segment_mut(&mut self, id: u64) -> Result<&mut Listed> {
        let entry = self.segments.iter_mut().find(|entry| entry.info.id == id);
        entry.ok_or_else(|| Error::corrupted(META_BLOCK, "directory has lost a segment"))
    }

    /// Writes all fields into a page body.
    pub(crate) fn encode(&self, body: &mut [u8]) {
        init_page(body, PageKind::Meta, META_BLOCK);
        body[..PAGE_USABLE].fill(0);
        let (scoring, k1, b) = match self.options.scoring {
            Scoring::Bm25 { k1, b } => (1, k1, b),
            Scoring::InnerProduct => (2, 0.0, 0.0),
        };
        put(body, 0, &MAGIC.to_le_bytes());
        put(body, 4, &VERSION.to_le_bytes());
        put(body, at::SCORING, &[scoring, u8::from(self.options.positions)]);
        put(body, at::K1, &k1.to_le_bytes());
        put(body, at::B, &b.to_le_bytes());
        put(body, at::NEXT_PAGE, &self.next_page.to_le_bytes());
        put(body, at::FREE, &self.free.unwrap_or(0).to_le_bytes());
        put(body, at::NEXT_SEGMENT, &self.next_segment.to_le_bytes());
        put(body, at::FIRST_SEQUENCE, &self.first_sequence.to_le_bytes());
        put(body, at::EPOCH, &self.epoch.to_le_bytes());
        for (at, len) in [
            (at::BUFFER_COUNT, self.buffer.len()),
            (at::SPARE_COUNT, self.spare.len()),
            (at::RETIRED_COUNT, self.retired.len()),
            (at::SEGMENT_COUNT, self.segments.len()),
        ] {
            // All are below the limits above.
            put(body, at, &(len as u16).to_le_bytes());
        }
        let chain = |chain: Option<Chain>| {
            chain.map_or([0; 2], |chain| [chain.first, chain.last]).map(u32::to_le_bytes)
        };
        let mut rest = &mut body[at::TAKEN..];
        let mut push = |bytes: &[u8]| {
            if let Some((place, others)) =
                std::mem::take(&mut rest).split_at_mut_checked(bytes.len())
            {
                place.copy_from_slice(bytes);
                rest = others;
            }
        };
        for taken in self.taken {
            push(chain(taken).as_flattened());
        }
        for blocks in [&self.buffer, &self.spare] {
            (0..MAX_BUFFER).for_each(|i| push(&blocks.get(i).unwrap_or(&0).to_le_bytes()));
        }
        for i in 0..MAX_RETIRED {
            let retired = self.retired.get(i);
            push(chain(retired.map(|retired| retired.pages)).as_flattened());
            push(&retired.map_or(0, |retired| retired.mark).to_le_bytes());
        }
        for entry in &self.segments {
            let info = &entry.info;
            push(&info.id.to_le_bytes());
            for number in [info.root, info.pages, info.documents, entry.living] {
                push(&number.to_le_bytes());
            }
            push(&info.total_length.to_le_bytes());
            push(&entry.length.to_le_bytes());
            push(chain(Some(entry.pages)).as_flattened());
            let claim = entry.claim.map_or(0, |lock| (lock as u8).saturating_add(1));
            push(&[claim, u8::from(entry.stale)]);
            push(&[0; 14]);
        }
        let Progress { segment, step, used, numbers, pages } = &self.progress;
        put(body, at::PROGRESS, &segment.to_le_bytes());
        put(body, at::PROGRESS + 8, &step.to_le_bytes());
        put(body, at::PROGRESS + 12, &used.to_le_bytes());
        put(body, at::PROGRESS + 14, &numbers.to_le_bytes());
        for (block, place) in pages.iter().zip((at::PROGRESS_PAGES..at::END).step_by(4)) {
            put(body, place, &block.to_le_bytes());
        }
    }

    /// Reads and checks a metapage.
    pub(crate) fn decode(body: &[u8]) -> Result<Self> {
        let corrupted = |what| Error::corrupted(META_BLOCK, what);
        let options = decode_options(body)?;
        let count = |at| usize::from(u16_at(body, at));
        let counts = [at::BUFFER_COUNT, at::SPARE_COUNT, at::RETIRED_COUNT, at::SEGMENT_COUNT];
        let [buffer, spare, retired, segments] = counts.map(count);
        if buffer.max(spare) > MAX_BUFFER || retired > MAX_RETIRED || segments > MAX_SEGMENTS {
            return Err(corrupted("metapage has impossible sizes"));
        }
        let mut words = body[at::TAKEN..].as_chunks::<4>().0.iter();
        // A body is as long as all fields.
        let mut next = || words.next().map_or(0, |&bytes| u32::from_le_bytes(bytes));
        let taken = std::array::from_fn(|_| chain(next(), next()));
        let mut blocks = |len| {
            let mut blocks: Vec<u32> = (0..MAX_BUFFER).map(|_| next()).collect();
            blocks.truncate(len);
            blocks
        };
        let (buffer, spare) = (blocks(buffer), blocks(spare));
        let none = Chain { first: 0, last: 0 };
        let mut lists = Vec::with_capacity(retired);
        for i in 0..MAX_RETIRED {
            let pages = chain(next(), next()).unwrap_or(none);
            let mark = u64::from(next()) | u64::from(next()) << 32;
            if i < retired {
                lists.push(Retired { pages, mark });
            }
        }
        let entries = body[at::SEGMENTS..].chunks_exact(SEGMENT_SIZE).take(segments);
        let meta = Self {
            options,
            next_page: u32_at(body, at::NEXT_PAGE),
            free: Some(u32_at(body, at::FREE)).filter(|&block| block != 0),
            next_segment: u64_at(body, at::NEXT_SEGMENT),
            epoch: u64_at(body, at::EPOCH),
            first_sequence: u64_at(body, at::FIRST_SEQUENCE),
            taken,
            buffer,
            spare,
            retired: lists,
            segments: entries.map(Listed::decode).collect(),
            progress: Progress {
                segment: u64_at(body, at::PROGRESS),
                step: u32_at(body, at::PROGRESS + 8),
                used: u16_at(body, at::PROGRESS + 12),
                numbers: u16_at(body, at::PROGRESS + 14),
                pages: (at::PROGRESS_PAGES..at::END)
                    .step_by(4)
                    .map(|place| u32_at(body, place))
                    .take_while(|&block| block != 0)
                    .collect(),
            },
        };
        meta.is_sound().then_some(meta).ok_or(corrupted("metapage has impossible blocks"))
    }

    fn is_sound(&self) -> bool {
        let known = |block: &u32| (FIRST_BLOCK..self.next_page).contains(block);
        let of_chain = |chain: &Chain| known(&chain.first) && known(&chain.last);
        let blocks = self.buffer.iter().chain(&self.spare).chain(&self.free);
        let blocks = blocks.chain(&self.progress.pages);
        let taken = self.taken.iter().flatten();
        let retired = self.retired.iter().map(|retired| &retired.pages);
        let chains = taken.chain(retired).chain(self.segments.iter().map(|entry| &entry.pages));
        self.next_page >= FIRST_BLOCK
            && blocks.into_iter().all(known)
            && chains.into_iter().all(of_chain)
            && self.first_sequence.checked_add(MAX_BUFFER as u64).is_some()
            && self.progress.segment < self.next_segment
            && usize::from(self.progress.used) <= self.progress.pages.len()
            && self.segments.iter().all(|entry| {
                entry.info.id < self.next_segment
                    && known(&entry.info.root)
                    && entry.living <= entry.info.documents
                    && entry.length <= entry.info.total_length
                    && entry.claim.is_none_or(|lock| lock < LOCKS)
            })
    }
}

fn chain(first: u32, last: u32) -> Option<Chain> {
    (first != 0).then_some(Chain { first, last })
}

impl Listed {
    fn decode(bytes: &[u8]) -> Self {
        let number = |at| u32_at(bytes, at);
        let info = SegmentInfo {
            id: u64_at(bytes, 0),
            root: number(8),
            pages: number(12),
            documents: number(16),
            total_length: u64_at(bytes, 24),
        };
        Self {
            info,
            living: number(20),
            length: u64_at(bytes, 32),
            pages: Chain { first: number(40), last: number(44) },
            claim: bytes.get(48).and_then(|&claim| usize::from(claim).checked_sub(1)),
            stale: bytes.get(49).is_some_and(|&stale| stale != 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use pages::PAGE_BODY;

    use super::*;

    fn sample() -> Meta {
        let entry = |id: u64| Listed {
            info: SegmentInfo { id, root: 9, pages: 10, documents: 100, total_length: 1 << 33 },
            pages: Chain { first: 3, last: 4 },
            living: 99,
            length: (1 << 33) - 1,
            claim: id.is_multiple_of(2).then_some(2),
            stale: id.is_multiple_of(3),
        };
        let mut taken = [None; LOCKS];
        taken[3] = Some(Chain { first: 5, last: 6 });
        Meta {
            options: Options { scoring: Scoring::Bm25 { k1: 1.2, b: 0.75 }, positions: true },
            next_page: 1_000,
            free: Some(7),
            next_segment: 1 << 40,
            epoch: 1 << 41,
            first_sequence: 1 << 42,
            taken,
            buffer: (10..10 + MAX_BUFFER as u32).collect(),
            spare: vec![500],
            retired: vec![Retired { pages: Chain { first: 8, last: 9 }, mark: 1 << 43 }; 32],
            segments: (0..MAX_SEGMENTS as u64).map(entry).collect(),
            progress: Progress {
                segment: 1 << 39,
                step: 1 << 30,
                used: 2,
                numbers: 16,
                pages: (600..600 + MAX_PROGRESS as u32).collect(),
            },
        }
    }

    #[test]
    fn reads_what_it_wrote() {
        let mut body = vec![0; PAGE_BODY];
        for meta in
            [sample(), Meta::new(Options { scoring: Scoring::InnerProduct, positions: false })]
        {
            meta.encode(&mut body);
            assert_eq!(Meta::decode(&body), Ok(meta));
        }
    }

    #[test]
    fn no_scribble_panics() {
        let mut body = vec![0; PAGE_BODY];
        sample().encode(&mut body);
        for at in (0..at::SEGMENTS + 2 * SEGMENT_SIZE).chain(at::PROGRESS..PAGE_BODY) {
            for value in [0, 1, 0x7F, 0xFF] {
                let mut broken = body.clone();
                broken[at] = value;
                // Any answer will do, but it must be an answer.
                drop(Meta::decode(&broken));
            }
        }
        assert!(Meta::decode(&body[..100]).is_err());
        assert!(Meta::decode(&vec![0; PAGE_BODY]).is_err());
    }
}
