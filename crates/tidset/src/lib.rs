//! Sets of rows: what an index on another column finds, asked about rows one by one.
//!
//! PostgreSQL's bitmaps come in order of blocks and cannot be asked whether a row is in them, so they
//! are copied: the blocks, and for each the line pointers of its rows, a bit for each as far as the last. A
//! directory by block number, about as long as there are blocks, leads to the one asked about. (Roaring
//! bitmaps would take as much memory, but what they allocate cannot be refused.)

use memory::{Grow, Result};
use pages::HeapTid;

/// A set of rows that is being made, block by block.
#[derive(Debug, Default)]
pub struct Builder {
    blocks: Vec<Block>,
    words: Vec<u64>,
    rows: usize,
}

/// A block with rows in the set.
#[derive(Clone, Copy, Debug)]
struct Block {
    number: u32,
    /// Where the bits of its line pointers begin. Those of a block without any are unknown: each may be in
    /// the set.
    start: u32,
}

/// A set of rows. Of some blocks it may know only that rows of them are in it.
#[derive(Debug)]
pub struct TidSet {
    blocks: Vec<Block>,
    words: Vec<u64>,
    /// Where blocks with a number from `i << shift` on begin.
    directory: Vec<u32>,
    shift: u32,
    rows: usize,
    unknown: usize,
}

/// The word of a line pointer's bit, and the bit.
fn place(offset: u16) -> (usize, u64) {
    (usize::from(offset) / 64, 1 << (offset % 64))
}

impl Builder {
    /// Adds the rows of a block at these line pointers, both in ascending order; without any, all
    /// rows of the block may be in the set.
    ///
    /// # Errors
    /// [`memory::OutOfMemory`], as for all that follows; also beyond 2^38 line pointers.
    pub fn push(&mut self, number: u32, offsets: &[u16]) -> Result<()> {
        let start = u32::try_from(self.words.len()).map_err(|_| memory::OutOfMemory)?;
        self.blocks.try_push(Block { number, start })?;
        for (word, bit) in offsets.iter().map(|&offset| place(offset)) {
            let word = start as usize + word;
            while self.words.len() <= word {
                self.words.try_push(0)?;
            }
            self.words[word] |= bit;
        }
        self.rows += offsets.len();
        Ok(())
    }

    /// The set.
    ///
    /// # Errors
    /// As [`Builder::push`].
    pub fn finish(self) -> Result<TidSet> {
        let Self { blocks, words, rows } = self;
        let last = blocks.last().map_or(0, |block| block.number);
        let spread = last / u32::try_from(blocks.len()).unwrap_or(u32::MAX).max(1);
        let shift = (u32::BITS - spread.leading_zeros()).min(u32::BITS - 1);
        let mut directory = memory::with_room((last >> shift) as usize + 2)?;
        for (i, block) in (0..).zip(&blocks) {
            let bucket = (block.number >> shift) as usize;
            while directory.len() <= bucket {
                directory.try_push(i)?;
            }
        }
        directory.try_push(u32::try_from(blocks.len()).map_err(|_| memory::OutOfMemory)?)?;
        let mut set = TidSet { blocks, words, directory, shift, rows, unknown: 0 };
        set.unknown = set.blocks().filter(|(_, offsets)| offsets.is_none()).count();
        Ok(set)
    }
}

impl TidSet {
    /// Whether a row is in the set, or may be.
    pub fn contains(&self, tid: HeapTid) -> bool {
        let bucket = (tid.block >> self.shift) as usize;
        let [Some(&begin), Some(&end)] = [bucket, bucket + 1].map(|i| self.directory.get(i)) else {
            return false;
        };
        let blocks = &self.blocks[begin as usize..end as usize];
        let Ok(at) = blocks.binary_search_by_key(&tid.block, |block| block.number) else {
            return false;
        };
        let words = self.words_of(begin as usize + at);
        let (word, bit) = place(tid.offset);
        words.get(word).map_or(words.is_empty(), |word| word & bit != 0)
    }

    /// Blocks in ascending order, with the line pointers of their rows; none where these are unknown.
    pub fn blocks(&self) -> impl Iterator<Item = (u32, Option<impl Iterator<Item = u16>>)> {
        (0..self.blocks.len()).filter_map(|i| self.block(i))
    }

    /// The block at place `i` of the order, with the line pointers of its rows.
    pub fn block(&self, i: usize) -> Option<(u32, Option<impl Iterator<Item = u16>>)> {
        let block = self.blocks.get(i)?;
        let words = self.words_of(i);
        Some((block.number, (!words.is_empty()).then(|| offsets(words))))
    }

    /// Rows known to be in the set.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Blocks of which it is not known which rows are in the set.
    pub fn unknown_blocks(&self) -> usize {
        self.unknown
    }

    /// Bytes in use.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.blocks) + size_of_val(&*self.words) + size_of_val(&*self.directory)
    }

    fn words_of(&self, i: usize) -> &[u64] {
        let start = self.blocks[i].start as usize;
        let end = self.blocks.get(i + 1).map_or(self.words.len(), |next| next.start as usize);
        &self.words[start..end]
    }
}

/// The line pointers of some bits.
fn offsets(words: &[u64]) -> impl Iterator<Item = u16> {
    (0..).step_by(64).zip(words).flat_map(|(first, &word)| {
        let mut left = word;
        std::iter::from_fn(move || {
            let bit = (left != 0).then(|| left.trailing_zeros() as u16)?;
            left &= left - 1;
            Some(first + bit)
        })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::Rng;

    use super::*;

    fn set(blocks: &BTreeMap<u32, Vec<u16>>) -> TidSet {
        let mut builder = Builder::default();
        for (&number, offsets) in blocks {
            builder.push(number, offsets).expect("memory");
        }
        builder.finish().expect("memory")
    }

    fn contains(set: &TidSet, block: u32, offset: u16) -> bool {
        set.contains(HeapTid { block, offset })
    }

    #[test]
    fn answers_as_a_map_does() {
        fuzz::run("tidset", |case| {
            let rng = &mut case.rng;
            let last = u32::MAX >> rng.random_range(0..32);
            let mut blocks = BTreeMap::new();
            for _ in 0..rng.random_range(0..300) {
                let offsets = (1..rng.random_range(1..292)).filter(|_| rng.random_ratio(1, 3));
                let offsets: Vec<u16> = offsets.collect();
                blocks.insert(rng.random_range(0..=last), offsets);
            }
            let set = set(&blocks);
            assert_eq!(set.rows(), blocks.values().map(Vec::len).sum::<usize>());
            let found = set.blocks().map(|(number, offsets)| {
                (number, offsets.map(Iterator::collect::<Vec<_>>).unwrap_or_default())
            });
            assert!(found.eq(blocks.clone()));
            let known: Vec<u32> = blocks.keys().copied().collect();
            for _ in 0..1_000 {
                let some = rng.random_range(0..=last);
                let near = known.get(rng.random_range(0..known.len() * 2 + 1));
                let block = near.map_or(some, |block| block.wrapping_add(rng.random_range(0..2)));
                let offset = rng.random_range(1..292);
                let expected = blocks
                    .get(&block)
                    .is_some_and(|offsets| offsets.is_empty() || offsets.contains(&offset));
                assert_eq!(contains(&set, block, offset), expected, "{block} {offset}");
            }
        });
    }

    #[test]
    fn the_extremes() {
        let none = set(&BTreeMap::new());
        assert!(!contains(&none, 0, 1) && !contains(&none, u32::MAX, 1));
        assert_eq!((none.rows(), none.blocks().count()), (0, 0));
        let ends = set(&BTreeMap::from([(0, vec![1]), (u32::MAX, vec![u16::MAX]), (7, vec![])]));
        assert!(contains(&ends, 0, 1) && contains(&ends, u32::MAX, u16::MAX));
        assert!(contains(&ends, 7, 1) && contains(&ends, 7, 200));
        assert!(!contains(&ends, 0, 2) && !contains(&ends, u32::MAX - 1, 1));
        assert!(!contains(&ends, 0, 65) && !contains(&ends, u32::MAX, 0));
        assert_eq!(ends.unknown_blocks(), 1);
        // A bit for each line pointer that a block might have.
        assert!(ends.bytes() < 8_500, "{}", ends.bytes());
    }
}
