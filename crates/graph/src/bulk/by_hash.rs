//! Which element has a vector.

use space::{Array, Space};

use crate::build::BuildError;

/// Slots of the first table.
const FIRST: usize = 1 << 10;

/// Elements by a hash of their vectors: open addressing with linear probing, eight bytes a slot.
///
/// A slot is the hash and the element plus one; 0 is empty. Where an entry belongs grows with its
/// hash, so a larger table is filled in order.
#[derive(Debug)]
pub(super) struct ByHash {
    slots: Array<u64>,
    len: usize,
}

impl ByHash {
    pub(super) fn new() -> Result<Self, BuildError> {
        Ok(Self { slots: Array::in_memory(FIRST)?, len: 0 })
    }

    /// The element with this hash for which `same` holds.
    pub(super) fn find(&self, hash: u32, mut same: impl FnMut(u32) -> bool) -> Option<u32> {
        let mut at = self.place(hash);
        loop {
            match self.slots[at] {
                0 => return None,
                slot if (slot >> 32) as u32 == hash && same(element(slot)) => {
                    return Some(element(slot));
                }
                _ => at = self.next(at),
            }
        }
    }

    /// Adds an element that is not in the table. A table too large for a quarter of the memory
    /// lies in the file.
    pub(super) fn insert(
        &mut self,
        hash: u32,
        element: u32,
        space: &mut Space,
    ) -> Result<(), BuildError> {
        // At most three quarters full.
        if self.len >= self.slots.len() / 4 * 3 {
            self.grow(space)?;
        }
        self.put(u64::from(hash) << 32 | (u64::from(element) + 1));
        self.len += 1;
        Ok(())
    }

    fn grow(&mut self, space: &mut Space) -> Result<(), BuildError> {
        let len = self.slots.len() / 2 * 3;
        let small = len <= space.limit() / 4 / size_of::<u64>();
        let larger = if small { Array::in_memory(len)? } else { space.in_file(len)? };
        let old = std::mem::replace(&mut self.slots, larger);
        old.iter().filter(|&&slot| slot != 0).for_each(|&slot| self.put(slot));
        Ok(())
    }

    fn put(&mut self, slot: u64) {
        let mut at = self.place((slot >> 32) as u32);
        while self.slots[at] != 0 {
            at = self.next(at);
        }
        self.slots[at] = slot;
    }

    /// Where an entry of this hash belongs.
    fn place(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.slots.len() as u64) >> 32) as usize
    }

    fn next(&self, at: usize) -> usize {
        if at + 1 == self.slots.len() { 0 } else { at + 1 }
    }
}

/// The element in a slot that is not empty.
fn element(slot: u64) -> u32 {
    (slot as u32).wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn agrees_with_the_standard_map() {
        let mut space = Space::unlimited();
        let (mut table, mut twin) = (ByHash::new().expect("memory"), HashMap::new());
        for i in 0..20_000u32 {
            let key = i.wrapping_mul(2_654_435_761) % 9_000;
            // Keys share hashes; the highest have to wrap around.
            let hash = u32::MAX - key / 3;
            let found = table.find(hash, |element| twin.get(&key) == Some(&element));
            assert_eq!(found, twin.get(&key).copied());
            if found.is_none() {
                table.insert(hash, i, &mut space).expect("memory");
                twin.insert(key, i);
            }
        }
        assert_eq!(table.len, 9_000);
    }
}
