//! Blocks: 32 entries of a list, each with its row, its vector's number and its code.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use half::bf16;
use kernels::BLOCK;
use pages::{Error, HeapTid, PageKind, Result, init_page, is_new, page_kind};
use quant::Factors;

use crate::geometry::{BlockNo, Geometry, VectorNo};

/// The list of lists, where a block names the list it belongs to.
pub(crate) const ROOT: u32 = u32::MAX;
/// The blocks that belong to no list.
pub(crate) const FREE: u32 = u32::MAX - 1;

const LIST: usize = 0;
const NEXT: usize = 4;
const LIVE: usize = 8;
const OPEN: usize = 12;
const OPEN_COUNT: usize = 16;
const USED: usize = 18;
const CLOSED: usize = 19;
const ROOM: usize = 20;
const ERROR: usize = 24;

/// One entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The row; in the list of lists, the number of a list's first block and its [`Radius`].
    pub(crate) tid: HeapTid,
    pub(crate) vector: VectorNo,
}

/// What an entry tells of its vector.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sketch {
    pub(crate) factors: Factors,
    /// Empty where entries have no codes.
    pub(crate) code: Vec<u8>,
    /// What pages hold of the vector is at most so far from the vector itself, as lists are made of
    /// them.
    pub(crate) error: f32,
}

/// Vectors that a list may fill next: they follow each other in one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) first: VectorNo,
    pub(crate) count: usize,
}

impl Open {
    /// As stored: the first, and how many.
    pub(crate) fn encode(open: Option<Self>) -> [u32; 2] {
        open.map_or([0, 0], |open| [open.first.0, open.count as u32])
    }

    pub(crate) fn decode(first: u32, count: usize) -> Option<Self> {
        (count > 0).then_some(Self { first: VectorNo(first), count })
    }

    /// What is open after the first vector is taken.
    pub(crate) fn after(self) -> Option<Self> {
        Self::decode(self.first.0.saturating_add(1), self.count.saturating_sub(1))
    }

    pub(crate) fn is_of_one_run(&self, geometry: &Geometry) -> bool {
        self.count <= geometry.run_vectors.saturating_sub(self.first.place(geometry))
    }

    pub(crate) fn vectors(self) -> impl Iterator<Item = VectorNo> {
        (0..self.count as u32).map(move |i| VectorNo(self.first.0.saturating_add(i)))
    }
}

/// A block in a page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block<'a> {
    bytes: &'a [u8],
    geometry: &'a Geometry,
}

impl<'a> Block<'a> {
    /// The block `no` in the body of its page, which must belong to `list`.
    pub(crate) fn read(
        body: &'a [u8],
        no: BlockNo,
        list: u32,
        geometry: &'a Geometry,
    ) -> Result<Self> {
        let block = Self::read_any(body, no, geometry)?;
        if block.list() != list {
            return Err(Error::corrupted(no.page(geometry), "block belongs to another list"));
        }
        Ok(block)
    }

    /// The block `no`, whatever it belongs to.
    pub(crate) fn read_any(body: &'a [u8], no: BlockNo, geometry: &'a Geometry) -> Result<Self> {
        let page = no.page(geometry);
        if is_new(body) || page_kind(body, page)? != PageKind::Blocks {
            return Err(Error::corrupted(page, "page does not hold blocks of lists"));
        }
        let block = Self { bytes: &body[geometry.block_range(no.place(geometry))], geometry };
        block.check().map_err(|what| Error::corrupted(page, what))?;
        Ok(block)
    }

    fn check(&self) -> std::result::Result<(), &'static str> {
        let beyond = self.live().checked_shr(self.used() as u32).is_some_and(|beyond| beyond != 0);
        if self.used() > BLOCK || beyond {
            return Err("block has impossible counts");
        }
        if self.open().is_some_and(|open| !open.is_of_one_run(self.geometry)) {
            return Err("block has an impossible run of vectors");
        }
        // Entries of the list of lists hold something else in this place.
        if !matches!(self.list(), ROOT | FREE) && self.live() & self.impossible_tids() != 0 {
            return Err("block has an impossible heap tid");
        }
        Ok(())
    }

    /// Entries whose tid cannot be that of a row, a bit for each.
    fn impossible_tids(&self) -> u32 {
        let tids = self.field::<{ HeapTid::SIZE }>(self.geometry.tids_at());
        let impossible = |tid: &[u8; HeapTid::SIZE]| !HeapTid::from_bytes(*tid).is_possible();
        (0..).zip(tids).fold(0, |bits, (i, tid)| bits | u32::from(impossible(tid)).wrapping_shl(i))
    }

    /// What it belongs to: a list, [`ROOT`] or [`FREE`].
    pub(crate) fn list(&self) -> u32 {
        self.u32(LIST)
    }

    /// Whether no row may be added: rows are about to leave for other lists.
    pub(crate) fn closed(&self) -> bool {
        self.bytes[CLOSED] != 0
    }

    /// In a block of a list in the making: the block taken before it.
    pub(crate) fn taken_before(&self) -> Option<BlockNo> {
        BlockNo::decode(self.u32(OPEN)).filter(|_| self.open().is_none())
    }

    /// Entries that were ever used: the first ones.
    pub(crate) fn used(&self) -> usize {
        usize::from(self.bytes[USED])
    }

    /// A bit for each entry: whether it stands for a row.
    pub(crate) fn live(&self) -> u32 {
        self.u32(LIVE)
    }

    /// The next block of the list.
    pub(crate) fn next(&self) -> Option<BlockNo> {
        BlockNo::decode(self.u32(NEXT))
    }

    /// In the first block of a list: where there may be room for another entry.
    pub(crate) fn room(&self) -> Option<BlockNo> {
        BlockNo::decode(self.u32(ROOM))
    }

    /// The largest error of its entries, see [`Sketch`]; infinite where that is not a number.
    pub(crate) fn error(&self) -> f32 {
        let error = f32::from_bits(self.u32(ERROR));
        if error >= 0.0 { error } else { f32::INFINITY }
    }

    pub(crate) fn open(&self) -> Option<Open> {
        Open::decode(self.u32(OPEN), usize::from(self.u16(OPEN_COUNT)))
    }

    /// An entry that a row may take: one that stood for another, or the first never used.
    pub(crate) fn vacant(&self) -> Option<usize> {
        if self.closed() {
            return None;
        }
        let entry = (!self.live()).trailing_zeros() as usize;
        (entry < BLOCK).then_some(entry)
    }

    /// The entry at `index`, below [`BLOCK`].
    pub(crate) fn entry(&self, index: usize) -> Entry {
        let tids = self.field::<{ HeapTid::SIZE }>(self.geometry.tids_at());
        let vectors = self.field::<4>(self.geometry.vectors_at());
        Entry {
            tid: HeapTid::from_bytes(tids[index]),
            vector: VectorNo(u32::from_le_bytes(vectors[index])),
        }
    }

    /// The entries that stand for rows, and their places.
    pub(crate) fn entries(self) -> impl Iterator<Item = (usize, Entry)> + use<'a> {
        let live = self.live();
        (0..self.used()).filter(move |&i| is_set(live, i)).map(move |i| (i, self.entry(i)))
    }

    /// The vectors of the entries that stood for rows and do not any more.
    pub(crate) fn vacated(self) -> impl Iterator<Item = VectorNo> + use<'a> {
        let live = self.live();
        (0..self.used()).filter(move |&i| !is_set(live, i)).map(move |i| self.entry(i).vector)
    }

    /// Factors `add` of all entries, only where there are codes.
    pub(crate) fn adds(&self) -> &'a [[u8; 2]; BLOCK] {
        self.field(self.geometry.adds_at())
    }

    /// Factors `res` of all entries, only where there are codes.
    pub(crate) fn ress(&self) -> &'a [[u8; 2]; BLOCK] {
        self.field(self.geometry.ress_at())
    }

    /// Codes of all entries, byte by byte.
    pub(crate) fn codes(&self) -> &'a [u8] {
        &self.bytes[self.geometry.codes_at()..]
    }

    /// An array of one field of all entries.
    fn field<const N: usize>(&self, at: usize) -> &'a [[u8; N]; BLOCK] {
        let (fields, _) = self.bytes[at..].as_chunks::<N>();
        fields.first_chunk().expect("a block has room for the fields of all entries")
    }

    fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.bytes[at..][..4].try_into().expect("four bytes"))
    }

    fn u16(&self, at: usize) -> u16 {
        u16::from_le_bytes(self.bytes[at..][..2].try_into().expect("two bytes"))
    }
}

/// A block in a page that is being changed.
#[derive(Debug)]
pub(crate) struct BlockMut<'a> {
    bytes: &'a mut [u8],
    geometry: &'a Geometry,
}

impl<'a> BlockMut<'a> {
    /// The block `no` in the body of its page, which must belong to `list`.
    pub(crate) fn open(
        body: &'a mut [u8],
        no: BlockNo,
        list: u32,
        geometry: &'a Geometry,
    ) -> Result<Self> {
        Block::read(body, no, list, geometry)?;
        Ok(Self::place(body, no, geometry))
    }

    /// An empty block, to be followed by `next`.
    pub(crate) fn create(
        body: &'a mut [u8],
        no: BlockNo,
        list: u32,
        next: Option<BlockNo>,
        geometry: &'a Geometry,
    ) -> Self {
        let mut block = Self::place(body, no, geometry);
        block.bytes.fill(0);
        block.put(LIST, &list.to_le_bytes());
        block.set_next(next);
        block
    }

    fn place(body: &'a mut [u8], no: BlockNo, geometry: &'a Geometry) -> Self {
        Self { bytes: &mut body[geometry.block_range(no.place(geometry))], geometry }
    }

    pub(crate) fn as_ref(&self) -> Block<'_> {
        Block { bytes: self.bytes, geometry: self.geometry }
    }

    pub(crate) fn set_next(&mut self, next: Option<BlockNo>) {
        self.put(NEXT, &BlockNo::encode(next).to_le_bytes());
    }

    pub(crate) fn set_room(&mut self, room: Option<BlockNo>) {
        self.put(ROOM, &BlockNo::encode(room).to_le_bytes());
    }

    pub(crate) fn set_open(&mut self, open: Option<Open>) {
        let [first, count] = Open::encode(open);
        self.put(OPEN, &first.to_le_bytes());
        self.put(OPEN_COUNT, &(count as u16).to_le_bytes());
    }

    /// Names the block taken before, where nothing is open.
    pub(crate) fn set_taken_before(&mut self, before: Option<BlockNo>) {
        self.put(OPEN, &BlockNo::encode(before).to_le_bytes());
    }

    pub(crate) fn set_closed(&mut self, closed: bool) {
        self.bytes[CLOSED] = u8::from(closed);
    }

    /// Writes an entry that stands for a row.
    pub(crate) fn set_entry(&mut self, index: usize, entry: Entry, sketch: &Sketch) {
        let Sketch { factors, code, error } = sketch;
        let geometry = self.geometry;
        self.set_tid(index, entry.tid);
        self.set_vector(index, entry.vector);
        if geometry.coded() {
            self.put_field(geometry.adds_at(), index, factors.add.to_le_bytes());
            self.put_field(geometry.ress_at(), index, factors.res.to_le_bytes());
            let columns = self.bytes[geometry.codes_at()..].chunks_exact_mut(BLOCK);
            columns.zip(code).for_each(|(column, &byte)| column[index] = byte);
        }
        let error = self.as_ref().error().max(*error);
        self.put(ERROR, &error.to_le_bytes());
        let live = self.as_ref().live() | bit(index);
        self.put(LIVE, &live.to_le_bytes());
    }

    /// Changes the tid of an entry.
    pub(crate) fn set_tid(&mut self, index: usize, tid: HeapTid) {
        self.put_field(self.geometry.tids_at(), index, tid.to_bytes());
    }

    /// Writes an entry that stands for no row yet, and has a place for its vector.
    pub(crate) fn set_vacated(&mut self, index: usize, vector: VectorNo) {
        self.set_vector(index, vector);
    }

    /// Leaves only the entries of `live`.
    pub(crate) fn retain(&mut self, live: u32) {
        let live = self.as_ref().live() & live;
        self.put(LIVE, &live.to_le_bytes());
    }

    /// Writes the vector of an entry, which counts as used from then on.
    fn set_vector(&mut self, index: usize, vector: VectorNo) {
        self.put_field(self.geometry.vectors_at(), index, vector.0.to_le_bytes());
        // At most `BLOCK`, 32.
        self.bytes[USED] = self.bytes[USED].max((index as u8).saturating_add(1));
    }

    /// Writes the field of one entry; the fields of all begin `at`.
    fn put_field<const N: usize>(&mut self, at: usize, index: usize, bytes: [u8; N]) {
        self.bytes[at..].as_chunks_mut().0[index] = bytes;
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..][..bytes.len()].copy_from_slice(bytes);
    }
}

/// The bit of an entry, below [`BLOCK`].
fn bit(index: usize) -> u32 {
    1_u32.wrapping_shl(index as u32)
}

fn is_set(live: u32, index: usize) -> bool {
    live & bit(index) != 0
}

/// Begins a page of blocks.
pub(crate) fn init_blocks(body: &mut [u8], page: u32) {
    init_page(body, PageKind::Blocks, page);
}

/// The factors of an entry without a code.
const NO_FACTORS: Factors = Factors { add: bf16::ZERO, res: bf16::ZERO };

impl Sketch {
    /// Without a code.
    pub(crate) fn plain(error: f32) -> Self {
        Self { factors: NO_FACTORS, code: Vec::new(), error }
    }
}
