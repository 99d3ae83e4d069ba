//! Sizes of an index, fixed when it is built.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use std::ops::Range;

use pages::{Error, HeapTid, PAGE_USABLE, Result};
use vectors::Form;

use super::Meta;

/// Highest level an element can have.
pub const MAX_LEVEL: u8 = 7;

/// Tids kept in a record itself; more go to overflow records.
const MAX_INLINE_TIDS: usize = 10;
/// Tails of an element with the most dimensions there are.
const MAX_TAILS: usize = 8;
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
    /// How vectors are stored.
    pub form: Form,
    /// Dimensions of the column, 1..=[`Form::max_dims`].
    pub dims: usize,
    /// Neighbor slots of a record: 2 × m.
    pub slots: usize,
    /// Bits a coded dimension takes, 1..=4; 0 where neighbors carry no codes. The code of a vector
    /// of bits is its beginning.
    pub planes: usize,
    /// Bytes of one plane of one code; the code covers the first `8 × plane_bytes` rotated dims.
    pub plane_bytes: usize,
    /// Heap tids stored in a record itself.
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
    /// Bytes behind these that tell how many elements a sparse vector has.
    const COUNT: usize = 4;

    /// Chooses sizes for vectors of `dims` dimensions and for `m`, so that records fill pages.
    ///
    /// As many records go on a page as leave room for codes that steer well; what is left then
    /// lengthens the codes, and after them the tids. An element that no page has room for takes as
    /// few pages as it can.
    ///
    /// # Errors
    /// [`Error::Limit`] where neighbor lists do not fit a page; they do for any `m` up to 100.
    pub fn choose(form: Form, dims: usize, m: usize, coded: bool) -> Result<Self> {
        let space = form.coded_space(dims);
        let full = space.div_ceil(8);
        let start =
            |planes, plane_bytes| Self::start(form, dims, m.saturating_mul(2), planes, plane_bytes);
        let sized = |planes, plane_bytes| start(planes, plane_bytes).sized();
        let whole = match space {
            _ if !coded => sized(0, 0),
            _ if form == Form::Bits => sized(1, full).filter(|_| full <= form.steering_bytes()),
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
        let tight = sized(1, full.min(form.steering_bytes()))
            .or_else(|| sized(1, full.min(MIN_BITS / 8)))
            .filter(|_| coded);
        if let Some(tight) = tight {
            let longest = lengths()
                .filter_map(|bytes| sized(1, bytes))
                .find(|geometry| geometry.records_per_page == tight.records_per_page);
            return Ok(longest.unwrap_or(tight));
        }
        let split = |planes, plane_bytes| start(planes, plane_bytes).split();
        let tight = if coded { split(1, full.min(MIN_BITS / 8)) } else { split(0, 0) };
        let tight = tight.ok_or(Error::Limit("neighbor lists do not fit an index page"))?;
        let longest = lengths()
            .filter(|_| coded)
            .filter_map(|bytes| split(1, bytes))
            .find(|geometry| geometry.tails() == tight.tails());
        Ok(longest.unwrap_or(tight))
    }

    /// Sizes of fields, before those of records are known.
    fn start(form: Form, dims: usize, slots: usize, planes: usize, plane_bytes: usize) -> Self {
        let inline_tids = 1;
        let (record_size, records_per_page) = (0, 0);
        Self { form, dims, slots, planes, plane_bytes, inline_tids, record_size, records_per_page }
    }

    /// One element a page, its vector going on in others.
    fn split(self) -> Option<Self> {
        let (inline_tids, record_size) = (MAX_INLINE_TIDS, PAGE_USABLE);
        let geometry = Self { inline_tids, record_size, records_per_page: 1, ..self };
        geometry.validate().then_some(geometry)
    }

    /// As many records a page as there is room for.
    fn sized(mut self) -> Option<Self> {
        let least = self.before_vector().saturating_add(self.vector_bytes());
        self.records_per_page = PAGE_USABLE.checked_div(least)?;
        self.record_size = PAGE_USABLE.checked_div(self.records_per_page)?;
        let spare = self.record_size.saturating_sub(least);
        self.inline_tids = (spare / HeapTid::SIZE).saturating_add(1).min(MAX_INLINE_TIDS);
        Some(self)
    }

    /// Bytes of a vector; see [`Form::bytes`].
    pub fn vector_bytes(&self) -> usize {
        self.form.bytes(self.dims)
    }

    /// Whether vectors differ in length: those that are sparse.
    pub fn varies(&self) -> bool {
        self.form == Form::Sparse
    }

    /// Tails of an element: records of their own, each with a part of the vector. Of sparse vectors,
    /// a short one has none, and a long one more.
    pub fn tails(&self) -> usize {
        self.tails_of(self.vector_bytes())
    }

    /// Tails of an element whose vector takes `all` bytes.
    pub fn tails_of(&self, all: usize) -> usize {
        all.saturating_sub(self.part(0, all).end).div_ceil(self.tail_bytes().max(1))
    }

    /// Bytes that part `index` covers of a vector that takes `all` bytes: part 0 is in the element's
    /// own record, part i in its i-th tail.
    pub fn part(&self, index: usize, all: usize) -> Range<usize> {
        let own = all.min(self.whole_units(self.record_size.saturating_sub(self.vector_at())));
        let end =
            |tails: usize| all.min(own.saturating_add(self.tail_bytes().saturating_mul(tails)));
        index.checked_sub(1).map_or(0..own, |before| end(before)..end(index))
    }

    fn tail_bytes(&self) -> usize {
        self.whole_units(self.record_size.saturating_sub(Self::HEADER))
    }

    fn whole_units(&self, bytes: usize) -> usize {
        bytes.saturating_sub(bytes.checked_rem(self.form.unit()).unwrap_or(0))
    }

    /// Whether neighbors carry codes.
    pub fn coded(&self) -> bool {
        self.planes > 0
    }

    /// Bytes of each of the two factors of an edge.
    pub(crate) fn factor_bytes(&self) -> usize {
        if self.coded() && self.form != Form::Bits { 2 } else { 0 }
    }

    /// Dimensions of the space in which neighbors are coded, see [`Form::coded_space`].
    pub fn coded_space(&self) -> usize {
        self.form.coded_space(self.dims)
    }

    /// Rotated dimensions that a code covers.
    pub fn code_dims(&self) -> usize {
        self.coded_space().min(self.plane_bytes.saturating_mul(8))
    }

    /// Rotated dimensions of the center that the metapage holds: those that a code covers, and, where
    /// vectors are stored relative to it, as many as there is room for.
    pub fn center_dims(&self) -> usize {
        if self.form.is_rotated() { self.dims.min(Meta::MAX_CODE_DIMS) } else { self.code_dims() }
    }

    /// Heap tids that an overflow record holds.
    pub fn overflow_tids(&self) -> usize {
        self.record_size.saturating_sub(Self::HEADER) / HeapTid::SIZE
    }

    /// Checks sizes that were read from a page.
    pub fn validate(&self) -> bool {
        (1..=self.form.max_dims()).contains(&self.dims)
            && (4..=200).contains(&self.slots)
            && self.planes <= if self.form == Form::Bits { 1 } else { 4 }
            && (self.planes == 0) == (self.plane_bytes == 0)
            && self.plane_bytes <= self.coded_space().div_ceil(8)
            && (1..=MAX_INLINE_TIDS).contains(&self.inline_tids)
            && self.records_per_page >= 1
            && self.record_size.saturating_mul(self.records_per_page) <= PAGE_USABLE
            && self.record_size >= const { Self::HEADER + 4 }
            && self.vector_at() <= self.record_size
            && (!self.is_split()
                || self.varies()
                || self.records_per_page == 1 && self.tails() <= MAX_TAILS)
    }
}

/// Where fields lie. [`Geometry::validate`] bounds every size before it computes one of these, and the
/// options of a new index are bounded, so no sum or product overflows.
#[allow(clippy::arithmetic_side_effects)] // computed for each record that a search reads
impl Geometry {
    /// Bytes of one code.
    pub fn code_bytes(&self) -> usize {
        self.planes * self.plane_bytes
    }

    /// Bytes before the vector of a record that holds it whole.
    fn before_vector(&self) -> usize {
        let slot = 4 + 2 * self.factor_bytes() + self.code_bytes();
        let own = if self.varies() { Self::TAIL + Self::COUNT } else { 0 };
        Self::HEADER + own + self.inline_tids * HeapTid::SIZE + self.slots * slot
    }

    /// Whether vectors go on in tails: all of them, or sparse ones that are long.
    pub fn is_split(&self) -> bool {
        self.varies() || self.before_vector() + self.vector_bytes() > self.record_size
    }

    pub(crate) fn tids_at(&self) -> usize {
        let tail = if self.is_split() { Self::TAIL } else { 0 };
        Self::HEADER + tail + if self.varies() { Self::COUNT } else { 0 }
    }

    pub(crate) fn ids_at(&self) -> usize {
        self.tids_at() + self.inline_tids * HeapTid::SIZE
    }

    pub(crate) fn adds_at(&self) -> usize {
        self.ids_at() + 4 * self.slots
    }

    pub(crate) fn scales_at(&self) -> usize {
        self.adds_at() + self.factor_bytes() * self.slots
    }

    pub(crate) fn codes_at(&self) -> usize {
        self.scales_at() + self.factor_bytes() * self.slots
    }

    pub(crate) fn vector_at(&self) -> usize {
        self.codes_at() + self.slots * self.code_bytes()
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
            let g = Geometry::choose(Form::Halves, dims, 16, true).expect("fits");
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
        for form in [Form::Halves, Form::Floats, Form::Sq8, Form::Rabitq] {
            for m in [2, 5, 16, 48, 100] {
                for dims in (1..4000).step_by(7).chain((4000..=16_000).step_by(301)) {
                    for coded in [true, false] {
                        expect_whole(Geometry::choose(form, dims, m, coded).expect("fits"));
                    }
                }
            }
        }
    }

    /// Parts cover the vector, in order.
    fn expect_whole(g: Geometry) {
        assert!(g.validate(), "{g:?}");
        let all = g.vector_bytes();
        let parts: Vec<_> = (0..=g.tails()).map(|part| g.part(part, all)).collect();
        assert_eq!((parts[0].start, parts[g.tails()].end), (0, g.vector_bytes()), "{g:?}");
        assert!(parts.windows(2).all(|two| two[0].end == two[1].start), "{g:?}");
        assert!(parts[1..].iter().all(|part| !part.is_empty()), "{g:?}");
    }

    #[test]
    fn codes_of_bits_are_no_longer_than_the_vectors() {
        let g = Geometry::choose(Form::Bits, 64, 16, true).expect("fits");
        assert!(g.validate());
        assert!(!Geometry { planes: 2, ..g }.validate());
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
            let g = Geometry::choose(Form::Halves, dims, m, true).expect("fits");
            assert_eq!((g.tails(), g.code_bytes() * 8), (tails, code_bits), "{dims} dims");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(matches!(Geometry::choose(Form::Halves, 4000, 2_000, true), Err(Error::Limit(_))));
    }
}
