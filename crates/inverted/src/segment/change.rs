//! Changes that vacuum makes in place.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use pages::{Error, Result};

use super::documents::{DEAD_AT, GROUP};
use crate::bytes::write_varint;
use crate::dictionary::Entry;
use crate::page::{Header, Part};

/// Marks documents of a group as dead, by their places in the group. `body` is the page of
/// [`crate::Documents::block`] of the segment `id`. Returns how many were alive.
///
/// # Errors
/// [`Error::Corrupted`] if the page is not that of the group.
pub fn kill(
    body: &mut [u8],
    block: u32,
    id: u64,
    places: impl IntoIterator<Item = usize>,
) -> Result<usize> {
    Header::of(body, block, id, Part::Lengths)?;
    let mut killed = 0usize;
    for place in places {
        let at = DEAD_AT.saturating_add(place / 8);
        let Some(byte) = body.get_mut(at).filter(|_| place < GROUP) else {
            return Err(Error::corrupted(block, "group of documents ends too early"));
        };
        let bit = 1u8.wrapping_shl((place % 8) as u32);
        killed = killed.saturating_add(usize::from(*byte & bit == 0));
        *byte |= bit;
    }
    Ok(killed)
}

/// Sets the document frequency of a term, at most its number of postings. `body` is the page
/// [`Entry::block`] of the segment `id`.
///
/// # Errors
/// [`Error::Corrupted`] if the page is not one of the dictionary.
pub fn set_frequency(
    body: &mut [u8],
    block: u32,
    id: u64,
    entry: &Entry,
    frequency: u32,
) -> Result<()> {
    Header::of(body, block, id, Part::Dictionary)?;
    let start = usize::from(entry.leaf.offset);
    let end = start.saturating_add(entry.frequency_len());
    if let Some(place) = body.get_mut(start..end).filter(|_| block == entry.leaf.block)
        && frequency <= entry.count
        && write_varint(frequency, place)
    {
        return Ok(());
    }
    Err(Error::corrupted(block, "document frequency is out of range"))
}

impl Entry {
    /// Block of the page with the term's document frequency; [`set_frequency`] changes it.
    pub fn block(&self) -> u32 {
        self.leaf.block
    }
}
