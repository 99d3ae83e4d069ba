//! Which rows an index holds, for checks: a bit for each line pointer of the table.

use memory::{Grow, collected};

use crate::{HeapTid, Result};

/// Line pointers of a block, more than fit one of 8 kB.
const LINES: usize = 320;
const WORDS: usize = LINES / 64;

/// Rows seen one after another, of which each should be seen once.
pub struct Rows<'a> {
    /// Blocks of the table now.
    blocks: &'a dyn Fn() -> u32,
    /// Blocks when last asked: a table that is open does not shrink.
    known: u32,
    /// Words of bits for each block: of rows that were seen, and of those that were seen again.
    seen: Vec<u64>,
    again: Vec<u64>,
}

impl std::fmt::Debug for Rows<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("known", &self.known).finish_non_exhaustive()
    }
}

impl<'a> Rows<'a> {
    /// None yet, of a table that has as many blocks as `blocks` says when it is asked.
    pub fn new(blocks: &'a dyn Fn() -> u32) -> Self {
        Self { blocks, known: 0, seen: Vec::new(), again: Vec::new() }
    }

    /// Takes notice of a row. False where it lies beyond the end of the table.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] where memory is short.
    pub fn add(&mut self, tid: HeapTid) -> Result<bool> {
        if tid.block >= self.known {
            self.known = (self.blocks)();
        }
        if usize::from(tid.offset) >= LINES || tid.block >= self.known {
            return Ok(false);
        }
        let (word, bit) = place(tid);
        for words in [&mut self.seen, &mut self.again] {
            let more = (word + 1).next_multiple_of(WORDS).saturating_sub(words.len());
            words.try_extend(std::iter::repeat_n(0, more))?;
        }
        self.again[word] |= self.seen[word] & bit;
        self.seen[word] |= bit;
        Ok(true)
    }

    /// Whether a row was seen more than once.
    pub fn is_repeated(&self, tid: HeapTid) -> bool {
        let (word, bit) = place(tid);
        usize::from(tid.offset) < LINES && self.again.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Forgets all rows.
    pub fn begin_anew(&mut self) {
        self.seen.fill(0);
        self.again.fill(0);
    }
}

/// How often rows that look repeated are looked at.
const LOOKS: usize = 3;

/// Rows that each of several looks finds repeated, with the pages that hold them. `look` tells what it
/// finds; its argument is true the first time.
///
/// Beside a vacuum and inserts, one look may meet a row where it was and again where another took its
/// place.
///
/// # Errors
/// Those of `look`, and that memory is short.
pub fn lastingly_repeated(
    mut look: impl FnMut(bool) -> Result<Vec<(u32, HeapTid)>>,
) -> Result<Vec<(u32, HeapTid)>> {
    let mut repeated = look(true)?;
    for _ in 1..LOOKS {
        if repeated.is_empty() {
            break;
        }
        let mut again = collected(look(false)?.into_iter().map(|(_, tid)| tid))?;
        again.sort_unstable();
        repeated.retain(|&(_, tid)| again.binary_search(&tid).is_ok());
    }
    Ok(repeated)
}

/// The word of a row whose line is below [`LINES`], and its bit.
fn place(tid: HeapTid) -> (usize, u64) {
    let line = usize::from(tid.offset);
    (tid.block as usize * WORDS + line / 64, 1 << (line % 64))
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
