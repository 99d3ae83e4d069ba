//! Distinct terms, numbered in the order in which they come.

use std::hash::{BuildHasher, RandomState};

use memory::{Grow, filled};
use pages::{Error, Result};

use crate::fields::prefix;

/// Terms and their numbers: an open hash table, which may be refused the memory to grow.
#[derive(Debug, Default)]
pub(crate) struct TermTable {
    hasher: RandomState,
    /// For each slot the number of its term plus one, or 0. As many as a power of two, or none.
    slots: Vec<u32>,
    /// Upper halves of the hashes.
    hashes: Vec<u32>,
    /// Where each term ends in `bytes`.
    ends: Vec<u32>,
    bytes: Vec<u8>,
}

impl TermTable {
    /// Number of terms.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of all terms.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes of memory in use, about.
    pub(crate) fn memory(&self) -> usize {
        self.bytes.capacity()
            + 4 * (self.slots.capacity() + self.hashes.capacity() + self.ends.capacity())
    }

    /// Term number `i`.
    pub(crate) fn term(&self, i: u32) -> &[u8] {
        let i = i as usize;
        let start = i.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let end = self.ends.get(i).copied().unwrap_or(0) as usize;
        self.bytes.get(start.unwrap_or(0) as usize..end).unwrap_or_default()
    }

    /// The number of a term, which is added if it is new.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`], and [`Error::Limit`] for more than 4 GiB of terms.
    pub(crate) fn number(&mut self, term: &[u8]) -> Result<u32> {
        if self.ends.len() * 2 >= self.slots.len() {
            self.grow()?;
        }
        let hash = self.hasher.hash_one(term);
        let upper = (hash >> 32) as u32;
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        while let Some(number) = self.slots[slot].checked_sub(1) {
            if self.hashes[number as usize] == upper && self.term(number) == term {
                return Ok(number);
            }
            slot = (slot + 1) & mask;
        }
        let number = u32::try_from(self.ends.len()).ok().filter(|&number| number < u32::MAX);
        let end = u32::try_from(self.bytes.len() + term.len()).ok();
        let (Some(number), Some(end)) = (number, end) else {
            return Err(Error::Limit("too many terms at a time"));
        };
        self.bytes.try_extend(term.iter().copied())?;
        self.hashes.try_push(upper)?;
        self.ends.try_push(end)?;
        self.slots[slot] = number + 1;
        Ok(number)
    }

    fn grow(&mut self) -> Result<()> {
        let len = (self.slots.len() * 2).max(1 << 10);
        let mask = len - 1;
        let mut slots = filled(len, 0u32)?;
        for number in 0..self.ends.len() as u32 {
            let mut slot = self.hasher.hash_one(self.term(number)) as usize & mask;
            while slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            slots[slot] = number + 1;
        }
        self.slots = slots;
        Ok(())
    }

    /// Numbers of all terms, in the order of the terms.
    pub(crate) fn sorted(&self) -> Result<Vec<u32>> {
        let mut sorted =
            memory::collected((0..self.ends.len() as u32).map(|i| (prefix(self.term(i)), i)))?;
        sorted.sort_unstable_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| self.term(a.1).cmp(self.term(b.1)))
        });
        Ok(memory::collected(sorted.into_iter().map(|(_, number)| number))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_keep_their_numbers() {
        let mut table = TermTable::default();
        let term = |i: u32| format!("term{}", i * 7919 % 5_000).into_bytes();
        for i in 0..10_000 {
            assert_eq!(table.number(&term(i)), Ok(i % 5_000));
        }
        let sorted = table.sorted().expect("memory");
        assert!(sorted.is_sorted_by_key(|&i| table.term(i)));
        assert_eq!(sorted.len(), 5_000);
        let short = [&b""[..], b"\0", b"\0\0", b"a", b"a\0", b"ab"];
        let mut table = TermTable::default();
        for term in short.iter().rev() {
            table.number(term).expect("memory");
        }
        let sorted = table.sorted().expect("memory");
        assert!(sorted.iter().map(|&i| table.term(i)).eq(short));
    }
}
