//! Memory that grows with the data: where the operating system gives none, that is an error, not the
//! end of the process.
//!
//! What is as large as a vector, a page or a query is allocated as usual: the host keeps a reserve for
//! that.

pub mod refusing;

use std::collections::{BinaryHeap, HashSet, VecDeque};
use std::fmt;
use std::hash::Hash;

/// The operating system gives no more memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("out of memory")
    }
}

impl std::error::Error for OutOfMemory {}

/// The result of everything here.
pub type Result<T> = std::result::Result<T, OutOfMemory>;

/// No items, and room for `len`.
///
/// # Errors
/// [`OutOfMemory`].
pub fn with_room<T>(len: usize) -> Result<Vec<T>> {
    let mut vec = Vec::new();
    vec.try_reserve_exact(len).map_err(|_| OutOfMemory)?;
    Ok(vec)
}

/// `len` copies of `value`.
///
/// # Errors
/// [`OutOfMemory`].
pub fn filled<T: Clone>(len: usize, value: T) -> Result<Vec<T>> {
    let mut vec = with_room(len)?;
    vec.resize(len, value);
    Ok(vec)
}

/// A copy of `items`.
///
/// # Errors
/// [`OutOfMemory`].
pub fn copied<T: Copy>(items: &[T]) -> Result<Vec<T>> {
    let mut vec = with_room(items.len())?;
    vec.extend_from_slice(items);
    Ok(vec)
}

/// What `items` yields.
///
/// # Errors
/// [`OutOfMemory`].
pub fn collected<T>(items: impl IntoIterator<Item = T>) -> Result<Vec<T>> {
    let items = items.into_iter();
    let mut vec = with_room(items.size_hint().0)?;
    vec.try_extend(items)?;
    Ok(vec)
}

/// A collection that may be refused the memory to grow.
pub trait Grow {
    /// What it holds.
    type Item;

    /// Adds an item.
    ///
    /// # Errors
    /// [`OutOfMemory`]; all is as before.
    fn try_push(&mut self, item: Self::Item) -> Result<()>;

    /// Adds items.
    ///
    /// # Errors
    /// [`OutOfMemory`]; some may have been added.
    #[inline]
    fn try_extend(&mut self, items: impl IntoIterator<Item = Self::Item>) -> Result<()> {
        items.into_iter().try_for_each(|item| self.try_push(item))
    }
}

/// Implements [`Grow`] by a method that adds where there is room.
macro_rules! grow {
    ($collection:ident, $add:ident $(, $bound:path)*) => {
        impl<T $(: $bound)*> Grow for $collection<T> {
            type Item = T;

            #[inline]
            fn try_push(&mut self, item: T) -> Result<()> {
                if self.len() == self.capacity() {
                    self.try_reserve(1).map_err(|_| OutOfMemory)?;
                }
                self.$add(item);
                Ok(())
            }
        }
    };
}

grow!(Vec, push);
grow!(VecDeque, push_back);
grow!(BinaryHeap, push, Ord);

impl<T: Eq + Hash> Grow for HashSet<T> {
    type Item = T;

    fn try_push(&mut self, item: T) -> Result<()> {
        self.try_reserve(1).map_err(|_| OutOfMemory)?;
        self.insert(item);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More than any machine has.
    const LEN: usize = 1 << 60;

    #[test]
    fn what_no_machine_has_is_refused() {
        assert_eq!(filled(LEN, 0u8), Err(OutOfMemory));
        assert_eq!(with_room::<u64>(usize::MAX), Err(OutOfMemory));
        assert_eq!(collected(std::iter::repeat_n(0u8, LEN)), Err(OutOfMemory));
    }

    #[test]
    fn collections_grow() {
        assert_eq!(filled(3, 7), Ok(vec![7, 7, 7]));
        assert_eq!(copied(&[1, 2]), Ok(vec![1, 2]));
        assert_eq!(collected((0..9).filter(|i| i % 2 == 0)), Ok(vec![0, 2, 4, 6, 8]));
        let mut queue = VecDeque::new();
        queue.try_extend(0..100).expect("memory");
        assert!(queue.into_iter().eq(0..100));
        let mut heap = BinaryHeap::new();
        heap.try_extend([2, 3, 1]).expect("memory");
        assert_eq!(heap.into_sorted_vec(), [1, 2, 3]);
        let mut set = HashSet::new();
        set.try_extend([1, 2, 1]).expect("memory");
        assert_eq!(set.len(), 2);
    }
}
