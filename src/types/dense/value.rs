//! A vector as PostgreSQL stores it: a view of a datum, and one under construction.

#![allow(unsafe_code)] // the elements of a view are read without checking their bounds again

use std::marker::PhantomData;
use std::ops::Deref;
use std::slice;

use pgrx::pg_sys::Datum;

use super::{Element, check};
use crate::pg::error::Report;
use crate::pg::function::{Args, Argument, Return};
use crate::pg::varlena::{Detoasted, VARHDRSZ, VarlenaBuf};
use crate::types::error;

/// Bytes before the elements: length word, dimensions, unused.
pub const HEADER: usize = VARHDRSZ + 4;

/// A vector that came as a datum; reads as its elements. Holds the datum itself, or a copy of a
/// toasted one, freed on drop.
pub struct DenseRef<'a, E> {
    value: Detoasted<'a>,
    dims: usize,
    element: PhantomData<E>,
}

impl<'a, E: Element> DenseRef<'a, E> {
    /// Views a datum; refuses one whose length does not fit its dimensions.
    ///
    /// # Safety
    /// `datum` is a non-null value of the type of `E` that lives during `'a`.
    #[inline(always)]
    pub unsafe fn from_datum(datum: Datum) -> Result<DenseRef<'a, E>, Report> {
        // SAFETY: `datum` is of a type of variable length, and lives during `'a`.
        DenseRef::new(unsafe { Detoasted::from_datum(datum) })
    }

    #[inline(always)]
    fn new(value: Detoasted<'a>) -> Result<DenseRef<'a, E>, Report> {
        let dims = match value.slice::<u16>(VARHDRSZ, 1) {
            Some(&[dims]) => usize::from(dims),
            Some(_) | None => return Err(error::corrupted(E::TYPE)),
        };
        if value.slice::<E>(HEADER, dims).is_none() {
            return Err(error::corrupted(E::TYPE));
        }
        Ok(DenseRef { value, dims, element: PhantomData })
    }
}

impl<E: Element> Deref for DenseRef<'_, E> {
    type Target = [E];

    #[inline]
    fn deref(&self) -> &[E] {
        // SAFETY: `new` has checked that the value holds `dims` elements, and their alignment.
        unsafe {
            let elements = self.value.as_ptr().cast::<u8>().add(HEADER).cast::<E>();
            slice::from_raw_parts(elements, self.dims)
        }
    }
}

impl<'a, E: Element> Argument<'a> for DenseRef<'a, E> {
    #[inline(always)]
    fn take(args: &mut Args<'a>) -> Result<DenseRef<'a, E>, Report> {
        DenseRef::new(Detoasted::take(args)?)
    }
}

impl<E> Return for DenseRef<'_, E> {
    fn into_datum(self, args: &Args) -> Result<Datum, Report> {
        self.value.into_datum(args)
    }
}

/// A vector under construction in the current memory context.
pub struct DenseBuf<E> {
    value: VarlenaBuf,
    dims: usize,
    element: PhantomData<E>,
}

impl<E: Element> DenseBuf<E> {
    /// A vector of zeros; checks the number of dimensions.
    pub fn zeroed(dims: usize) -> Result<DenseBuf<E>, Report> {
        check::dims::<E>(dims)?;
        let mut value = VarlenaBuf::zeroed(HEADER + dims * size_of::<E>())?;
        value.slice_mut::<u16>(VARHDRSZ, 1)[0] = dims as u16; // at most MAX_DIMS
        Ok(DenseBuf { value, dims, element: PhantomData })
    }

    /// A vector of these elements; checks their number.
    pub fn from_slice(elements: &[E]) -> Result<DenseBuf<E>, Report> {
        let mut vector = DenseBuf::zeroed(elements.len())?;
        vector.as_mut().copy_from_slice(elements);
        Ok(vector)
    }

    /// The elements.
    pub fn as_mut(&mut self) -> &mut [E] {
        self.value.slice_mut(HEADER, self.dims)
    }

    /// The bytes of the elements.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.value.slice_mut(HEADER, self.dims * size_of::<E>())
    }
}

impl<E> Return for DenseBuf<E> {
    #[inline]
    fn into_datum(self, args: &Args) -> Result<Datum, Report> {
        self.value.into_datum(args)
    }
}
