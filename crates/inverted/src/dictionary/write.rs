//! Writes the dictionary.

use pages::Result;

use super::RESTART;
use super::entry::push_entry;
use crate::bytes::Bytes;
use crate::owned::Owned;
use crate::page::{Draft, NONE, Pages, Part};
use crate::postings::Written;

/// A dictionary that is being written, in ascending order of its terms.
#[derive(Debug)]
pub(crate) struct Dictionary {
    id: u64,
    /// The last page of each level, leaves first.
    levels: Vec<Level>,
    first_leaf: u32,
    value: Vec<u8>,
}

/// The page of a level that is being filled.
#[derive(Debug)]
struct Level {
    draft: Draft,
    /// Not above the first key of the page, and above the last of the page before.
    separator: Vec<u8>,
    last: Vec<u8>,
    restarts: Vec<u8>,
}

/// Where a dictionary is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tree {
    /// Block of the page above all others, or [`NONE`] without terms.
    pub root: u32,
    /// Its level.
    pub level: u8,
    pub first_leaf: u32,
}

impl Dictionary {
    pub fn new(id: u64) -> Self {
        Self { id, levels: Vec::new(), first_leaf: NONE, value: Vec::new() }
    }

    /// Adds a term, above all others.
    pub fn push(
        &mut self,
        pages: &mut dyn Pages,
        term: &[u8],
        count: u32,
        written: &Written,
    ) -> Result<()> {
        let mut value = std::mem::take(&mut self.value);
        value.clear();
        push_entry(count, written, &mut value);
        self.add(pages, 0, term, &value)?;
        self.value = value;
        Ok(())
    }

    fn add(&mut self, pages: &mut dyn Pages, level: u8, key: &[u8], value: &[u8]) -> Result<()> {
        let at = usize::from(level);
        if at == self.levels.len() {
            let mut draft = Draft::unplaced(Part::Dictionary)?;
            draft.level = level;
            if level == 0 {
                self.first_leaf = draft.place(pages)?;
            }
            let [separator, last, restarts] = [const { Vec::new() }; 3];
            self.levels.push(Level { draft, separator, last, restarts });
        }
        if !self.levels[at].fits(key, value) {
            let (separator, child) = self.levels[at].turn(pages, self.id, key)?;
            self.add(pages, level + 1, &separator, &child.to_le_bytes())?;
        }
        self.levels[at].push(key, value);
        Ok(())
    }

    /// Appends all that [`Dictionary::restore`] needs to go on.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.extend(self.first_leaf.to_le_bytes());
        out.push(self.levels.len() as u8);
        for level in &self.levels {
            level.draft.save(out);
            // The bytes of two terms, and of the offsets in a page.
            for bytes in [&level.separator, &level.last, &level.restarts] {
                out.extend((bytes.len() as u16).to_le_bytes());
                out.extend_from_slice(bytes);
            }
        }
    }

    /// The dictionary that was saved.
    pub fn restore(id: u64, bytes: &mut Bytes<'_>, owned: &mut Owned) -> Result<Self> {
        let mut dictionary = Self::new(id);
        dictionary.first_leaf = bytes.u32()?;
        let levels = bytes.u8()?;
        if levels > 0 && !owned.has(dictionary.first_leaf) {
            return Err(bytes.error("page of the dictionary is not of the segment"));
        }
        for number in 0..levels {
            // Inner pages get their blocks in the end.
            let draft = Draft::restore(bytes, Part::Dictionary, owned, number > 0)?;
            let mut next = || -> Result<Vec<u8>> {
                let len = bytes.u16()?.into();
                Ok(memory::copied(bytes.take(len)?)?)
            };
            let [separator, last, restarts] = [next()?, next()?, next()?];
            let level = Level { draft, separator, last, restarts };
            if !level.is_possible() || level.draft.level != number {
                return Err(bytes.error("page of the dictionary that was begun is impossible"));
            }
            dictionary.levels.push(level);
        }
        Ok(dictionary)
    }

    /// Gives all pages back.
    pub fn finish(mut self, pages: &mut dyn Pages) -> Result<Tree> {
        let mut tree = Tree { root: NONE, level: 0, first_leaf: self.first_leaf };
        let mut at = 0;
        while let Some(level) = self.levels.get_mut(at) {
            level.seal();
            let (separator, block) =
                (std::mem::take(&mut level.separator), level.draft.place(pages)?);
            (tree.root, tree.level) = (block, level.draft.level);
            at += 1;
            if at < self.levels.len() {
                self.add(pages, at as u8, &separator, &block.to_le_bytes())?;
            }
        }
        for level in self.levels {
            level.draft.finish(pages, self.id, NONE)?;
        }
        Ok(tree)
    }
}

impl Level {
    /// Bytes that the key shares with the last, if its entry may.
    fn shared(&self, key: &[u8]) -> usize {
        if usize::from(self.draft.count).is_multiple_of(RESTART) {
            return 0;
        }
        key.iter().zip(&self.last).take_while(|(a, b)| a == b).count()
    }

    fn is_possible(&self) -> bool {
        self.restarts.len() == usize::from(self.draft.count).div_ceil(RESTART) * 2
            && self.restarts.len() <= self.draft.room()
            && self.last.len().max(self.separator.len()) <= crate::MAX_TERM
    }

    fn fits(&self, key: &[u8], value: &[u8]) -> bool {
        let len = 2 + key.len() - self.shared(key) + value.len();
        len + self.restarts.len() + 2 <= self.draft.room()
    }

    fn push(&mut self, key: &[u8], value: &[u8]) {
        let shared = self.shared(key);
        if usize::from(self.draft.count).is_multiple_of(RESTART) {
            self.restarts.extend(self.draft.spot().offset.to_le_bytes());
        }
        self.draft.push(&[shared as u8, (key.len() - shared) as u8]);
        self.draft.push(&key[shared..]);
        self.draft.push(value);
        self.draft.count += 1;
        self.last.clear();
        self.last.extend_from_slice(key);
    }

    fn seal(&mut self) {
        self.draft.push_at_end(&self.restarts);
        self.restarts.clear();
    }

    /// Begins a page for `key`; returns the separator and the block of the full one.
    fn turn(&mut self, pages: &mut dyn Pages, id: u64, key: &[u8]) -> Result<(Vec<u8>, u32)> {
        self.seal();
        // Between inner pages, only the key itself is known not to be above what is below it.
        let shared = key.iter().zip(&self.last).take_while(|(a, b)| a == b).count();
        let len = if self.draft.level == 0 { key.len().min(shared + 1) } else { key.len() };
        // Leaves are linked. An inner page is open for long, and gets its block in the end.
        let full = self.draft.place(pages)?;
        if self.draft.level == 0 {
            self.draft.turn(pages, id)?;
        } else {
            let mut next = Draft::unplaced(Part::Dictionary)?;
            next.level = self.draft.level;
            std::mem::replace(&mut self.draft, next).finish(pages, id, NONE)?;
        }
        Ok((std::mem::replace(&mut self.separator, key[..len].to_vec()), full))
    }
}
