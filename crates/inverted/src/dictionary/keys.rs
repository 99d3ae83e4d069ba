//! A page of keys in ascending order, each with a value.
//!
//! An entry has the number of bytes that its key shares with the one before (u8), the number of other
//! bytes (u8), these, and the value. Every 16th entry shares none; the offsets (u16) of these entries
//! are at the end of the page.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use std::cmp::Ordering;

use pages::{PAGE_USABLE, Result};

use super::RESTART;
use crate::bytes::Bytes;
use crate::page::{HEADER, Header};

/// A key that is read piece by piece.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    bytes: [u8; 255],
    len: usize,
}

impl Key {
    pub fn new() -> Self {
        Self { bytes: [0; 255], len: 0 }
    }

    pub fn get(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }

    /// Reads the key of the next entry, which this is the one before.
    #[inline]
    pub fn read(&mut self, bytes: &mut Bytes<'_>) -> Result<()> {
        let [shared, len] = bytes.array()?.map(usize::from);
        let suffix = bytes.take(len)?;
        let end = shared.saturating_add(len);
        match self.bytes.get_mut(shared..end) {
            Some(place) if shared <= self.len => place.copy_from_slice(suffix),
            _ => return Err(bytes.error("term is longer than it can be")),
        }
        self.len = end;
        Ok(())
    }
}

/// The last entry of a page whose key is not above `target`: the bytes of its value, and whether the
/// key is `target`. `pass` passes over a value.
pub(crate) fn find<'a>(
    body: &'a [u8],
    header: Header,
    block: u32,
    target: &[u8],
    pass: impl Fn(&mut Bytes<'a>) -> Result<()>,
) -> Result<Option<(Bytes<'a>, bool)>> {
    let count = usize::from(header.count);
    let restarts = restarts(body, count, block)?;
    // The first entry of each run, and the first run whose first key is above the target.
    let (mut low, mut high) = (0usize, restarts.len());
    while low < high {
        let middle = low.midpoint(high);
        let offset = restarts.get(middle).copied().unwrap_or_default();
        let mut bytes = Bytes::at(body, u16::from_le_bytes(offset), block)?;
        let [_, len] = bytes.array()?.map(usize::from);
        if bytes.take(len)? <= target { low = middle.saturating_add(1) } else { high = middle }
    }
    let Some(run) = low.checked_sub(1) else { return Ok(None) };
    let offset = restarts.get(run).copied().unwrap_or_default();
    let mut bytes = Bytes::at(body, u16::from_le_bytes(offset), block)?;
    let (mut key, mut found) = (Key::new(), None);
    for _ in 0..count.saturating_sub(run.saturating_mul(RESTART)).min(RESTART) {
        key.read(&mut bytes)?;
        match key.get().cmp(target) {
            Ordering::Greater => break,
            Ordering::Equal => return Ok(Some((bytes, true))),
            Ordering::Less => found = Some((bytes, false)),
        }
        pass(&mut bytes)?;
    }
    Ok(found)
}

/// Where the runs of a page of `count` entries begin.
fn restarts(body: &[u8], count: usize, block: u32) -> Result<&[[u8; 2]]> {
    let len = count.div_ceil(RESTART).saturating_mul(2);
    match PAGE_USABLE.checked_sub(len).filter(|&start| start >= HEADER) {
        Some(start) => Ok(body.get(start..PAGE_USABLE).unwrap_or(&[]).as_chunks().0),
        None => Err(pages::Error::corrupted(block, "page has too many entries")),
    }
}
