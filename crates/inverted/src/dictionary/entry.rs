//! What a dictionary tells of a term.
//!
//! | bytes | field |
//! |---|---|
//! | varint | number of postings · 2, plus 1 if they are inline |
//! | as many as a varint of the number of postings | document frequency: the postings of living documents |
//! | 1 and as many as it says | inline postings |
//! | 10 | otherwise: block (u32), offset (u16), bound of all postings (4 bytes) |

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use pages::Result;

use crate::Scoring;
use crate::bytes::{Bytes, push_varint, varint_len};
use crate::page::Spot;
use crate::postings::{Bound, Written};

/// A term of a segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Number of postings, those of dead documents included.
    pub count: u32,
    /// Number of living documents that hold the term, as of the last vacuum.
    pub frequency: u32,
    pub(crate) stored: Stored,
    /// Where the frequency is.
    pub(crate) leaf: Spot,
}

/// Where the postings are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stored {
    Inline(Box<[u8]>),
    At(Spot, Bound),
}

impl Entry {
    /// Bytes of a place and a bound.
    const PLACE: usize = 6 + Bound::SIZE;

    /// Bytes of the frequency in the dictionary.
    pub(crate) fn frequency_len(&self) -> usize {
        varint_len(self.count)
    }

    /// Passes over an entry.
    pub(crate) fn pass(bytes: &mut Bytes<'_>) -> Result<()> {
        let head = bytes.varint()?;
        bytes.take(varint_len(head >> 1))?;
        let len = if head & 1 == 1 { usize::from(bytes.u8()?) } else { Self::PLACE };
        bytes.take(len).map(drop)
    }

    /// Reads what [`push_entry`] wrote; `bytes` end where the trailer of the page begins.
    pub(crate) fn read(
        bytes: &mut Bytes<'_>,
        block: u32,
        documents: u32,
        scoring: Scoring,
    ) -> Result<Self> {
        let head = bytes.varint()?;
        let count = head >> 1;
        let offset = pages::PAGE_USABLE.saturating_sub(bytes.rest().len()) as u16;
        let frequency = Bytes::new(bytes.take(varint_len(count))?, block).varint()?;
        if count == 0 || count > documents || frequency > count {
            return Err(bytes.error("term has more postings than there are documents"));
        }
        let stored = if head & 1 == 1 {
            let len = usize::from(bytes.u8()?);
            Stored::Inline(bytes.take(len)?.into())
        } else {
            let spot = Spot { block: bytes.u32()?, offset: bytes.u16()? };
            Stored::At(spot, Bound::from_bytes(bytes.array()?, scoring))
        };
        Ok(Self { count, frequency, stored, leaf: Spot { block, offset } })
    }
}

/// Appends the entry of a term with so many postings, all of living documents.
pub(crate) fn push_entry(count: u32, written: &Written, out: &mut Vec<u8>) {
    // Fewer than 2^31 documents have ordinals.
    let inline = u32::from(matches!(written, Written::Inline(_)));
    push_varint(count << 1 | inline, out);
    push_varint(count, out);
    match written {
        Written::Inline(bytes) => {
            out.push(bytes.len() as u8);
            out.extend_from_slice(bytes);
        }
        Written::At(spot, bound) => {
            out.extend(spot.block.to_le_bytes());
            out.extend(spot.offset.to_le_bytes());
            out.extend(bound.to_bytes());
        }
    }
}
