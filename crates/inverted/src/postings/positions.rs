//! Reads positions.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use pages::{Error, PAGE_USABLE, PageStore, Result};

use crate::page::{HEADER, NONE, Part, Source, Spot};

/// A stream of bytes over pages.
#[derive(Debug)]
pub(crate) struct Stream {
    /// The bytes of the current page, and its block.
    bytes: Vec<u8>,
    block: u32,
    at: usize,
    /// The page after it.
    next: u32,
    /// Pages read.
    read: u32,
}

impl Stream {
    /// Bytes in memory.
    pub fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), block: NONE, at: 0, next: NONE, read: 0 }
    }

    /// The bytes from `spot` on.
    pub fn at<S: PageStore>(source: Source<'_, S>, spot: Spot) -> Result<Self> {
        let mut stream = Self { bytes: Vec::new(), block: NONE, at: 0, next: NONE, read: 0 };
        stream.seek(source, spot)?;
        Ok(stream)
    }

    /// Moves to `spot`; its page is not read again if it is the current one.
    pub fn seek<S: PageStore>(&mut self, source: Source<'_, S>, spot: Spot) -> Result<()> {
        let offset = usize::from(spot.offset);
        let Some(at) = offset.checked_sub(HEADER).filter(|_| offset <= PAGE_USABLE) else {
            return Err(Error::corrupted(spot.block, "offset is outside of the page"));
        };
        self.read = 0;
        if self.block != spot.block || spot.block == NONE {
            self.next = spot.block;
            self.load(source)?;
        }
        self.at = at;
        Ok(())
    }

    fn load<S: PageStore>(&mut self, source: Source<'_, S>) -> Result<()> {
        let block = self.next;
        self.read = self.read.saturating_add(1);
        if block == NONE || self.read > source.pages {
            return Err(Error::corrupted(block, "list of positions ends too early"));
        }
        let bytes = &mut self.bytes;
        bytes.clear();
        (self.at, self.block) = (0, NONE);
        self.next = source.read(block, Part::Positions, |header, body| {
            let all = body.get(HEADER..PAGE_USABLE).unwrap_or(&[]);
            bytes.try_reserve(all.len()).map_err(|_| Error::OutOfMemory)?;
            bytes.extend_from_slice(all);
            Ok(header.next)
        })?;
        self.block = block;
        Ok(())
    }

    #[inline]
    fn byte<S: PageStore>(&mut self, source: Source<'_, S>) -> Result<u8> {
        loop {
            if let Some(&byte) = self.bytes.get(self.at) {
                self.at = self.at.saturating_add(1);
                return Ok(byte);
            }
            self.load(source)?;
        }
    }

    /// Passes over so many numbers.
    pub fn skip<S: PageStore>(&mut self, source: Source<'_, S>, count: u64) -> Result<()> {
        for _ in 0..count {
            while self.byte(source)? >= 0x80 {}
        }
        Ok(())
    }

    /// Reads a number.
    pub fn varint<S: PageStore>(&mut self, source: Source<'_, S>) -> Result<u32> {
        let mut value = 0u32;
        for shift in [0u32, 7, 14, 21, 28] {
            let byte = self.byte(source)?;
            value |= u32::from(byte & 0x7F).wrapping_shl(shift);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Error::corrupted(self.next, "position is out of range"))
    }
}
