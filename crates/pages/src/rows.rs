//! Which rows an index holds, for checks: a bit for each line pointer of the table.

use std::collections::BTreeSet;

use crate::{Error, HeapTid, Result};

/// Line pointers of a block, more than fit one of 8 kB.
const LINES: usize = 320;
const WORDS: usize = LINES / 64;

/// Rows met one after another, of which each should be met once.
pub struct Rows<'a> {
    /// Blocks of the table now.
    blocks: &'a dyn Fn() -> u32,
    /// Blocks when last asked: a table that is open does not shrink.
    known: u32,
    met: Vec<u64>,
    twice: BTreeSet<HeapTid>,
}

impl std::fmt::Debug for Rows<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("twice", &self.twice).finish_non_exhaustive()
    }
}

impl<'a> Rows<'a> {
    /// None yet, of a table that has as many blocks as `blocks` says when it is asked.
    pub fn new(blocks: &'a dyn Fn() -> u32) -> Self {
        Self { blocks, known: 0, met: Vec::new(), twice: BTreeSet::new() }
    }

    /// Takes notice of a row. False where it lies beyond the end of the table.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] where memory is short.
    pub fn add(&mut self, tid: HeapTid) -> Result<bool> {
        let (block, line) = (tid.block as usize, usize::from(tid.offset));
        if tid.block >= self.known {
            self.known = (self.blocks)();
        }
        if line >= LINES || tid.block >= self.known {
            return Ok(false);
        }
        let word = block * WORDS + line / 64;
        if word >= self.met.len() {
            let more = (block + 1) * WORDS - self.met.len();
            self.met.try_reserve(more).map_err(|_| Error::OutOfMemory)?;
            self.met.resize((block + 1) * WORDS, 0);
        }
        if self.met[word] >> (line % 64) & 1 == 1 {
            self.twice.insert(tid);
        }
        self.met[word] |= 1 << (line % 64);
        Ok(true)
    }

    /// Whether a row was met more than once.
    pub fn is_repeated(&self, tid: HeapTid) -> bool {
        self.twice.contains(&tid)
    }

    /// Forgets all rows.
    pub fn begin_anew(&mut self) {
        self.met.fill(0);
        self.twice.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_rows_and_those_beyond_the_table_are_told() {
        let blocks = || 3;
        let mut rows = Rows::new(&blocks);
        let tid = |block, offset| HeapTid { block, offset };
        for row in [tid(2, 1), tid(0, 291), tid(2, 64), tid(0, 1)] {
            assert_eq!(rows.add(row), Ok(true));
        }
        assert_eq!(rows.add(tid(3, 1)), Ok(false));
        assert_eq!(rows.add(tid(0, 2_000)), Ok(false));
        assert!(!rows.is_repeated(tid(0, 291)));
        assert_eq!(rows.add(tid(0, 291)), Ok(true));
        assert!(rows.is_repeated(tid(0, 291)) && !rows.is_repeated(tid(2, 1)));
        rows.begin_anew();
        assert_eq!(rows.add(tid(0, 291)), Ok(true));
        assert!(!rows.is_repeated(tid(0, 291)));
    }
}
