//! How the records of a build are numbered on level 0: elements in order, each before its tails.

use memory::Grow;

use super::rows::Rows;
use crate::build::BuildError;
use crate::format::Geometry;

/// An element with more tails than usual.
#[derive(Debug)]
struct Longer {
    element: u32,
    /// Number of its record.
    first: u64,
    /// Number of the record behind its last tail.
    end: u64,
}

/// Numbers of records, from 0.
#[derive(Debug)]
pub(super) struct Numbering {
    /// Records of an element.
    stride: u64,
    /// Elements with more, in order: sparse vectors that are long.
    longer: Vec<Longer>,
    records: u64,
}

impl Numbering {
    pub(super) fn new(geometry: &Geometry, rows: &Rows) -> Result<Self, BuildError> {
        let usual = geometry.tails();
        let stride = 1 + usual as u64;
        let mut numbering = Self { stride, longer: Vec::new(), records: 0 };
        let len = rows.len() as u64;
        if !geometry.varies() {
            numbering.records = len * stride;
            return Ok(numbering);
        }
        for element in 0..rows.len() {
            let tails = geometry.tails_of(rows.stored(element).len());
            let first = numbering.records;
            numbering.records += 1 + tails as u64;
            if tails != usual {
                // Elements are numbered with 32 bits.
                let (element, end) = (element as u32, numbering.records);
                numbering.longer.try_push(Longer { element, first, end })?;
            }
        }
        Ok(numbering)
    }

    /// Records of all elements on level 0.
    pub(super) fn records(&self) -> u64 {
        self.records
    }

    /// Number of an element's record.
    pub(super) fn of(&self, element: u32) -> u64 {
        let before = self.longer.partition_point(|longer| longer.element < element);
        match before.checked_sub(1).map(|before| &self.longer[before]) {
            Some(longer) => longer.end + u64::from(element - longer.element - 1) * self.stride,
            None => u64::from(element) * self.stride,
        }
    }

    /// The element that record number `i` belongs to, and which part of its vector is there.
    pub(super) fn element_at(&self, i: u64) -> (u32, usize) {
        let before = self.longer.partition_point(|longer| longer.first <= i);
        let (element, i) = match before.checked_sub(1).map(|before| &self.longer[before]) {
            Some(longer) if i < longer.end => return (longer.element, (i - longer.first) as usize),
            Some(longer) => (longer.element + 1, i - longer.end),
            None => (0, i),
        };
        (element + (i / self.stride) as u32, (i % self.stride) as usize)
    }
}
