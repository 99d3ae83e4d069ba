//! Heap tuple identifiers.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

/// Address of a row version in the table: block and line pointer. Six bytes in a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HeapTid {
    /// Heap block number.
    pub block: u32,
    /// Line pointer number in the block, from 1.
    pub offset: u16,
}

impl HeapTid {
    /// Bytes a tid takes in a record.
    pub const SIZE: usize = 6;

    /// Whether there can be a row there: blocks and line pointers are numbered up to a limit, and these
    /// from 1.
    pub fn is_possible(self) -> bool {
        self.block != u32::MAX && self.offset != 0
    }

    /// Little-endian bytes as stored.
    pub fn to_bytes(self) -> [u8; Self::SIZE] {
        let [a, b, c, d] = self.block.to_le_bytes();
        let [e, f] = self.offset.to_le_bytes();
        [a, b, c, d, e, f]
    }

    /// Reads what [`HeapTid::to_bytes`] wrote.
    pub fn from_bytes([a, b, c, d, e, f]: [u8; Self::SIZE]) -> Self {
        Self { block: u32::from_le_bytes([a, b, c, d]), offset: u16::from_le_bytes([e, f]) }
    }
}
