//! A block of postings as bytes.
//!
//! | bytes | field |
//! |---|---|
//! | 4 | first ordinal (u32) |
//! | 1 | number of postings − 1 (u8) |
//! | 1 | bits of a gap |
//! | 1 | BM25: bits of a frequency. Inner product: 32 |
//! | 6 | with positions: where those of the block begin: block (u32), offset (u16) |
//! | … | gaps: ordinal − previous ordinal − 1, packed; of a full block 128 with 0 first, else without |
//! | … | BM25: frequency − 1, packed. Inner product: weights (f32) |

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use pages::{Error, Result};

use super::pack::{MAX_WIDTH, pack, packed_len, unpack, width};
use super::{BLOCK, INLINE};
use crate::Scoring;
use crate::bytes::{Bytes, push_varint};
use crate::page::Spot;

/// Postings of a list that are in memory.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// Number of postings.
    pub count: usize,
    /// Their ordinals, ascending.
    pub ordinals: [u32; BLOCK],
    /// Frequencies or the bits of weights.
    pub values: [u32; BLOCK],
    /// Where their positions begin; of inline postings, an offset in the bytes of these.
    pub positions: Spot,
}

impl Block {
    /// No postings.
    pub fn new() -> Self {
        Self {
            count: 0,
            ordinals: [0; BLOCK],
            values: [0; BLOCK],
            positions: Spot { block: 0, offset: 0 },
        }
    }

    /// The ordinals.
    pub fn ordinals(&self) -> &[u32] {
        self.ordinals.get(..self.count).unwrap_or(&[])
    }

    /// The values.
    pub fn values(&self) -> &[u32] {
        self.values.get(..self.count).unwrap_or(&[])
    }

    /// The last ordinal, if there is any.
    pub fn last(&self) -> Option<u32> {
        self.ordinals().last().copied()
    }
}

/// Appends 1 to 128 postings.
pub(crate) fn push_block(
    ordinals: &[u32],
    values: &[u32],
    scoring: Scoring,
    positions: Option<Spot>,
    out: &mut Vec<u8>,
) {
    let Some((&first, &last)) = ordinals.first().zip(ordinals.last()) else { return };
    debug_assert!(first <= last && ordinals.len() <= BLOCK);
    let mut gaps = [0; BLOCK];
    for (gap, pair) in gaps.iter_mut().skip(1).zip(ordinals.windows(2)) {
        *gap = pair[1].wrapping_sub(pair[0]).wrapping_sub(1);
    }
    let start = usize::from(ordinals.len() < BLOCK);
    let gaps = &gaps[start..ordinals.len()];
    let gap_bits = width(gaps);
    out.extend(first.to_le_bytes());
    out.extend([ordinals.len().wrapping_sub(1) as u8, gap_bits as u8]);
    match scoring {
        Scoring::Bm25 { .. } => {
            let mut less = [0; BLOCK];
            less.iter_mut().zip(values).for_each(|(less, value)| *less = value.wrapping_sub(1));
            let less = &less[..values.len()];
            let bits = width(less);
            out.push(bits as u8);
            push_spot(positions, out);
            pack(gaps, gap_bits, out);
            pack(less, bits, out);
        }
        Scoring::InnerProduct => {
            out.push(MAX_WIDTH as u8);
            push_spot(positions, out);
            pack(gaps, gap_bits, out);
            out.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
    }
}

fn push_spot(spot: Option<Spot>, out: &mut Vec<u8>) {
    if let Some(Spot { block, offset }) = spot {
        out.extend(block.to_le_bytes());
        out.extend(offset.to_le_bytes());
    }
}

/// Reads what [`push_block`] wrote at the front of `bytes`. All ordinals are below `documents`.
pub(crate) fn decode(
    mut bytes: Bytes<'_>,
    scoring: Scoring,
    positions: bool,
    documents: u32,
    block: &mut Block,
) -> Result<()> {
    block.count = 0;
    let first = bytes.u32()?;
    let [count, gap_bits, value_bits] = bytes.array()?.map(usize::from);
    let count = count.saturating_add(1);
    if count > BLOCK || gap_bits > MAX_WIDTH || value_bits > MAX_WIDTH {
        return Err(bytes.error("block of postings has a header out of range"));
    }
    if positions {
        block.positions = Spot { block: bytes.u32()?, offset: bytes.u16()? };
    }
    let stored = if count < BLOCK { count.saturating_sub(1) } else { count };
    let gaps = bytes.take(packed_len(stored, gap_bits))?;
    unpack(gaps, stored, gap_bits, &mut block.ordinals);
    if stored < count {
        block.ordinals.copy_within(0..stored, 1);
    }
    block.ordinals[0] = first;
    let last = sum_up(&mut block.ordinals, count, gap_bits);
    if last.is_none_or(|last| last >= documents) {
        return Err(bytes.error("posting is of a document that does not exist"));
    }
    match scoring {
        Scoring::Bm25 { .. } => {
            let packed = bytes.take(packed_len(count, value_bits))?;
            unpack(packed, count, value_bits, &mut block.values);
            // 2^32 occurrences cannot be stored.
            block.values.iter_mut().for_each(|value| *value = value.saturating_add(1));
        }
        Scoring::InnerProduct => {
            let weights = bytes.take(count.saturating_mul(4))?.as_chunks().0;
            for (value, &weight) in block.values.iter_mut().zip(weights) {
                *value = u32::from_le_bytes(weight);
            }
        }
    }
    block.count = count;
    Ok(())
}

/// Makes ordinals of gaps, and returns the last unless numbers are out of range.
#[inline]
fn sum_up(ordinals: &mut [u32; BLOCK], count: usize, gap_bits: usize) -> Option<u32> {
    let mut ordinal = ordinals[0];
    if gap_bits <= 23 && ordinal < 1 << 31 {
        // The sum of 127 gaps is below 2^31. Sums of four at a time depend less on each other.
        let mut before = ordinal.wrapping_sub(1);
        ordinals[0] = 0;
        for four in ordinals.as_chunks_mut::<4>().0 {
            let [a, b, c, d] = four.map(|gap| gap.wrapping_add(1));
            let (ab, cd) = (a.wrapping_add(b), c.wrapping_add(d));
            let all = ab.wrapping_add(cd);
            *four = [a, ab, ab.wrapping_add(c), all].map(|sum| before.wrapping_add(sum));
            before = before.wrapping_add(all);
        }
        return ordinals.get(count.checked_sub(1)?).copied();
    }
    for next in ordinals.iter_mut().take(count).skip(1) {
        ordinal = ordinal.checked_add(*next)?.checked_add(1)?;
        *next = ordinal;
    }
    Some(ordinal)
}

/// Appends a few postings as a dictionary holds them: for each the gap and the value, then for each
/// its positions.
pub(crate) fn push_inline(
    ordinals: &[u32],
    values: &[u32],
    scoring: Scoring,
    positions: &[u8],
    out: &mut Vec<u8>,
) {
    let mut next = 0;
    for (&ordinal, &value) in ordinals.iter().zip(values) {
        push_varint(ordinal.wrapping_sub(next), out);
        next = ordinal.wrapping_add(1);
        match scoring {
            Scoring::Bm25 { .. } => push_varint(value, out),
            Scoring::InnerProduct => out.extend(value.to_le_bytes()),
        }
    }
    out.extend_from_slice(positions);
}

/// Reads `count` postings that [`push_inline`] wrote.
pub(crate) fn decode_inline(
    all: &[u8],
    count: u32,
    scoring: Scoring,
    documents: u32,
    leaf: u32,
    block: &mut Block,
) -> Result<()> {
    let mut bytes = Bytes::new(all, leaf);
    block.count = 0;
    let count = count as usize;
    if count > INLINE {
        return Err(bytes.error("term has too many postings in the dictionary"));
    }
    let mut next = Some(0u32);
    for (ordinal, value) in block.ordinals.iter_mut().zip(&mut block.values).take(count) {
        let gap = bytes.varint()?;
        let Some(this) = next.and_then(|next| next.checked_add(gap)) else {
            return Err(bytes.error("posting is of a document that does not exist"));
        };
        (*ordinal, next) = (this, this.checked_add(1));
        *value = match scoring {
            Scoring::Bm25 { .. } => bytes.varint()?.max(1),
            Scoring::InnerProduct => bytes.u32()?,
        };
        if this >= documents {
            return Err(Error::corrupted(leaf, "posting is of a document that does not exist"));
        }
    }
    let offset = all.len().saturating_sub(bytes.rest().len()) as u16;
    block.positions = Spot { block: leaf, offset };
    block.count = count;
    Ok(())
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    const BM25: Scoring = Scoring::Bm25 { k1: 1.2, b: 0.75 };

    #[test]
    fn blocks_come_back() {
        let mut rng = SmallRng::seed_from_u64(1);
        for round in 0..500 {
            let count = if round % 3 == 0 { BLOCK } else { rng.random_range(1..=BLOCK) };
            let step = 1 << rng.random_range(0..25);
            let bits = rng.random_range(1..31);
            let mut ordinal = rng.random_range(0..1u32 << bits);
            let (mut ordinals, mut values) = (Vec::new(), Vec::new());
            for _ in 0..count {
                ordinals.push(ordinal);
                let most = (u32::MAX - 1) >> rng.random_range(0..32);
                values.push(1 + rng.random_range(0..=most));
                ordinal = (ordinal + 1).saturating_add(rng.random_range(0..step));
            }
            if ordinals.windows(2).any(|pair| pair[0] >= pair[1]) || ordinals[count - 1] == u32::MAX
            {
                continue;
            }
            let spot = (round % 2 == 0).then_some(Spot { block: 7, offset: 9 });
            let mut block = Block::new();
            for scoring in [BM25, Scoring::InnerProduct] {
                let mut out = Vec::new();
                push_block(&ordinals, &values, scoring, spot, &mut out);
                let documents = ordinals[count - 1] + 1;
                let bytes = Bytes::new(&out, 1);
                decode(bytes, scoring, spot.is_some(), documents, &mut block).expect("decodes");
                assert_eq!((block.ordinals(), block.values()), (&ordinals[..], &values[..]));
                assert!(spot.is_none_or(|spot| spot == block.positions));
                assert!(decode(bytes, scoring, spot.is_some(), documents - 1, &mut block).is_err());
                let few = count.min(INLINE);
                out.clear();
                push_inline(&ordinals[..few], &values[..few], scoring, &[5], &mut out);
                decode_inline(&out, few as u32, scoring, documents, 1, &mut block)
                    .expect("decodes");
                assert_eq!((block.ordinals(), block.values()), (&ordinals[..few], &values[..few]));
                assert_eq!(usize::from(block.positions.offset), out.len() - 1);
            }
        }
    }

    #[test]
    fn damaged_blocks_are_refused() {
        fuzz::run("inverted-block", |case| {
            let count = case.rng.random_range(1..=BLOCK as u32);
            let ordinals: Vec<u32> = (0..count).map(|i| i * 3).collect();
            let mut out = Vec::new();
            push_block(&ordinals, &vec![2; count as usize], BM25, None, &mut out);
            fuzz::mutate(&mut case.rng, &mut out);
            case.input(&out);
            let mut block = Block::new();
            if decode(Bytes::new(&out, 1), BM25, false, 1000, &mut block).is_ok() {
                assert!(block.ordinals().is_sorted_by(|a, b| a < b));
                assert!(block.last().is_some_and(|last| last < 1000));
            }
            drop(decode_inline(&out, count.min(5), BM25, 1000, 1, &mut block));
        });
    }
}
