//! Numbers in the bytes of pages.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use pages::{Error, Result};

/// Bytes of the page `block`, read from the front.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes<'a> {
    rest: &'a [u8],
    block: u32,
}

impl<'a> Bytes<'a> {
    pub fn new(bytes: &'a [u8], block: u32) -> Self {
        Self { rest: bytes, block }
    }

    /// The bytes of a page from an offset to its trailer.
    pub fn at(body: &'a [u8], offset: u16, block: u32) -> Result<Self> {
        match body.get(usize::from(offset)..pages::PAGE_USABLE) {
            Some(rest) if usize::from(offset) >= crate::page::HEADER => Ok(Self { rest, block }),
            _ => Err(Error::corrupted(block, "offset is outside of the page")),
        }
    }

    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub fn error(&self, what: &'static str) -> Error {
        Error::corrupted(self.block, what)
    }

    #[inline]
    pub fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let Some((taken, rest)) = self.rest.split_at_checked(len) else {
            return Err(self.error("entry is cut off by the end of the page"));
        };
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let Some((taken, rest)) = self.rest.split_first_chunk() else {
            return Err(self.error("entry is cut off by the end of the page"));
        };
        self.rest = rest;
        Ok(*taken)
    }

    #[inline]
    pub fn u8(&mut self) -> Result<u8> {
        self.array().map(|[byte]| byte)
    }

    #[inline]
    pub fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    #[inline]
    pub fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number of 7 bits a byte, lowest first, all but the last with the top bit set.
    #[inline]
    pub fn varint(&mut self) -> Result<u32> {
        let mut value = 0;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.u8()?;
            let low = u32::from(byte & 0x7F);
            if shift == 28 && low > 0xF {
                break;
            }
            value |= low << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.error("number is out of range"))
    }
}

/// Appends what [`Bytes::varint`] reads.
pub(crate) fn push_varint(mut value: u32, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Writes what [`Bytes::varint`] reads in all of `out`; false if `value` needs more bytes.
pub(crate) fn write_varint(mut value: u32, out: &mut [u8]) -> bool {
    let Some((last, first)) = out.split_last_mut() else { return false };
    for byte in first {
        *byte = value as u8 | 0x80;
        value >>= 7;
    }
    *last = value as u8 & 0x7F;
    value < 0x80
}

/// Bytes of [`push_varint`].
pub(crate) fn varint_len(value: u32) -> usize {
    (u32::BITS.saturating_sub((value | 1).leading_zeros()) as usize).div_ceil(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_all_lengths() {
        for value in (0..32).flat_map(|bit| [1 << bit, (1u32 << bit) - 1]).chain([u32::MAX]) {
            let mut out = Vec::new();
            push_varint(value, &mut out);
            assert_eq!(out.len(), varint_len(value));
            let mut bytes = Bytes::new(&out, 1);
            assert_eq!((bytes.varint(), bytes.rest().len()), (Ok(value), 0));
            for len in 0..=5 {
                let mut padded = vec![0; len];
                assert_eq!(write_varint(value, &mut padded), len >= varint_len(value));
                if len >= varint_len(value) {
                    assert_eq!(Bytes::new(&padded, 1).varint(), Ok(value));
                }
            }
        }
        assert!(Bytes::new(&[0xFF, 0xFF, 0xFF, 0xFF, 0x1F], 1).varint().is_err());
        assert!(Bytes::new(&[0x80], 1).varint().is_err());
    }
}
