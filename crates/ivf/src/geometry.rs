//! Sizes of an index, fixed when it is built, and the numbers of what lies in its pages.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use std::num::NonZeroU32;
use std::ops::Range;

use kernels::{BLOCK, CodeShape};
use pages::{Error, HeapTid, PAGE_USABLE, Result};
use vectors::Form;

/// Bits of a code at most: a longer one gains little, and a block of them would outgrow a page.
const MAX_BITS: usize = 1536;
/// Pages of a run at most: a batch that begins one also holds the metapage and a block.
const MAX_RUN_PAGES: usize = 2;

/// The fixed sizes of one index. Byte maps: `src/am/ivf/README.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// How vectors are stored.
    pub form: Form,
    /// Dimensions of the column.
    pub dims: usize,
    /// Bits a coded dimension takes, 1..=4; 0 where entries carry no codes.
    pub planes: usize,
    /// Bytes of one plane of one code; the code covers the first `8 × plane_bytes` rotated dims.
    pub plane_bytes: usize,
    /// Pages of a run of vectors, which follow each other.
    pub run_pages: usize,
    /// Vectors of a run, one after another without regard to the pages' ends.
    pub run_vectors: usize,
}

impl Geometry {
    /// Bytes of a block before its entries.
    pub(crate) const HEADER: usize = 28;
    /// Bytes of a vector before its numbers, where these are not bits.
    const VECTOR_HEADER: usize = 12;
    /// Most dimensions of an index on numbers: vectors are not longer than a page.
    pub const MAX_DIMS: usize = 4_000;

    /// Sizes for vectors of `dims` dimensions, with codes if they are wanted.
    ///
    /// # Errors
    /// [`Error::Limit`] where no page has room for a vector.
    pub fn choose(form: Form, dims: usize, coded: bool) -> Result<Self> {
        let planes = match dims {
            _ if !coded => 0,
            0..=64 => 4,
            65..256 => 2,
            _ => 1,
        };
        let plane_bytes = if coded { dims.min(MAX_BITS).div_ceil(8) } else { 0 };
        let start = Self { form, dims, planes, plane_bytes, run_pages: 1, run_vectors: 0 };
        let size = start.vector_size();
        let room = |pages: usize| pages.saturating_mul(PAGE_USABLE);
        let run = |pages| (pages, room(pages).checked_div(size).unwrap_or(0));
        let (run_pages, run_vectors) = (1..=MAX_RUN_PAGES)
            .map(run)
            .reduce(|a, b| if b.1.saturating_mul(a.0) > a.1.saturating_mul(b.0) { b } else { a })
            .unwrap_or((1, 0));
        let geometry = Self { run_pages, run_vectors, ..start };
        if geometry.validate() {
            Ok(geometry)
        } else {
            Err(Error::Limit("vectors do not fit an index page"))
        }
    }

    /// Whether sizes that were read from a page are possible.
    pub fn validate(&self) -> bool {
        self.dims >= 1
            && self.dims <= self.form.max_dims()
            && self.planes <= 4
            && (self.planes > 0 || !self.form.is_rotated())
            && (self.planes == 0) == (self.plane_bytes == 0)
            && self.plane_bytes <= self.dims.min(MAX_BITS).div_ceil(8)
            && (1..=MAX_RUN_PAGES).contains(&self.run_pages)
            && self.vector_size() <= PAGE_USABLE
            && self.run_vectors >= 1
            && self.run_vectors.saturating_mul(self.vector_size())
                <= self.run_pages.saturating_mul(PAGE_USABLE)
            && self.block_size() <= PAGE_USABLE
    }

    /// Whether entries carry codes.
    pub fn coded(&self) -> bool {
        self.planes > 0
    }

    /// The shape of codes.
    pub fn shape(&self) -> CodeShape {
        CodeShape { planes: self.planes, plane_bytes: self.plane_bytes }
    }

    /// Rotated dimensions that a code covers.
    pub fn code_dims(&self) -> usize {
        self.dims.min(self.plane_bytes.saturating_mul(8))
    }

    /// Bytes of a vector with its header.
    pub fn vector_size(&self) -> usize {
        self.vector_header().saturating_add(self.form.bytes(self.dims))
    }

    pub(crate) fn vector_header(&self) -> usize {
        if self.form == Form::Bits { 0 } else { Self::VECTOR_HEADER }
    }

    pub(crate) fn tids_at(&self) -> usize {
        Self::HEADER
    }

    pub(crate) fn vectors_at(&self) -> usize {
        self.tids_at().saturating_add(BLOCK * HeapTid::SIZE)
    }

    pub(crate) fn adds_at(&self) -> usize {
        self.vectors_at().saturating_add(BLOCK * 4)
    }

    pub(crate) fn ress_at(&self) -> usize {
        self.adds_at().saturating_add(if self.coded() { BLOCK * 2 } else { 0 })
    }

    pub(crate) fn codes_at(&self) -> usize {
        self.ress_at().saturating_add(if self.coded() { BLOCK * 2 } else { 0 })
    }

    /// Bytes of a block.
    pub fn block_size(&self) -> usize {
        self.codes_at().saturating_add(self.shape().bytes().saturating_mul(BLOCK))
    }

    /// Blocks of a page.
    pub fn blocks_per_page(&self) -> usize {
        PAGE_USABLE.checked_div(self.block_size()).unwrap_or(0)
    }

    /// Bytes of a page that a block takes.
    pub(crate) fn block_range(&self, place: usize) -> Range<usize> {
        let start = place.saturating_mul(self.block_size());
        start..start.saturating_add(self.block_size())
    }
}

/// Number of a block: the page it lies in times the blocks of a page, plus its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockNo(pub u32);

impl BlockNo {
    /// The block at `place` of a page.
    ///
    /// # Errors
    /// [`Error::Limit`] where 32 bits do not hold it.
    pub(crate) fn at(page: u32, place: usize, geometry: &Geometry) -> Result<Self> {
        numbered(page, geometry.blocks_per_page(), place).map(Self)
    }

    /// The page it lies in.
    pub fn page(self, geometry: &Geometry) -> u32 {
        self.0 / at_least_one(geometry.blocks_per_page())
    }

    pub(crate) fn place(self, geometry: &Geometry) -> usize {
        (self.0 % at_least_one(geometry.blocks_per_page())) as usize
    }

    /// As stored: nothing lies in page 0, so zero is none.
    pub(crate) fn encode(block: Option<Self>) -> u32 {
        block.map_or(0, |block| block.0)
    }

    pub(crate) fn decode(stored: u32) -> Option<Self> {
        (stored != 0).then_some(Self(stored))
    }
}

/// Number of a vector: the first page of its run times the vectors of a run, plus its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VectorNo(pub u32);

impl VectorNo {
    /// The vector at `place` of the run that begins at `page`.
    ///
    /// # Errors
    /// [`Error::Limit`] where 32 bits do not hold it.
    pub(crate) fn at(page: u32, place: usize, geometry: &Geometry) -> Result<Self> {
        numbered(page, geometry.run_vectors, place).map(Self)
    }

    /// The page that it begins on.
    pub(crate) fn page(self, geometry: &Geometry) -> u32 {
        let [(page, _), _] = self.parts(geometry);
        page
    }

    /// The first page of its run.
    pub(crate) fn run(self, geometry: &Geometry) -> u32 {
        self.0 / at_least_one(geometry.run_vectors)
    }

    pub(crate) fn place(self, geometry: &Geometry) -> usize {
        (self.0 % at_least_one(geometry.run_vectors)) as usize
    }

    /// Where its bytes lie: a page and a range of it, and what goes on in the page after it.
    pub(crate) fn parts(self, geometry: &Geometry) -> [(u32, Range<usize>); 2] {
        let start = self.place(geometry).saturating_mul(geometry.vector_size());
        let (skipped, at) = (start / PAGE_USABLE, start % PAGE_USABLE);
        let first = self.run(geometry).saturating_add(skipped as u32);
        let end = at.saturating_add(geometry.vector_size());
        let rest = end.saturating_sub(PAGE_USABLE);
        [(first, at..end.min(PAGE_USABLE)), (first.saturating_add(1), 0..rest)]
    }
}

/// A count that a checked [`Geometry`] has above zero, and that fits a page.
fn at_least_one(count: usize) -> NonZeroU32 {
    NonZeroU32::new(count as u32).unwrap_or(NonZeroU32::MIN)
}

fn numbered(page: u32, per_page: usize, place: usize) -> Result<u32> {
    let first = u64::from(page).saturating_mul(per_page as u64);
    let number = first.saturating_add(place as u64);
    u32::try_from(number).map_err(|_| Error::Limit("the index has too many pages"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_is_valid() {
        for dims in (1..600).chain((600..=Geometry::MAX_DIMS).step_by(13)).chain([4_000]) {
            for coded in [true, false] {
                let geometry = Geometry::choose(Form::Halves, dims, coded).expect("fits");
                assert!(geometry.validate() && geometry.blocks_per_page() > 0, "{geometry:?}");
            }
        }
        for dims in [1, 8, 1_000, 64_000] {
            assert!(Geometry::choose(Form::Bits, dims, false).expect("fits").validate());
        }
        assert!(Geometry::choose(Form::Halves, 5_000, true).is_err());
    }

    #[test]
    fn an_index_takes_about_a_quarter_more_than_its_halves() {
        for dims in [100, 384, 768, 784, 1_024, 1_536, 2_000] {
            let geometry = Geometry::choose(Form::Halves, dims, true).expect("fits");
            let page = (PAGE_USABLE + 32) as f64;
            let block = page / geometry.blocks_per_page() as f64 / BLOCK as f64;
            let vector = page * geometry.run_pages as f64 / geometry.run_vectors as f64;
            let over = (block + vector) / (2 * dims) as f64;
            let allowed = if dims < 256 { 1.6 } else { 1.27 };
            assert!(over <= allowed, "{dims} dimensions: {over}, {geometry:?}");
        }
    }

    #[test]
    fn vectors_of_a_run_lie_one_after_another() {
        let geometry = Geometry::choose(Form::Halves, 1_536, true).expect("fits");
        assert_eq!((geometry.run_pages, geometry.run_vectors), (2, 5));
        let mut end = (7, 0);
        for place in 0..5 {
            let no = VectorNo::at(7, place, &geometry).expect("a number");
            let [(page, range), (next, rest)] = no.parts(&geometry);
            assert_eq!((page, range.start), end);
            assert_eq!(range.len() + rest.len(), geometry.vector_size());
            end = if rest.is_empty() { (page, range.end) } else { (next, rest.end) };
        }
        assert_eq!(end.0, 8);
    }
}
