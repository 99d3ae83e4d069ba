//! Sizes of an index, fixed when it is built.

use std::ops::Range;

use crate::{Error, HeapTid, PAGE_USABLE, Result};

/// Highest level an element can have.
pub const MAX_LEVEL: u8 = 7;

/// Tids kept in a record itself; more go to overflow records.
const MAX_INLINE_TIDS: usize = 10;
/// Tails of an element with the most dimensions there are.
const MAX_TAILS: usize = 4;
/// Bits a code needs to steer a search well (`design` evidence in `src/am/hnsw/README.md`).
const STEERING_BITS: usize = 256;
/// Bits below which it is better to give vectors pages of their own than to shorten codes.
const MIN_BITS: usize = 192;
/// Bits beyond which a longer code gains nothing.
const MAX_BITS: usize = 1536;

/// The fixed sizes of one index: how records lie in a page and fields lie in a record.
///
/// A record is `header · tids · neighbor ids · factors · codes · vector`; byte map in
/// `docs/format.md`. Where the vector does not fit, the record holds its first part, and further
/// records, its *tails*, hold the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// Dimensions of the column, 1..=16,000.
    pub dims: usize,
    /// Neighbor slots of a record: 2 × m.
    pub slots: usize,
    /// Bits a coded dimension takes, 1..=4; 0 where neighbors carry no codes.
    pub planes: usize,
    /// Bytes of one plane of one code; the code covers the first `8 × plane_bytes` rotated dims.
    pub plane_bytes: usize,
    /// Heap tids held in a record itself.
    pub inline_tids: usize,
    /// Bytes of a record.
    pub record_size: usize,
    /// Records of a page.
    pub records_per_page: usize,
}

impl Geometry {
    /// Bytes before the tids of a record.
    pub(crate) const HEADER: usize = 28;
    /// Bytes between header and tids that tell where the vector goes on.
    const TAIL: usize = 8;

    /// Chooses sizes for `dims` and `m` so that records fill pages.
    ///
    /// As many records go on a page as leave room for codes that steer well; what is left then
    /// lengthens the codes, and after them the tids. An element that no page has room for takes as
    /// few pages as it can.
    ///
    /// # Errors
    /// [`Error::Limit`] where neighbor lists do not fit a page; they do for any `m` up to 100.
    pub fn choose(dims: usize, m: usize, coded: bool) -> Result<Self> {
        let full = dims.div_ceil(8);
        let sized = |planes, plane_bytes| Self::sized(dims, 2 * m, planes, plane_bytes);
        let whole = match dims {
            _ if !coded => sized(0, 0),
            256.. => None,
            65..256 => sized(2, full),
            _ => sized(4, full).or_else(|| sized(2, full)),
        };
        if let Some(whole) = whole {
            return Ok(whole);
        }
        let lengths = || {
            let all = (1..=full.min(MAX_BITS / 8)).rev();
            all.filter(|bytes| bytes % 8 == 0 || *bytes == full)
        };
        let tight = sized(1, full.min(STEERING_BITS / 8))
            .or_else(|| sized(1, full.min(MIN_BITS / 8)))
            .filter(|_| coded);
        if let Some(tight) = tight {
            let longest = lengths()
                .filter_map(|bytes| sized(1, bytes))
                .find(|geometry| geometry.records_per_page == tight.records_per_page);
            return Ok(longest.unwrap_or(tight));
        }
        let split = |planes, plane_bytes| Self::split(dims, 2 * m, planes, plane_bytes);
        let tight = if coded { split(1, full.min(MIN_BITS / 8)) } else { split(0, 0) };
        let tight = tight.ok_or(Error::Limit("neighbor lists do not fit an index page"))?;
        let longest = lengths()
            .filter(|_| coded)
            .filter_map(|bytes| split(1, bytes))
            .find(|geometry| geometry.tails() == tight.tails());
        Ok(longest.unwrap_or(tight))
    }

    /// One element a page, its vector going on in others.
    fn split(dims: usize, slots: usize, planes: usize, plane_bytes: usize) -> Option<Self> {
        let geometry = Self {
            dims,
            slots,
            planes,
            plane_bytes,
            inline_tids: MAX_INLINE_TIDS,
            record_size: PAGE_USABLE,
            records_per_page: 1,
        };
        geometry.validate().then_some(geometry)
    }

    fn sized(dims: usize, slots: usize, planes: usize, plane_bytes: usize) -> Option<Self> {
        let mut geometry = Self {
            dims,
            slots,
            planes,
            plane_bytes,
            inline_tids: 1,
            record_size: 0,
            records_per_page: 0,
        };
        let least = geometry.vector_at() + 2 * dims;
        geometry.records_per_page = PAGE_USABLE / least;
        if geometry.records_per_page == 0 {
            return None;
        }
        geometry.record_size = PAGE_USABLE / geometry.records_per_page;
        let spare = geometry.record_size - least;
        geometry.inline_tids = (1 + spare / HeapTid::SIZE).min(MAX_INLINE_TIDS);
        Some(geometry)
    }

    /// Whether the vectors of elements go on in tails.
    pub fn is_split(&self) -> bool {
        self.before_vector() + 2 * self.dims > self.record_size
    }

    /// Bytes before the vector of a record that holds it whole.
    fn before_vector(&self) -> usize {
        let slot = 4 + if self.coded() { 4 } else { 0 } + self.code_bytes();
        Self::HEADER + self.inline_tids * HeapTid::SIZE + self.slots * slot
    }

    /// Tails of an element: records of their own, each with a part of the vector.
    pub fn tails(&self) -> usize {
        (self.dims - self.part(0).end).div_ceil(self.tail_dims())
    }

    /// Dimensions that part `index` of a vector covers: part 0 is in the element's own record,
    /// part i in its i-th tail.
    pub fn part(&self, index: usize) -> Range<usize> {
        let own = self.dims.min(self.record_size.saturating_sub(self.vector_at()) / 2);
        let end = |index| self.dims.min(own + index * self.tail_dims());
        if index == 0 { 0..own } else { end(index - 1)..end(index) }
    }

    fn tail_dims(&self) -> usize {
        (self.record_size - Self::HEADER) / 2
    }

    /// Whether neighbors carry codes.
    pub fn coded(&self) -> bool {
        self.planes > 0
    }

    /// Bytes of one code.
    pub fn code_bytes(&self) -> usize {
        self.planes * self.plane_bytes
    }

    /// Rotated dimensions that a code covers.
    pub fn code_dims(&self) -> usize {
        self.dims.min(8 * self.plane_bytes)
    }

    /// Heap tids that an overflow record holds.
    pub fn overflow_tids(&self) -> usize {
        self.record_size.saturating_sub(Self::HEADER) / HeapTid::SIZE
    }

    pub(crate) fn tids_at(&self) -> usize {
        Self::HEADER + if self.is_split() { Self::TAIL } else { 0 }
    }

    pub(crate) fn ids_at(&self) -> usize {
        self.tids_at() + self.inline_tids * HeapTid::SIZE
    }

    pub(crate) fn adds_at(&self) -> usize {
        self.ids_at() + 4 * self.slots
    }

    pub(crate) fn scales_at(&self) -> usize {
        self.adds_at() + if self.coded() { 2 * self.slots } else { 0 }
    }

    pub(crate) fn codes_at(&self) -> usize {
        self.scales_at() + if self.coded() { 2 * self.slots } else { 0 }
    }

    pub(crate) fn vector_at(&self) -> usize {
        self.codes_at() + self.slots * self.code_bytes()
    }

    /// Checks sizes that were read from a page.
    pub fn validate(&self) -> bool {
        (1..=16_000).contains(&self.dims)
            && (4..=200).contains(&self.slots)
            && self.planes <= 4
            && (self.planes == 0) == (self.plane_bytes == 0)
            && self.plane_bytes <= self.dims.div_ceil(8)
            && (1..=MAX_INLINE_TIDS).contains(&self.inline_tids)
            && self.records_per_page >= 1
            && self.record_size.saturating_mul(self.records_per_page) <= PAGE_USABLE
            && self.record_size > Self::HEADER + 2
            && self.vector_at() <= self.record_size
            && (!self.is_split() || self.records_per_page == 1 && self.tails() <= MAX_TAILS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_embeddings_fill_their_pages() {
        for (dims, per_page, code_bits) in [
            (100, 6, 208),
            (128, 5, 256),
            (384, 3, 384),
            (768, 2, 512),
            (784, 2, 512),
            (1536, 1, 1152),
        ] {
            let g = Geometry::choose(dims, 16, true).expect("fits");
            assert_eq!(
                (g.records_per_page, g.code_bytes() * 8),
                (per_page, code_bits),
                "{dims} dims"
            );
            assert!(g.validate());
        }
    }

    #[test]
    fn every_choice_is_valid() {
        for m in [2, 5, 16, 48, 100] {
            for dims in (1..4000).step_by(7).chain((4000..=16_000).step_by(301)) {
                for coded in [true, false] {
                    let g = Geometry::choose(dims, m, coded).expect("fits");
                    assert!(g.validate(), "{dims} dims, m {m}: {g:?}");
                    let parts: Vec<_> = (0..=g.tails()).map(|part| g.part(part)).collect();
                    assert_eq!((parts[0].start, parts[g.tails()].end), (0, dims), "{g:?}");
                    assert!(parts.windows(2).all(|two| two[0].end == two[1].start), "{g:?}");
                    assert!(parts[1..].iter().all(|part| !part.is_empty()), "{g:?}");
                }
            }
        }
    }

    #[test]
    fn long_vectors_take_as_few_pages_as_they_can() {
        for (dims, m, tails, code_bits) in [
            (3_072, 16, 0, 384),
            (4_096, 16, 1, 1_536),
            (8_192, 16, 2, 1_536),
            (16_000, 16, 4, 1_536),
            (16_000, 100, 4, 256),
        ] {
            let g = Geometry::choose(dims, m, true).expect("fits");
            assert_eq!((g.tails(), g.code_bytes() * 8), (tails, code_bits), "{dims} dims");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(matches!(Geometry::choose(4000, 2_000, true), Err(Error::Limit(_))));
    }
}
