//! Numbers packed to as many bits as the largest needs.
//!
//! 128 numbers are packed in four lanes (number i is in lane i mod 4), so that compilers make vector
//! instructions of it; fewer are packed one after another.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use super::BLOCK;

const LANES: usize = 4;
/// The widest numbers.
pub(crate) const MAX_WIDTH: usize = 32;

/// Bits that all of `values` fit in.
pub(crate) fn width(values: &[u32]) -> usize {
    let all = values.iter().fold(0, |all, value| all | value);
    u32::BITS.saturating_sub(all.leading_zeros()) as usize
}

/// Bytes of `count` numbers of `width` bits, at most [`BLOCK`] and [`MAX_WIDTH`].
pub(crate) fn packed_len(count: usize, width: usize) -> usize {
    count.saturating_mul(width).div_ceil(8)
}

/// Appends `values`, at most [`BLOCK`], of `width` bits.
pub(crate) fn pack(values: &[u32], width: usize, out: &mut Vec<u8>) {
    match <&[u32; BLOCK]>::try_from(values) {
        Ok(values) => pack_block(values, width, out),
        Err(_) => pack_few(values, width, out),
    }
}

#[allow(clippy::arithmetic_side_effects)] // rows, lanes and widths are small
fn pack_block(values: &[u32; BLOCK], width: usize, out: &mut Vec<u8>) {
    let mut words = [[0u32; LANES]; MAX_WIDTH + 1];
    for (row, values) in values.as_chunks::<LANES>().0.iter().enumerate() {
        let (word, shift) = (row * width / 32, row * width % 32);
        for lane in 0..LANES {
            let value = u64::from(values[lane]) << shift;
            words[word][lane] |= value as u32;
            words[word + 1][lane] |= (value >> 32) as u32;
        }
    }
    out.extend(words[..width].iter().flatten().flat_map(|word| word.to_le_bytes()));
}

#[allow(clippy::arithmetic_side_effects)] // fewer than 2^12 bits
fn pack_few(values: &[u32], width: usize, out: &mut Vec<u8>) {
    let mut bytes = [0u8; BLOCK * 4 + 8];
    for (i, &value) in values.iter().take(BLOCK).enumerate() {
        let (at, shift) = (i * width / 8, i * width % 8);
        let word = u64::from(value) << shift;
        for (byte, more) in bytes[at..at + 8].iter_mut().zip(word.to_le_bytes()) {
            *byte |= more;
        }
    }
    out.extend_from_slice(&bytes[..packed_len(values.len().min(BLOCK), width)]);
}

/// Reads `count` numbers, at most [`BLOCK`], of `width` bits, at most [`MAX_WIDTH`], from `bytes`,
/// which are as many as [`packed_len`] says. What follows in `out` is undefined.
#[inline]
pub(crate) fn unpack(bytes: &[u8], count: usize, width: usize, out: &mut [u32; BLOCK]) {
    if count == BLOCK {
        unpack_block(bytes, width, out);
    } else {
        unpack_few(bytes, count, width, out);
    }
}

macro_rules! by_width {
    ($bytes:ident, $width:ident, $out:ident: $($w:literal)*) => {
        match $width {
            $($w => unpack_rows::<$w>($bytes, $out),)*
            _ => out_of_range($out),
        }
    };
}

fn unpack_block(bytes: &[u8], width: usize, out: &mut [u32; BLOCK]) {
    by_width!(bytes, width, out: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
        17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);
}

fn out_of_range(out: &mut [u32; BLOCK]) {
    out.fill(0);
}

#[allow(clippy::arithmetic_side_effects)] // rows, lanes and widths are constants
fn unpack_rows<const W: usize>(bytes: &[u8], out: &mut [u32; BLOCK]) {
    if W == 0 {
        return out.fill(0);
    }
    let mask = u32::MAX >> (32 - W);
    let words = bytes.as_chunks::<4>().0.as_chunks::<LANES>().0;
    let Some(words) = words.first_chunk::<W>() else { return out.fill(0) };
    for (row, values) in out.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let (word, shift) = (row * W / 32, row * W % 32);
        for lane in 0..LANES {
            let mut value = u32::from_le_bytes(words[word][lane]) >> shift;
            if shift + W > 32 {
                value |= u32::from_le_bytes(words[word + 1][lane]) << (32 - shift);
            }
            values[lane] = value & mask;
        }
    }
}

#[allow(clippy::arithmetic_side_effects)] // fewer than 2^12 bits
fn unpack_few(bytes: &[u8], count: usize, width: usize, out: &mut [u32; BLOCK]) {
    let mut padded = [0u8; BLOCK * 4 + 8];
    let len = bytes.len().min(BLOCK * 4);
    padded[..len].copy_from_slice(&bytes[..len]);
    let (width, mask) = (width.min(MAX_WIDTH), (1u64 << width.min(MAX_WIDTH)) - 1);
    for (i, value) in out.iter_mut().take(count).enumerate() {
        let (at, shift) = (i * width / 8, i * width % 8);
        let word = padded[at..].first_chunk().map_or(0, |&bytes| u64::from_le_bytes(bytes));
        *value = (word >> shift & mask) as u32;
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn all_widths_and_counts() {
        let mut rng = SmallRng::seed_from_u64(1);
        for bits in 0..=MAX_WIDTH {
            for count in [0, 1, 2, 7, 127, BLOCK] {
                let mask = ((1u64 << bits) - 1) as u32;
                let values: Vec<u32> = (0..count).map(|_| rng.random::<u32>() & mask).collect();
                let (mut out, mut back) = (Vec::new(), [0; BLOCK]);
                assert!(width(&values) <= bits);
                pack(&values, bits, &mut out);
                assert_eq!(out.len(), packed_len(count, bits));
                unpack(&out, count, bits, &mut back);
                assert_eq!(back[..count], values, "{bits} {count}");
            }
        }
    }
}
