//! Records: what a page of the graph is made of.
//!
//! A record is an element on one level (vector, neighbor slots with codes, heap tids on level 0),
//! an overflow of heap tids, a tail of a vector that no page holds whole, or free.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use std::num::NonZeroU32;

use pages::{Error, HeapTid, PAGE_BODY, PageKind, Result, page_kind};
use vectors::{Form, MAX_ELEMENTS, SPARSE_ELEMENT, StoredInfo};

use super::{Geometry, MAX_LEVEL};

/// Number of a record: `block × records_per_page + place in the page`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeNo(pub u32);

/// Marks a slot's edge as a reachability edge.
const REACHABILITY: u32 = 1 << 31;

impl NodeNo {
    const NONE: u32 = u32::MAX;

    /// The first record of an index, right behind the metapage.
    pub fn first(geometry: &Geometry) -> Self {
        Self(per_page(geometry).get())
    }

    /// Block of the record.
    pub fn block(self, geometry: &Geometry) -> u32 {
        self.0 / per_page(geometry)
    }

    /// Place of the record in its page.
    pub fn place(self, geometry: &Geometry) -> usize {
        (self.0 % per_page(geometry)) as usize
    }

    /// The record at `place` of `block`.
    pub fn at(block: u32, place: usize, geometry: &Geometry) -> Result<Self> {
        let first = u64::from(block).saturating_mul(geometry.records_per_page as u64);
        let number = first.saturating_add(place as u64);
        match u32::try_from(number) {
            Ok(number) if number < REACHABILITY - 1 => Ok(Self(number)),
            _ => Err(Error::Limit("the index has more records than can be numbered")),
        }
    }

    /// As stored: `u32::MAX` stands for none.
    pub fn encode(node: Option<Self>) -> u32 {
        node.map_or(Self::NONE, |node| node.0)
    }

    /// Reads what [`NodeNo::encode`] wrote.
    pub fn decode(stored: u32) -> Option<Self> {
        (stored != Self::NONE).then_some(Self(stored))
    }
}

/// Records of a page: at least one, and no more than the page has bytes.
fn per_page(geometry: &Geometry) -> NonZeroU32 {
    NonZeroU32::new(geometry.records_per_page as u32).unwrap_or(NonZeroU32::MIN)
}

/// State of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// Never used, or in the list of free records.
    Free = 0,
    /// An element.
    Live = 1,
    /// An element without heap tids: searches pass through it, nothing links to it any more.
    Dying = 2,
    /// Heap tids that did not fit an element's record.
    Tids = 3,
    /// A part of a vector that did not fit an element's record.
    Tail = 4,
}

/// Where a vector goes on: a record, and the life of it that is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail {
    /// The record.
    pub node: NodeNo,
    /// Its version.
    pub version: u32,
}

/// Fixed part of an element's record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Element {
    /// Level of this record, 0..=[`MAX_LEVEL`].
    pub level: u8,
    /// What is stored with its vector.
    pub info: StoredInfo,
    /// Level 0: first overflow record. Above: the same element's record one level down.
    pub link: Option<NodeNo>,
    /// Above level 0: the same element's record on level 0.
    pub base: Option<NodeNo>,
    /// The first tail of the vector, which records of all levels share; it belongs to the one on
    /// level 0. None where the record holds the vector whole.
    pub tail: Option<Tail>,
}

/// One neighbor as stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slot<'a> {
    /// The neighbor's record on the same level.
    pub neighbor: NodeNo,
    /// Whether it is a reachability edge: one of the tree that reaches every element, never given up.
    pub reachability: bool,
    /// Additive factor of the estimate, bfloat16.
    pub add: [u8; 2],
    /// Multiplicative factor of the estimate, bfloat16.
    pub scale: [u8; 2],
    /// Code of the neighbor relative to this element.
    pub code: &'a [u8],
}

/// A record read from a page and checked.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    bytes: &'a [u8],
    geometry: &'a Geometry,
}

mod at {
    pub const STATE: usize = 0;
    pub const LEVEL: usize = 1;
    pub const TIDS: usize = 2;
    pub const NEIGHBORS: usize = 3;
    pub const VERSION: usize = 4;
    pub const ERROR: usize = 8;
    pub const NORM: usize = 12;
    pub const LINK: usize = 16;
    pub const BASE: usize = 20;
    pub const SCALE: usize = 24;
    /// Number of tids of an overflow record, and where they begin.
    pub const OVERFLOW_COUNT: usize = 8;
    pub const OVERFLOW: usize = super::Geometry::HEADER;
    /// Version of the record in `LINK`, of a tail.
    pub const NEXT_VERSION: usize = 8;
    /// First tail of an element and its version, where vectors are split.
    pub const TAIL: usize = super::Geometry::HEADER;
    pub const TAIL_VERSION: usize = TAIL + 4;
    /// Number of elements of a sparse vector.
    pub const ELEMENTS: usize = TAIL_VERSION + 4;
    /// What a tail holds of the vector.
    pub const PART: usize = super::Geometry::HEADER;
}

impl<'a> Record<'a> {
    /// The record at `place` of a page of records, checked.
    pub fn read(body: &'a [u8], block: u32, place: usize, geometry: &'a Geometry) -> Result<Self> {
        if page_kind(body, block)? != PageKind::Records {
            return Err(Error::corrupted(block, "page does not hold records"));
        }
        let start = place.saturating_mul(geometry.record_size);
        let bytes = body
            .get(start..)
            .and_then(|rest| rest.get(..geometry.record_size))
            .filter(|_| place < geometry.records_per_page && body.len() == PAGE_BODY)
            .ok_or(Error::corrupted(block, "record lies outside its page"))?;
        let record = Self { bytes, geometry };
        record.check().map_err(|what| Error::corrupted(block, what))?;
        Ok(record)
    }

    /// An element put together from the bytes of its record and of its tails.
    ///
    /// # Errors
    /// [`Error::Internal`] where `bytes` is not of the size that [`Geometry`] says.
    pub fn whole(bytes: &'a [u8], geometry: &'a Geometry) -> Result<Self> {
        let record = Self { bytes, geometry };
        let start = geometry.vector_at();
        if bytes.len() < start || bytes.len() != start.saturating_add(record.vector_len()) {
            return Err(Error::Internal("an element was not put together whole".to_owned()));
        }
        Ok(record)
    }

    fn check(&self) -> std::result::Result<(), &'static str> {
        match self.bytes[at::STATE] {
            0 | 4 => return Ok(()),
            1 | 2 => {}
            3 if self.overflow_count() > self.geometry.overflow_tids() => {
                return Err("record has too many heap tids");
            }
            3 => return self.check_tids(),
            _ => return Err("record has an unknown state"),
        }
        if self.bytes[at::LEVEL] > MAX_LEVEL {
            return Err("record has an impossible level");
        }
        if usize::from(self.bytes[at::TIDS]) > self.geometry.inline_tids {
            return Err("record has too many heap tids");
        }
        if usize::from(self.bytes[at::NEIGHBORS]) > self.geometry.slots {
            return Err("record has too many neighbors");
        }
        if !(self.f32(at::ERROR) >= 0.0 && self.f32(at::NORM) >= 0.0) {
            return Err("record has an impossible norm");
        }
        if !self.f32(at::SCALE).is_finite() {
            return Err("record has an impossible scale");
        }
        if self.elements().is_some_and(|count| count > MAX_ELEMENTS.min(self.geometry.dims)) {
            return Err("record has too many elements of a vector");
        }
        self.check_tids()
    }

    /// Of a record whose number of tids is a possible one.
    fn check_tids(&self) -> std::result::Result<(), &'static str> {
        if self.tids().all(HeapTid::is_possible) {
            Ok(())
        } else {
            Err("record has an impossible heap tid")
        }
    }

    /// State of the record.
    pub fn state(&self) -> State {
        match self.bytes[at::STATE] {
            1 => State::Live,
            2 => State::Dying,
            3 => State::Tids,
            4 => State::Tail,
            _ => State::Free,
        }
    }

    /// Whether the record is an element, live or dying.
    pub fn is_element(&self) -> bool {
        matches!(self.state(), State::Live | State::Dying)
    }

    /// Counts the lives of the record: changes when it is freed.
    pub fn version(&self) -> u32 {
        self.u32(at::VERSION)
    }

    /// The fixed part; meaningful for elements only.
    pub fn element(&self) -> Element {
        Element {
            level: self.bytes[at::LEVEL],
            info: StoredInfo {
                scale: self.f32(at::SCALE),
                error: self.f32(at::ERROR),
                norm: self.f32(at::NORM),
            },
            link: self.link(),
            base: NodeNo::decode(self.u32(at::BASE)),
            tail: self.tail(),
        }
    }

    /// Where the vector of an element, or of a tail, goes on.
    pub fn tail(&self) -> Option<Tail> {
        let (node, version) = match self.state() {
            State::Tail => (self.link(), self.u32(at::NEXT_VERSION)),
            State::Live | State::Dying if self.geometry.is_split() => {
                (NodeNo::decode(self.u32(at::TAIL)), self.u32(at::TAIL_VERSION))
            }
            State::Free | State::Live | State::Dying | State::Tids => return None,
        };
        node.map(|node| Tail { node, version })
    }

    /// What a tail holds, followed by unused bytes.
    pub fn tail_bytes(&self) -> &'a [u8] {
        &self.bytes[at::PART..]
    }

    /// An element's record up to the end of its own part of the vector: what [`Record::whole`]
    /// begins with.
    pub fn own_bytes(&self) -> &'a [u8] {
        let part = self.geometry.part(0, self.vector_len());
        &self.bytes[..self.geometry.vector_at().saturating_add(part.len())]
    }

    /// Next record of a chain: overflow tids, free records, or one level down.
    pub fn link(&self) -> Option<NodeNo> {
        NodeNo::decode(self.u32(at::LINK))
    }

    /// The element that an overflow record or a first tail belongs to, or the tail before a further
    /// one. A first tail whose element is not written yet belongs to none.
    pub fn owner(&self) -> Option<NodeNo> {
        NodeNo::decode(self.u32(at::BASE))
    }

    /// Heap tids stored in the record itself (of an element or an overflow record).
    pub fn tids(&self) -> impl ExactSizeIterator<Item = HeapTid> + use<'a> {
        let (start, count) = match self.state() {
            State::Tids => (at::OVERFLOW, self.overflow_count()),
            State::Live | State::Dying => {
                (self.geometry.tids_at(), usize::from(self.bytes[at::TIDS]))
            }
            State::Free | State::Tail => (0, 0),
        };
        let (tids, _) = self.bytes[start..].as_chunks();
        tids[..count].iter().map(|tid| HeapTid::from_bytes(*tid))
    }

    /// Number of neighbors.
    pub fn neighbor_count(&self) -> usize {
        usize::from(self.bytes[at::NEIGHBORS])
    }

    /// The neighbors' records, on the same level, in slot order.
    pub fn neighbors(&self) -> impl ExactSizeIterator<Item = NodeNo> + use<'a> {
        self.ids().iter().map(|id| NodeNo(u32::from_le_bytes(*id) & !REACHABILITY))
    }

    /// Whether each edge is a reachability edge, in slot order.
    pub fn reachability_flags(&self) -> impl ExactSizeIterator<Item = bool> + use<'a> {
        self.ids().iter().map(|id| u32::from_le_bytes(*id) & REACHABILITY != 0)
    }

    fn ids(&self) -> &'a [[u8; 4]] {
        let (ids, _) = self.bytes[self.geometry.ids_at()..].as_chunks();
        &ids[..self.neighbor_count()]
    }

    /// Additive factors of the neighbors, bfloat16.
    pub fn adds(&self) -> &'a [[u8; 2]] {
        self.factors(self.geometry.adds_at())
    }

    /// Multiplicative factors of the neighbors, bfloat16.
    pub fn scales(&self) -> &'a [[u8; 2]] {
        self.factors(self.geometry.scales_at())
    }

    fn factors(&self, start: usize) -> &'a [[u8; 2]] {
        let count = if self.geometry.factor_bytes() > 0 { self.neighbor_count() } else { 0 };
        let (factors, _) = self.bytes[start..].as_chunks();
        &factors[..count]
    }

    /// Codes of all slots, one after another, followed by the rest of the record, so that kernels
    /// may read over the end of the last code.
    pub fn codes(&self) -> &'a [u8] {
        &self.bytes[self.geometry.codes_at()..]
    }

    /// The neighbor in slot `index`, or none where it is not filled.
    pub fn slot(&self, index: usize) -> Option<Slot<'a>> {
        let neighbor = self.neighbors().nth(index)?;
        let code_bytes = self.geometry.code_bytes();
        let none = [0; 2];
        Some(Slot {
            neighbor,
            reachability: self.reachability_flags().nth(index)?,
            add: *self.adds().get(index).unwrap_or(&none),
            scale: *self.scales().get(index).unwrap_or(&none),
            code: &self.codes()[index.saturating_mul(code_bytes)..][..code_bytes],
        })
    }

    /// The vector as it is stored, see [`Form`]. A record that was read from its page has
    /// only its own part of a vector that is split.
    pub fn vector(&self) -> &'a [u8] {
        let start = self.geometry.vector_at();
        let end = self.bytes.len().min(start.saturating_add(self.vector_len()));
        &self.bytes[start..end]
    }

    /// Bytes of an element's vector.
    pub fn vector_len(&self) -> usize {
        let sparse = |count| SPARSE_ELEMENT.saturating_mul(count);
        self.elements().map_or(self.geometry.vector_bytes(), sparse)
    }

    /// Tails that an element's vector goes on in.
    pub fn tails(&self) -> usize {
        self.geometry.tails_of(self.vector_len())
    }

    /// Elements of a vector that is sparse.
    fn elements(&self) -> Option<usize> {
        (self.geometry.form == Form::Sparse).then(|| self.u32(at::ELEMENTS) as usize)
    }

    fn overflow_count(&self) -> usize {
        self.u32(at::OVERFLOW_COUNT) as usize
    }

    fn u32(&self, at: usize) -> u32 {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&self.bytes[at..][..4]);
        u32::from_le_bytes(bytes)
    }

    fn f32(&self, at: usize) -> f32 {
        f32::from_bits(self.u32(at))
    }
}

/// A record of a page locked for writing.
#[derive(Debug)]
pub struct RecordMut<'a> {
    bytes: &'a mut [u8],
    geometry: &'a Geometry,
}

impl<'a> RecordMut<'a> {
    /// The record at `place`, checked as [`Record::read`] does.
    pub fn open(
        body: &'a mut [u8],
        block: u32,
        place: usize,
        geometry: &'a Geometry,
    ) -> Result<Self> {
        Record::read(body, block, place, geometry)?;
        let start = place.saturating_mul(geometry.record_size);
        Ok(Self { bytes: &mut body[start..][..geometry.record_size], geometry })
    }

    /// The record for reading.
    pub fn as_ref(&self) -> Record<'_> {
        Record { bytes: self.bytes, geometry: self.geometry }
    }

    /// Turns the record into an element without tids and neighbors. Of `vector`, as it is stored, part
    /// 0 is written here.
    pub fn write_element(&mut self, element: &Element, vector: &[u8]) {
        let version = self.as_ref().version();
        self.bytes.fill(0);
        self.bytes[at::STATE] = State::Live as u8;
        self.bytes[at::LEVEL] = element.level;
        self.put(at::VERSION, version);
        self.put(at::ERROR, element.info.error.to_bits());
        self.put(at::NORM, element.info.norm.to_bits());
        self.put(at::LINK, NodeNo::encode(element.link));
        self.put(at::BASE, NodeNo::encode(element.base));
        self.put(at::SCALE, element.info.scale.to_bits());
        self.set_tail(element.tail);
        if self.geometry.form == Form::Sparse {
            // At most `MAX_ELEMENTS`.
            self.put(at::ELEMENTS, (vector.len() / SPARSE_ELEMENT) as u32);
        }
        let part = &vector[self.geometry.part(0, vector.len())];
        let start = self.geometry.vector_at();
        self.bytes[start..][..part.len()].copy_from_slice(part);
    }

    /// Turns the record into the last tail of a vector, with `part` of it; see [`Record::owner`].
    pub fn write_tail(&mut self, owner: Option<NodeNo>, part: &[u8]) {
        let version = self.as_ref().version();
        self.bytes.fill(0);
        self.bytes[at::STATE] = State::Tail as u8;
        self.put(at::VERSION, version);
        self.put(at::BASE, NodeNo::encode(owner));
        self.set_tail(None);
        self.bytes[at::PART..][..part.len()].copy_from_slice(part);
    }

    /// Says where the vector of an element, or of a tail, goes on.
    pub fn set_tail(&mut self, tail: Option<Tail>) {
        let (node, version) =
            (NodeNo::encode(tail.map(|tail| tail.node)), tail.map_or(0, |tail| tail.version));
        if self.as_ref().state() == State::Tail {
            self.put(at::LINK, node);
            self.put(at::NEXT_VERSION, version);
        } else if self.geometry.is_split() {
            self.put(at::TAIL, node);
            self.put(at::TAIL_VERSION, version);
        }
    }

    /// Says whom a tail belongs to.
    pub fn set_owner(&mut self, owner: Option<NodeNo>) {
        self.put(at::BASE, NodeNo::encode(owner));
    }

    /// Turns the record into an empty overflow of `owner`'s heap tids that continues in `next`.
    pub fn write_overflow(&mut self, owner: NodeNo, next: Option<NodeNo>) {
        let version = self.as_ref().version();
        self.bytes.fill(0);
        self.bytes[at::STATE] = State::Tids as u8;
        self.put(at::VERSION, version);
        self.put(at::LINK, NodeNo::encode(next));
        self.put(at::BASE, owner.0);
    }

    /// Ends the record's life and puts it before `next` in the list of free records.
    pub fn write_free(&mut self, next: Option<NodeNo>) {
        let version = self.as_ref().version().wrapping_add(1);
        self.bytes.fill(0);
        self.put(at::VERSION, version);
        self.put(at::LINK, NodeNo::encode(next));
    }

    /// Marks an element as dying and forgets its tids.
    pub fn write_dying(&mut self) {
        self.bytes[at::STATE] = State::Dying as u8;
        self.bytes[at::TIDS] = 0;
    }

    /// Sets the chain that follows the record.
    pub fn set_link(&mut self, link: Option<NodeNo>) {
        self.put(at::LINK, NodeNo::encode(link));
    }

    /// Raises the bound of what the form lost: rows that share an element share its bound.
    pub fn raise_error(&mut self, error: f32) {
        let error = error.max(self.as_ref().f32(at::ERROR));
        self.put(at::ERROR, error.to_bits());
    }

    /// Adds a heap tid; false where the record is full.
    pub fn push_tid(&mut self, tid: HeapTid) -> bool {
        let count = self.as_ref().tids().len();
        let overflow = self.as_ref().state() == State::Tids;
        let capacity =
            if overflow { self.geometry.overflow_tids() } else { self.geometry.inline_tids };
        if count >= capacity {
            return false;
        }
        let start = if overflow { at::OVERFLOW } else { self.geometry.tids_at() };
        self.bytes[start..].as_chunks_mut().0[count] = tid.to_bytes();
        self.set_tid_count(count.saturating_add(1));
        true
    }

    /// Replaces the heap tids by `tids`, which are at most as many as before.
    pub fn retain_tids(&mut self, tids: &[HeapTid]) {
        self.set_tid_count(0);
        for &tid in tids {
            self.push_tid(tid);
        }
    }

    fn set_tid_count(&mut self, count: usize) {
        if self.as_ref().state() == State::Tids {
            // Bounded by the capacity of a record, far below 2^32.
            self.put(at::OVERFLOW_COUNT, count as u32);
        } else {
            // At most `Geometry::inline_tids`, 10.
            self.bytes[at::TIDS] = count as u8;
        }
    }

    /// Fills slot `index`, which is a filled one or the first empty one.
    pub fn set_slot(&mut self, index: usize, slot: &Slot<'_>) {
        let g = self.geometry;
        let id = slot.neighbor.0 | if slot.reachability { REACHABILITY } else { 0 };
        self.bytes[g.ids_at()..].as_chunks_mut().0[index] = id.to_le_bytes();
        if g.factor_bytes() > 0 {
            self.bytes[g.adds_at()..].as_chunks_mut().0[index] = slot.add;
            self.bytes[g.scales_at()..].as_chunks_mut().0[index] = slot.scale;
        }
        if g.coded() {
            let codes = &mut self.bytes[g.codes_at()..];
            let start = index.saturating_mul(g.code_bytes());
            codes[start..][..g.code_bytes()].copy_from_slice(slot.code);
        }
        let count = self.as_ref().neighbor_count().max(index.saturating_add(1));
        // At most `Geometry::slots`, 200.
        self.bytes[at::NEIGHBORS] = count as u8;
    }

    /// Empties slot `index` by moving the last filled one into its place.
    pub fn remove_slot(&mut self, index: usize) {
        let Some(last) = self.as_ref().neighbor_count().checked_sub(1) else { return };
        let g = self.geometry;
        let factor = g.factor_bytes();
        let runs = [
            (g.ids_at(), 4),
            (g.adds_at(), factor),
            (g.scales_at(), factor),
            (g.codes_at(), g.code_bytes()),
        ];
        for (start, size) in runs {
            let from = last.saturating_mul(size);
            let run = &mut self.bytes[start..];
            run.copy_within(from..from.saturating_add(size), index.saturating_mul(size));
        }
        self.bytes[at::NEIGHBORS] = last as u8;
    }

    fn put(&mut self, at: usize, value: u32) {
        self.bytes[at..][..4].copy_from_slice(&value.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use pages::{PAGE_USABLE, init_page};

    use super::*;

    fn page() -> (Geometry, Vec<u8>) {
        let mut body = vec![0; PAGE_BODY];
        init_page(&mut body, PageKind::Records, 1);
        (Geometry::choose(Form::Halves, 100, 16, true).expect("fits"), body)
    }

    fn element() -> Element {
        let base = Some(NodeNo(4));
        let info = StoredInfo { scale: 0.125, error: 0.5, norm: 2.0 };
        Element { level: 0, info, link: None, base, tail: None }
    }

    #[test]
    fn an_element_keeps_what_was_written() {
        let (g, mut body) = page();
        let vector: Vec<u8> = (0..100u16).flat_map(u16::to_le_bytes).collect();
        let code: Vec<u8> = (0..26).collect();
        let tid = HeapTid { block: 70_000, offset: 3 };
        let mut record = RecordMut::open(&mut body, 1, 5, &g).expect("opens");
        record.write_element(&element(), &vector);
        assert!(record.push_tid(tid));
        for index in 0..32 {
            let slot = Slot {
                neighbor: NodeNo(index),
                reachability: index == 31,
                add: [1, 2],
                scale: [3, 4],
                code: &code,
            };
            record.set_slot(index as usize, &slot);
        }
        record.remove_slot(3);
        let record = Record::read(&body, 1, 5, &g).expect("reads");
        assert_eq!(record.element(), element());
        assert_eq!(record.vector(), &vector);
        assert_eq!(record.tids().collect::<Vec<_>>(), [tid]);
        assert_eq!(record.neighbor_count(), 31);
        assert_eq!(record.neighbors().nth(3), Some(NodeNo(31)));
        assert_eq!(
            record.reachability_flags().collect::<Vec<_>>(),
            [&[false; 3][..], &[true], &[false; 27]].concat()
        );
        assert_eq!(record.slot(3).map(|s| s.code), Some(&code[..]));
        assert_eq!(record.slot(31), None);
        assert_eq!(Record::read(&body, 1, 4, &g).expect("reads").state(), State::Free);
    }

    #[test]
    fn codes_without_factors_lie_beside_each_other() {
        for dims in [8, 512] {
            let g = Geometry::choose(Form::Bits, dims, 16, true).expect("fits");
            let (_, mut body) = page();
            let mut record = RecordMut::open(&mut body, 1, 0, &g).expect("opens");
            let vector = vec![7; dims / 8];
            record.write_element(&element(), &vector);
            let code = |index: u8| vec![index + 1; g.code_bytes()];
            for index in 0..32 {
                let (neighbor, code) = (NodeNo(u32::from(index)), code(index));
                let slot =
                    Slot { neighbor, reachability: false, add: [0; 2], scale: [0; 2], code: &code };
                record.set_slot(index.into(), &slot);
            }
            record.remove_slot(3);
            let record = Record::read(&body, 1, 0, &g).expect("reads");
            for index in 0..31 {
                let expected = code(if index == 3 { 31 } else { index });
                assert_eq!(record.slot(index.into()).map(|slot| slot.code), Some(&expected[..]));
            }
            assert_eq!(record.vector(), vector);
        }
    }

    #[test]
    fn a_vector_goes_on_in_tails() {
        let g = Geometry::choose(Form::Halves, 9_000, 16, true).expect("fits");
        let vector: Vec<u8> = (0..9_000u16).flat_map(u16::to_le_bytes).collect();
        let mut pages = vec![vec![0; PAGE_BODY]; 3];
        pages.iter_mut().for_each(|page| init_page(page, PageKind::Records, 1));
        let tail = |node| Some(Tail { node: NodeNo(node), version: 0 });
        let mut next = None;
        for part in (1..=2).rev() {
            let mut record = RecordMut::open(&mut pages[part], 1, 0, &g).expect("opens");
            record.write_tail(Some(NodeNo(part as u32 - 1)), &vector[g.part(part, vector.len())]);
            record.set_tail(next);
            next = tail(part as u32);
        }
        let mut record = RecordMut::open(&mut pages[0], 1, 0, &g).expect("opens");
        record.write_element(&Element { tail: next, ..element() }, &vector);
        let record = Record::read(&pages[0], 1, 0, &g).expect("reads");
        let mut bytes = record.own_bytes().to_vec();
        assert_eq!(record.tail(), tail(1));
        for (page, next) in pages[1..].iter().zip([tail(2), None]) {
            let record = Record::read(page, 1, 0, &g).expect("reads");
            assert_eq!((record.state(), record.tail()), (State::Tail, next));
            bytes.extend_from_slice(record.tail_bytes());
        }
        assert!(Record::whole(&bytes, &g).is_err());
        bytes.truncate(g.vector_at() + 18_000);
        assert_eq!(Record::whole(&bytes, &g).expect("is whole").vector(), vector);
    }

    #[test]
    fn tids_overflow() {
        let (g, mut body) = page();
        let mut record = RecordMut::open(&mut body, 1, 0, &g).expect("opens");
        record.write_overflow(NodeNo(7), Some(NodeNo(8)));
        let tid = |offset| HeapTid { block: 1, offset };
        let capacity = (1..).take_while(|&i| record.push_tid(tid(i))).count();
        assert_eq!(capacity, (g.record_size - 28) / 6);
        record.retain_tids(&[tid(2)]);
        let record = record.as_ref();
        assert_eq!(record.tids().collect::<Vec<_>>(), [tid(2)]);
        assert_eq!((record.state(), record.link()), (State::Tids, Some(NodeNo(8))));
        assert_eq!(record.owner(), Some(NodeNo(7)));
    }

    #[test]
    fn no_scribble_panics() {
        let (g, mut body) = page();
        let mut record = RecordMut::open(&mut body, 1, 0, &g).expect("opens");
        record.write_element(&element(), &[0; 200]);
        for at in (0..g.codes_at()).chain(PAGE_USABLE..PAGE_BODY) {
            for value in [0, 1, 2, 3, 0x7F, 0xFF] {
                let mut broken = body.clone();
                broken[at] = value;
                if let Ok(record) = Record::read(&broken, 1, 0, &g) {
                    record.tids().for_each(drop);
                    record.neighbors().for_each(drop);
                    let _ = (record.slot(31), record.vector(), record.codes(), record.element());
                }
            }
        }
        assert!(Record::read(&body[..500], 1, 0, &g).is_err());
        assert!(Record::read(&body, 1, 6, &g).is_err());
    }
}
