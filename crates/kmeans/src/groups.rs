//! Lists of numbers by a small key, such as the rows of each cluster.

use memory::{Result, collected, copied, filled};

/// For each of many keys, the items that have it, ascending.
#[derive(Debug)]
pub(crate) struct Groups {
    starts: Vec<usize>,
    items: Vec<u32>,
}

impl Groups {
    /// Sorts items by key. `keys` holds `per_item` keys of item 0, then those of item 1, and so on,
    /// all under `count`.
    pub(crate) fn by_key(keys: &[u32], per_item: usize, count: usize) -> Result<Self> {
        let mut starts = filled(count + 1, 0)?;
        for &key in keys {
            starts[key as usize + 1] += 1;
        }
        for key in 0..count {
            starts[key + 1] += starts[key];
        }
        let mut next = copied(&starts)?;
        let mut items = filled(keys.len(), 0)?;
        for (item, keys) in keys.chunks_exact(per_item.max(1)).enumerate() {
            for &key in keys {
                items[next[key as usize]] = item as u32;
                next[key as usize] += 1;
            }
        }
        Ok(Self { starts, items })
    }

    /// All items under one key.
    pub(crate) fn single(items: usize) -> Result<Self> {
        Ok(Self { starts: vec![0, items], items: collected(0..items as u32)? })
    }

    /// Leaves out keys without items; those after them move up.
    pub(crate) fn without_empty(mut self) -> Self {
        self.starts.dedup();
        self
    }

    /// Where the items of each key start and end in all items, which come second.
    pub(crate) fn numbers(&self) -> Result<(Vec<u32>, &[u32])> {
        // Items are numbered with 32 bits.
        Ok((collected(self.starts.iter().map(|&start| start as u32))?, &self.items))
    }

    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub(crate) fn of(&self, key: usize) -> &[u32] {
        &self.items[self.starts[key]..self.starts[key + 1]]
    }
}
