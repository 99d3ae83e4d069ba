//! Rows of equal width that are added one by one.

use memory::Grow;

use crate::{Array, Item, NoSpace, Space};

/// Bytes of a segment, about.
const SEGMENT: usize = 8 << 20;

/// Rows of `width` items, in segments: adding one never moves the others.
#[derive(Debug)]
pub struct Table<T> {
    width: usize,
    /// Rows of a segment, as a power of two.
    shift: u32,
    segments: Vec<Array<T>>,
    len: usize,
    storage: Storage,
}

/// Where a table allocates its next segments.
#[derive(Debug, Clone, Copy)]
enum Storage {
    /// In memory, which the caller counts.
    Memory,
    /// In memory as far as the space has room, then in the file.
    Space,
    File,
}

impl<T: Item + Copy> Table<T> {
    /// An empty table, in memory, of rows of `width` items, at least one. Whoever has it move to
    /// the file counts its memory.
    pub fn new(width: usize) -> Self {
        Self::stored_in(width, Storage::Memory)
    }

    /// An empty table whose rows lie in memory as far as the space has room for them, the others in
    /// the file.
    pub fn within_space(width: usize) -> Self {
        Self::stored_in(width, Storage::Space)
    }

    fn stored_in(width: usize, storage: Storage) -> Self {
        let rows = (SEGMENT / (width * size_of::<T>())).max(1);
        Self { width, shift: rows.ilog2(), segments: Vec::new(), len: 0, storage }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of all rows.
    pub fn bytes(&self) -> usize {
        self.len * self.width * size_of::<T>()
    }

    /// Adds a row.
    ///
    /// # Errors
    /// As for [`Space::array`].
    ///
    /// # Panics
    /// If `row` has not the width of the table.
    pub fn push(&mut self, row: &[T], space: &mut Space) -> Result<(), NoSpace> {
        if self.len >> self.shift == self.segments.len() {
            let segment = self.segment(space)?;
            self.segments.try_push(segment)?;
        }
        self.len += 1;
        self.row_mut(self.len - 1).copy_from_slice(row);
        Ok(())
    }

    /// Row number `i`.
    ///
    /// # Panics
    /// If there is none.
    pub fn row(&self, i: usize) -> &[T] {
        let start = (i & self.mask()) * self.width;
        &self.segments[i >> self.shift][start..start + self.width]
    }

    /// Row number `i`, to be changed.
    ///
    /// # Panics
    /// If there is none.
    pub fn row_mut(&mut self, i: usize) -> &mut [T] {
        let start = (i & self.mask()) * self.width;
        &mut self.segments[i >> self.shift][start..start + self.width]
    }

    /// Moves all rows to the file, and those to come.
    ///
    /// # Errors
    /// As for [`Space::in_file`].
    pub fn move_to_file(&mut self, space: &mut Space) -> Result<(), NoSpace> {
        self.storage = Storage::File;
        for i in 0..self.segments.len() {
            let mut segment = self.segment(space)?;
            segment.copy_from_slice(&self.segments[i]);
            self.segments[i] = segment;
        }
        Ok(())
    }

    fn segment(&self, space: &mut Space) -> Result<Array<T>, NoSpace> {
        let len = self.width << self.shift;
        match self.storage {
            Storage::Memory => Array::in_memory(len),
            Storage::Space => space.array(len),
            Storage::File => space.in_file(len),
        }
    }

    fn mask(&self) -> usize {
        (1 << self.shift) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stay_where_they_are_looked_for() {
        let mut space = Space::unlimited();
        let mut table = Table::<u32>::new(100_000);
        for i in 0..100 {
            if i == 30 {
                table.move_to_file(&mut space).expect("memory");
            }
            table.push(&[i; 100_000], &mut space).expect("memory");
        }
        table.row_mut(50)[99_999] = 7;
        assert_eq!(table.len(), 100);
        assert_eq!((table.row(0)[0], table.row(29)[99_999], table.row(99)[5]), (0, 29, 99));
        assert_eq!(table.row(50)[99_998..], [50, 7]);
    }
}
