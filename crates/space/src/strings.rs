//! Rows of different lengths that are added one by one.

use memory::Grow;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{Array, NoSpace, Space, Table};

/// Bytes of a segment: many times those of the longest row.
const SEGMENT: usize = 8 << 20;

/// Where the bytes of a row are.
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Extent {
    segment: u32,
    start: u32,
    len: u32,
}

/// Rows of bytes, in segments: adding one never moves the others.
#[derive(Debug)]
pub struct Strings {
    segments: Vec<Array<u8>>,
    extents: Table<Extent>,
    /// Bytes in use of the last segment.
    used: usize,
    bytes: usize,
    in_file: bool,
}

impl Default for Strings {
    fn default() -> Self {
        Self::new()
    }
}

impl Strings {
    /// Bytes that tell where a row lies.
    pub const EXTENT_BYTES: usize = size_of::<Extent>();

    /// None yet; they lie in memory, which the caller counts.
    pub fn new() -> Self {
        let extents = Table::new(1);
        Self { segments: Vec::new(), extents, used: SEGMENT, bytes: 0, in_file: false }
    }

    /// Adds a row, of at most 8 MiB.
    ///
    /// # Errors
    /// [`NoSpace`] where there is none, and for a longer row.
    pub fn push(&mut self, row: &[u8], space: &mut Space) -> Result<(), NoSpace> {
        if row.len() > SEGMENT - self.used {
            let segment = self.segment(space)?;
            self.segments.try_push(segment)?;
            self.used = 0;
        }
        let (start, end) = (self.used, self.used + row.len());
        let Some(last) = self.segments.len().checked_sub(1) else {
            // The very first rows are empty: they lie nowhere.
            return self.extents.push(&[Extent { segment: 0, start: 0, len: 0 }], space);
        };
        self.segments[last].get_mut(start..end).ok_or(NoSpace::OutOfMemory)?.copy_from_slice(row);
        self.used = end;
        self.bytes += row.len();
        // Within a segment; as many segments as 32 bits can number hold more than any table.
        let extent = Extent { segment: last as u32, start: start as u32, len: row.len() as u32 };
        self.extents.push(&[extent], space)
    }

    /// Row number `i`.
    pub fn row(&self, i: usize) -> &[u8] {
        let Extent { segment, start, len } = self.extents.row(i)[0];
        let (start, len) = (start as usize, len as usize);
        self.segments.get(segment as usize).map_or(&[], |segment| &segment[start..start + len])
    }

    /// Bytes of all rows, and of where they lie.
    pub fn bytes(&self) -> usize {
        self.bytes + self.extents.bytes()
    }

    /// Moves all rows to the file, and those to come.
    ///
    /// # Errors
    /// [`NoSpace`] where the file cannot grow.
    pub fn move_to_file(&mut self, space: &mut Space) -> Result<(), NoSpace> {
        self.in_file = true;
        for i in 0..self.segments.len() {
            let mut segment = self.segment(space)?;
            segment.copy_from_slice(&self.segments[i]);
            self.segments[i] = segment;
        }
        self.extents.move_to_file(space)
    }

    fn segment(&self, space: &mut Space) -> Result<Array<u8>, NoSpace> {
        if self.in_file { space.in_file(SEGMENT) } else { Array::in_memory(SEGMENT) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stay_where_they_are_looked_for() {
        let mut space = Space::unlimited();
        let mut strings = Strings::new();
        let lens = |i: usize| if i.is_multiple_of(7) { 0 } else { 100_000 + i };
        for i in 0..300 {
            if i == 150 {
                strings.move_to_file(&mut space).expect("memory");
            }
            strings.push(&vec![i as u8; lens(i)], &mut space).expect("memory");
        }
        for i in 0..300 {
            assert_eq!(strings.row(i), vec![i as u8; lens(i)]);
        }
        assert_eq!(strings.bytes(), (0..300).map(lens).sum::<usize>() + 300 * 12);
    }
}
