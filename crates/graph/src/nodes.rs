//! A set of record numbers.

use memory::{Result, filled};

use crate::format::NodeNo;

/// Open addressing with linear probing, at most half full. Faster than a general hash set for the
/// few hundred numbers of a search, and as small as a bitmap for many.
#[derive(Debug, Clone)]
pub(crate) struct NodeSet {
    table: Vec<u32>,
    len: usize,
}

const EMPTY: u32 = u32::MAX;

impl NodeSet {
    pub(crate) fn new() -> Self {
        Self { table: vec![EMPTY; 1 << 9], len: 0 }
    }

    pub(crate) fn contains(&self, node: NodeNo) -> bool {
        self.table[self.find(node)] == node.0
    }

    /// Adds `node`; false where it was there already.
    pub(crate) fn insert(&mut self, node: NodeNo) -> Result<bool> {
        let at = self.find(node);
        if self.table[at] == node.0 {
            return Ok(false);
        }
        self.table[at] = node.0;
        self.len += 1;
        if 2 * self.len > self.table.len() {
            self.grow()?;
        }
        Ok(true)
    }

    /// Bytes in use.
    pub(crate) fn memory(&self) -> usize {
        4 * self.table.len()
    }

    /// Where `node` is, or where it belongs.
    fn find(&self, node: NodeNo) -> usize {
        let mask = self.table.len() - 1;
        // Fibonacci hashing: the high bits of the product are well mixed.
        let hash = node.0.wrapping_mul(0x9E37_79B9);
        let mut at = (hash >> 8 ^ hash >> 20) as usize & mask;
        while self.table[at] != EMPTY && self.table[at] != node.0 {
            at = (at + 1) & mask;
        }
        at
    }

    fn grow(&mut self) -> Result<()> {
        let larger = filled(2 * self.table.len(), EMPTY)?;
        let old = std::mem::replace(&mut self.table, larger);
        for number in old.into_iter().filter(|&number| number != EMPTY) {
            let at = self.find(NodeNo(number));
            self.table[at] = number;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn agrees_with_the_standard_set() {
        let mut twin = HashSet::new();
        let mut set = NodeSet::new();
        for i in 0..20_000u32 {
            let node = NodeNo(i.wrapping_mul(2_654_435_761) % 9_000);
            assert_eq!(set.contains(node), twin.contains(&node));
            assert_eq!(set.insert(node), Ok(twin.insert(node)));
        }
    }
}
