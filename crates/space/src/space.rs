//! Memory with a limit, and a file for what is beyond it.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::AtomicU32;

use memmap2::{Advice, MmapMut, MmapOptions};
use memory::OutOfMemory;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What arrays may hold: numbers, and structs of numbers without gaps.
pub trait Item: FromBytes + IntoBytes + Immutable + KnownLayout {}

impl<T: FromBytes + IntoBytes + Immutable + KnownLayout> Item for T {}

/// Why there is no array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoSpace {
    /// The operating system gives no more memory.
    OutOfMemory,
    /// The temporary file could not be made larger, with the reason.
    File(String),
}

impl From<OutOfMemory> for NoSpace {
    fn from(_: OutOfMemory) -> Self {
        Self::OutOfMemory
    }
}

impl fmt::Display for NoSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfMemory => f.write_str("out of memory"),
            Self::File(why) => write!(f, "could not extend the temporary file: {why}"),
        }
    }
}

impl std::error::Error for NoSpace {}

/// Maps so many more bytes of a temporary file. They are zero, start on a page, and the file
/// system has room for them: writing to them cannot fail.
pub type MapFile<'h> = dyn FnMut(usize) -> std::io::Result<MmapMut> + 'h;

/// The memory that a build may use, and the file for what does not fit it.
pub struct Space<'h> {
    limit: usize,
    left: usize,
    map_file: Option<Box<MapFile<'h>>>,
}

impl<'h> Space<'h> {
    /// `limit` bytes of memory, then the file of `map_file`.
    pub fn new(limit: usize, map_file: Box<MapFile<'h>>) -> Self {
        Self { limit, left: limit, map_file: Some(map_file) }
    }

    /// As much memory as there is.
    pub fn unlimited() -> Self {
        Self { limit: usize::MAX, left: usize::MAX, map_file: None }
    }

    /// Bytes of memory in all.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Bytes of memory that are not in use.
    pub fn left(&self) -> usize {
        self.left
    }

    /// Counts as many bytes as not in use as there were at another time.
    pub fn restore(&mut self, left: usize) {
        self.left = left.min(self.limit);
    }

    /// Counts `bytes` of memory as in use, as far as there are so many.
    pub fn take(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
    }

    /// Counts `bytes` of memory as free again.
    pub fn give_back(&mut self, bytes: usize) {
        self.left = self.left.saturating_add(bytes).min(self.limit);
    }

    /// `len` zeros: first come, first served with memory.
    ///
    /// # Errors
    /// [`NoSpace::OutOfMemory`], [`NoSpace::File`].
    pub fn array<T: Item>(&mut self, len: usize) -> Result<Array<T>, NoSpace> {
        let bytes = Array::<T>::bytes(len)?;
        if bytes > self.left {
            return self.in_file(len);
        }
        self.left -= bytes;
        Array::in_memory(len)
    }

    /// `len` zeros in the file, or in memory if there is no file.
    ///
    /// # Errors
    /// As for [`Space::array`].
    pub fn in_file<T: Item>(&mut self, len: usize) -> Result<Array<T>, NoSpace> {
        let bytes = Array::<T>::bytes(len)?;
        let Some(map_file) = &mut self.map_file else {
            return Array::in_memory(len);
        };
        let map = map_file(bytes).map_err(|error| NoSpace::File(error.to_string()))?;
        if map.len() < bytes {
            return Err(NoSpace::File("the mapping is too short".to_owned()));
        }
        Ok(Array { map, len, item: PhantomData })
    }
}

impl fmt::Debug for Space<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Space").field("limit", &self.limit).field("left", &self.left).finish()
    }
}

/// A large array of fixed length, which begins as zeros. Memory is taken when it is first written.
pub struct Array<T> {
    map: MmapMut,
    len: usize,
    item: PhantomData<T>,
}

impl<T: Item> Array<T> {
    /// `len` zeros in memory.
    ///
    /// # Errors
    /// [`NoSpace::OutOfMemory`].
    pub fn in_memory(len: usize) -> Result<Self, NoSpace> {
        let bytes = Self::bytes(len)?;
        let map = MmapOptions::new().len(bytes).map_anon().map_err(|_| NoSpace::OutOfMemory)?;
        // Arrays are read at random: with large pages the processor finds their addresses sooner.
        // Not every system has them, and none needs them.
        #[cfg(target_os = "linux")]
        let _ = map.advise(Advice::HugePage);
        Ok(Self { map, len, item: PhantomData })
    }

    /// Bytes of a mapping for `len` items; never zero, as no mapping can be.
    fn bytes(len: usize) -> Result<usize, NoSpace> {
        let bytes = len.checked_mul(size_of::<T>()).filter(|&bytes| bytes < isize::MAX as usize);
        bytes.map(|bytes| bytes.max(1)).ok_or(NoSpace::OutOfMemory)
    }
}

/// The mapping starts on a page and is at least as long as the items.
const FITS: &str = "a mapping is aligned and long enough";

impl<T: Item> Deref for Array<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        <[T]>::ref_from_bytes(&self.map[..self.len * size_of::<T>()]).expect(FITS)
    }
}

impl<T: Item> DerefMut for Array<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        <[T]>::mut_from_bytes(&mut self.map[..self.len * size_of::<T>()]).expect(FITS)
    }
}

impl Array<u32> {
    /// The numbers, for several threads to write.
    pub fn shared(&mut self) -> &[AtomicU32] {
        <[AtomicU32]>::mut_from_bytes(&mut self.map[..self.len * 4]).expect(FITS)
    }
}

impl<T> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} items", self.len)
    }
}

impl<T: Item + PartialEq> PartialEq for Array<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Item + Eq> Eq for Array<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_memory_goes_to_the_file() {
        let mut mapped = Vec::new();
        let map_file = |bytes| {
            mapped.push(bytes);
            MmapMut::map_anon(bytes)
        };
        let mut space = Space::new(1_000, Box::new(map_file));
        let mut first = space.array::<u32>(200).expect("memory");
        first[199] = 7;
        assert_eq!((first.len(), first[0], first[199]), (200, 0, 7));
        space.array::<u32>(51).expect("file");
        space.array::<u8>(200).expect("memory");
        space.array::<u8>(1).expect("file");
        space.give_back(800);
        assert_eq!(space.array::<[u8; 2]>(400).expect("memory").len(), 400);
        drop(space);
        assert_eq!(mapped, [204, 1]);
    }

    #[test]
    fn sizes_beyond_all_memory_are_an_error() {
        let mut space = Space::unlimited();
        assert_eq!(space.array::<u32>(usize::MAX).err(), Some(NoSpace::OutOfMemory));
        assert_eq!(space.array::<u32>(usize::MAX / 32).err(), Some(NoSpace::OutOfMemory));
        assert_eq!(space.array::<u64>(0).map(|array| array.len()), Ok(0));
    }
}
